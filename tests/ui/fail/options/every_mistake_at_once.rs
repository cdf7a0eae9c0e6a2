#[staso::trace(kind = "robot", nmae = "x", capture_input = 0, skip(z))]
const fn walk(steps: u8) -> u8 {
    steps
}

fn main() {
    // The function is still there: only its own mistakes are reported.
    let _: u8 = walk(1);
}
