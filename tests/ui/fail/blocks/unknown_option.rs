fn main() {
    let _: u8 = staso::span!("step", colour = "red", kind = "robot", { 1 });
    let _: u8 = staso::conversation!("conv-42", user = "alice", { 1 });
}
