#[staso::tool(metadata(team = "a", "team" = "b"))]
fn paint() {}

fn main() {
    paint();
}
