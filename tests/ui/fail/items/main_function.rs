#[staso::agent]
fn main() {}
