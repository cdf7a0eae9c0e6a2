//! The command `staso`.

fn main() {}
