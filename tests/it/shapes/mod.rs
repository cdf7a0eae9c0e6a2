//! Every shape of function that Rust has, and the span that it makes.
//!
//! A case is a call, the value that it gives and a picture of its spans. A line of the picture reads like
//! the call: kind, name, captured arguments, captured result, how it failed, and what the metadata says of how
//! it was left; spans inside are indented.
//!
//! ```text
//! tool add(a: 1, b: 2) = 3
//! tool parse(text: "x") ! error ParseIntError: invalid digit found in string
//!   chain step() = null
//! ```

mod abi;
mod asynchronous;
mod attributes;
mod control_flow;
mod drop_order;
mod futures;
mod generics;
mod methods;
mod options;
mod patterns;
mod results;
mod sendness;
mod shadowing;
mod sizes;
mod stream_endings;
mod streams;
mod sync;
mod traits;

use std::{
    fmt::{Debug, Write as _},
    panic::{AssertUnwindSafe, catch_unwind},
    pin::Pin,
    task::{Context, Poll},
};

use serde_json::Value;
use staso::{
    Span, SpanStatus,
    testing::{CapturedSpan, Spans, capture_with, capture_with_async},
};

/// Checks a call's value without recording, and its value and spans with it.
///
/// The call is made inside a span, of which every span in the picture must be a descendant.
#[track_caller]
fn check<R: PartialEq + Debug>(call: impl Fn() -> R, value: R, picture: &str) {
    assert_eq!(call(), value, "the value without recording");
    let (recorded, spans) = capture_with(|| Span::builder("caller").in_scope(|_| call()));
    assert_eq!(recorded, value, "the value while recording");
    assert_eq!(inside_the_caller(&spans), picture);
}

/// As [`check`], for what has to be awaited.
#[track_caller]
fn check_async<R: PartialEq + Debug>(call: impl AsyncFn() -> R, value: R, picture: &str) {
    assert_eq!(block_on(call()), value, "the value without recording");
    let inside = async { Span::builder("caller").in_scope_async(|_| async { call().await }).await };
    let (recorded, spans) = block_on(capture_with_async(inside));
    assert_eq!(recorded, value, "the value while recording");
    assert_eq!(inside_the_caller(&spans), picture);
}

/// Defines a function and its async twin, and checks that both make the same span.
///
/// `f(…) => value, picture; …`, or `f(…), look => value, picture; …` for a value to look into.
macro_rules! check_both {
    ($call:expr => $value:expr, $($rest:tt)*) => {
        $crate::shapes::check_both! { $call, std::convert::identity => $value, $($rest)* }
    };
    ($call:expr, $look:expr => $value:expr, $picture:expr; $(#[$attr:meta])+ fn $($function:tt)*) => {{
        {
            $(#[$attr])+ fn $($function)*
            $crate::shapes::check(|| $look($call), $value, $picture);
        }
        {
            $(#[$attr])+ async fn $($function)*
            $crate::shapes::check_async(async || $look($call.await), $value, $picture);
        }
    }};
}
use check_both;

/// A span to find inside another.
#[staso::trace]
fn step() {}

/// Suspends once, so that what awaits it is polled twice.
async fn suspend() {
    tokio::task::yield_now().await;
}

fn block_on<F: Future>(future: F) -> F::Output {
    tokio::runtime::Builder::new_current_thread().enable_time().build().expect("a runtime").block_on(future)
}

/// Polls a future as often, and drops it.
fn cancel_after<F: Future>(polls: usize, future: F) {
    let mut future = Box::pin(future);
    for _ in 0..polls {
        assert!(poll_once(future.as_mut()).is_pending(), "the future was to be cancelled");
    }
}

fn poll_once<F: Future + ?Sized>(future: Pin<&mut F>) -> Poll<F::Output> {
    future.poll(&mut Context::from_waker(std::task::Waker::noop()))
}

/// The message of a call's panic.
fn panic_of<R>(call: impl FnOnce() -> R) -> String {
    let Err(payload) = catch_unwind(AssertUnwindSafe(call)) else { return "no panic".to_owned() };
    match payload.downcast::<String>() {
        Ok(message) => *message,
        Err(payload) => (*payload.downcast::<&str>().expect("a panic with a message")).to_owned(),
    }
}

fn inside_the_caller(spans: &Spans) -> String {
    let caller = spans.first().expect("the span of the caller");
    assert_eq!(spans.roots().count(), 1, "a span lost its parent:\n{}", spans.tree());
    let mut picture = String::new();
    for span in caller.children() {
        draw(&span, 0, &mut picture);
    }
    picture.truncate(picture.trim_end().len());
    picture
}

fn draw(span: &CapturedSpan, depth: usize, picture: &mut String) {
    write!(picture, "{:indent$}{} {}", "", span.kind, span.name, indent = 2 * depth).expect("a string");
    match &span.input {
        Value::Null => {}
        Value::Object(arguments) => {
            let arguments: Vec<_> =
                arguments.iter().map(|(name, value)| format!("{name}: {value}")).collect();
            write!(picture, "({})", arguments.join(", ")).expect("a string");
        }
        other => panic!("the input is no object: {other}"),
    }
    if !span.output.is_null() {
        write!(picture, " = {}", span.output.get("result").expect("a result")).expect("a string");
    }
    if span.status != SpanStatus::Ok {
        let text = |text: &Option<String>| text.clone().unwrap_or_default();
        let (class, message) = (text(&span.exception_type), text(&span.error_message));
        write!(picture, " ! {} {class}: {message}", span.status).expect("a string");
    }
    let left: serde_json::Map<_, _> = ["never_polled", "cancelled"]
        .into_iter()
        .filter_map(|key| Some((key.to_owned(), span.metadata.get(key)?.clone())))
        .collect();
    if !left.is_empty() {
        write!(picture, " {}", Value::Object(left)).expect("a string");
    }
    picture.push_str(if span.finished { "\n" } else { " (unfinished)\n" });
    for child in span.children() {
        draw(&child, depth + 1, picture);
    }
}
