fn main() {
    let _: u8 = staso::span!("step", |(a, b)| { 1 });
}
