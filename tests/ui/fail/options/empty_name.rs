#[staso::agent(name = " ")]
fn answer() {}

fn main() {
    answer();
}
