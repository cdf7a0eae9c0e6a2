fn main() {
    let _: u8 = staso::span!({ 1 });
    let _: u8 = staso::span!(kind = "tool", { 1 });
    let _: u8 = staso::span!("", { 1 });
    let _: u8 = staso::span!(7, { 1 });
}
