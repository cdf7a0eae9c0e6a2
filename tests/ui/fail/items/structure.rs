#[staso::tool]
struct Tool;

#[staso::agent]
enum Agent {}

#[staso::trace]
mod steps {}

fn main() {
    let _ = Tool;
}
