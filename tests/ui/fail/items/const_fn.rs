#[staso::tool]
const fn double(n: u8) -> u8 {
    n * 2
}

fn main() {
    double(1);
}
