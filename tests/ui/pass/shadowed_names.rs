#![allow(non_camel_case_types, dead_code)]

mod std {}
mod core {}
mod staso_runtime {}
struct Ok;
struct Err;
struct Some;
struct None;
struct Result;
struct Option;
struct Box;
struct Vec;
struct String;
trait FnOnce {}
trait Future {}

#[staso::tool]
fn plain(span: u8) -> u8 {
    let (call, arguments, outcome, returned, value, guard, slot) = (span, 1, 1, 1, 1, 1, 1);
    staso::span!("block", |span| {
        let _ = span.span_id();
        call + arguments + outcome + returned + value + guard + slot
    })
}

#[staso::tool]
async fn later(call: u8) -> u8 {
    let (slot, early, done, left, value) = (1, 1, 1, 1, 1);
    let sum = staso::span!("block", {
        nothing().await;
        call + slot + early + done + left + value
    });
    staso::conversation!("c", {
        nothing().await;
        sum
    })
}

#[staso::tool]
async fn nothing() {}

fn main() {
    assert_eq!(plain(1), 7);
    drop(later(1));
}
