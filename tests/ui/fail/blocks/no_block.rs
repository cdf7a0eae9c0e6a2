fn main() {
    staso::span!("step", kind = "tool");
    staso::conversation!("conv-42");
}
