#[staso::tool]
fn f() -> impl Future<Output = String> {
    async { "" }
}

fn main() {
    drop(f());
}
