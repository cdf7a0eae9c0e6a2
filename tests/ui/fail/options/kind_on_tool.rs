#[staso::tool(kind = "llm")]
fn complete() {}

fn main() {
    complete();
}
