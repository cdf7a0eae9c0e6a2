#[staso::tool(skip(a), only(b))]
fn add(a: u8, b: u8) -> u8 {
    a + b
}

fn main() {
    add(1, 2);
}
