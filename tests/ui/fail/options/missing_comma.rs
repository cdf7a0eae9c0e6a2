#[staso::tool(name = "a" tags = ["b"])]
fn paint() {}

fn main() {
    paint();
}
