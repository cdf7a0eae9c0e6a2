#[staso::tool(colour = "red")]
fn paint() {}

fn main() {
    paint();
}
