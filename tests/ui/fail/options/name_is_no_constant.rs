#[staso::tool(name = id, tags = [id])]
fn refund(id: &'static str) {}

#[staso::tool(name = 5_u8.pow(2))]
fn number() {}

fn main() {}
