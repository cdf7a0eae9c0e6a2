#[staso::tool]
fn count(words: &str) -> usize {
    words.to_owned()
}

#[staso::tool]
async fn count_later(words: &str) -> usize {
    words.to_owned()
}

fn main() {
    count("");
    drop(count_later(""));
}
