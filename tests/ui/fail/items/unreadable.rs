#[staso::tool]
fn unfinished(x: ) {}

#[staso::tool]
fn unfinished_body(x: &str) -> usize {
    x.
}

fn main() {}
