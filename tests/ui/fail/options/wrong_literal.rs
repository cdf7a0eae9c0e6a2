#[staso::tool(name = 5, capture_output = "no", tags = "slow")]
fn paint() {}

fn main() {
    paint();
}
