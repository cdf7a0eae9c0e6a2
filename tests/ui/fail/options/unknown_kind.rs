#[staso::trace(kind = "database")]
fn query() {}

fn main() {
    query();
}
