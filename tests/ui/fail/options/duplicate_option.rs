#[staso::tool(name = "a", capture_input = false, name = "b")]
fn paint() {}

fn main() {
    paint();
}
