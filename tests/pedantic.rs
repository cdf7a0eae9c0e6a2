//! One function of each shape, under the strictest lints: a warning in the expansion of a macro would be a
//! warning in the code of a user who has done nothing wrong. Nothing is allowed here; `cargo clippy
//! --all-targets` is the test, and the functions run too.
#![deny(
    warnings,
    clippy::pedantic,
    clippy::missing_docs_in_private_items,
    clippy::shadow_unrelated,
    clippy::unwrap_used,
    clippy::undocumented_unsafe_blocks,
    missing_debug_implementations,
    single_use_lifetimes,
    unused_lifetimes,
    unused_qualifications,
    unused_results,
    unreachable_pub,
    let_underscore_drop,
    explicit_outlives_requirements,
    elided_lifetimes_in_paths,
    trivial_casts,
    trivial_numeric_casts,
    variant_size_differences
)]

use std::{
    fmt::{Debug, Display},
    future::ready,
    panic::Location,
    pin::Pin,
    rc::Rc,
    sync::Arc,
    task::{Context, Poll},
};

use async_trait::async_trait;
use futures_core::Stream;
use serde::Serialize;

/// Something that is taken apart.
#[derive(Clone, Copy, Debug, Serialize)]
struct Point {
    /// Across.
    x: u8,
    /// Up.
    y: u8,
}

/// Nothing at all.
#[staso::tool]
fn nothing() {}

/// A body that is one expression, one macro, or a block in a block.
#[staso::agent]
fn expressions(first: u8) -> String {
    format!("{first}")
}

/// Every option.
#[staso::trace(
    kind = "retriever",
    name = "search",
    tags = ["a"],
    metadata(limit = limit, first = query.chars().next()),
    skip(secret),
    capture_output = false
)]
fn options(query: &str, limit: u8, secret: &str) -> usize {
    query.len() + usize::from(limit) + secret.len()
}

/// Patterns of all kinds.
#[staso::tool]
#[expect(
    clippy::trivially_copy_pass_by_ref,
    reason = "the shape, of which clippy says what it says without us"
)]
fn patterns((a, _): (u8, u8), Point { x, .. }: Point, mut n: u8, [first, ..]: [u8; 2], &r: &u8) -> u8 {
    n += 1;
    a + x + n + first + r
}

/// Arguments that the body does not use.
#[staso::tool]
fn unused(_: u8, _unused: &str, (_, _also): (u8, u8)) {}

/// Arguments that are changed or moved, and an early return.
#[staso::tool]
fn moves(items: &mut Vec<String>, last: String, only: bool) -> Option<String> {
    if only {
        return Some(last);
    }
    items.push(last);
    items.pop()
}

/// Generic in every way.
#[staso::tool]
fn generic<'a, T, D: Debug + ?Sized, const N: usize>(
    items: &'a [T; N],
    shown: &D,
    printed: impl Display,
) -> Option<&'a T>
where
    T: Serialize,
{
    items.iter().find(|_| format!("{shown:?}{printed}").len() > N)
}

/// A failing step.
///
/// # Errors
///
/// If the text is no number.
#[staso::tool]
fn fallible(text: &str) -> anyhow::Result<u8> {
    let n: u8 = text.parse()?;
    Ok(n)
}

/// Calls itself, loops, and holds a function.
#[staso::tool]
fn nested(n: u8) -> u8 {
    /// Inside.
    #[staso::tool]
    fn inner(n: u8) -> u8 {
        n / 2
    }
    let mut calls = 0;
    'counting: loop {
        calls += 1;
        if calls > n {
            break 'counting nested_or(inner(n), n);
        }
    }
}

/// Calls back until there is nothing left.
fn nested_or(half: u8, n: u8) -> u8 {
    if n == 0 { 0 } else { nested(half) + 1 }
}

/// Gives back what borrows.
#[staso::tool]
fn borrows(numbers: &mut [u8]) -> impl Iterator<Item = &mut u8> + '_ {
    numbers.iter_mut().filter(|n| **n > 1)
}

/// Gives back a function.
#[staso::tool]
#[must_use = "it adds nothing by itself"]
fn adder(n: u8) -> impl Fn(u8) -> u8 {
    move |m| n + m
}

/// Never gives back anything.
///
/// # Panics
///
/// Always.
#[staso::tool]
fn never() -> ! {
    panic!("never")
}

/// # Safety
///
/// The pointer is valid.
#[staso::tool(skip(n))]
#[expect(unsafe_code, reason = "the shape")]
unsafe fn reads(n: *const u8) -> u8 {
    // SAFETY: the caller promises that it is valid.
    unsafe { *n }
}

/// Called by other languages.
#[staso::tool]
extern "C" fn foreign(n: u8, _: u8) -> u8 {
    n
}

/// Called by other languages that may unwind.
#[staso::tool]
extern "C-unwind" fn unwinds(n: u8) -> u8 {
    n
}

/// Knows its caller.
#[staso::tool]
#[track_caller]
fn tracked<T: Debug>(_: T, mut n: u32) -> u32 {
    n += 1;
    n + Location::caller().line()
}

/// Suspends.
#[staso::agent]
async fn asynchronous(n: &u8, (a, _): (u8, u8), _: Rc<u8>) -> Result<u8, String> {
    tokio::task::yield_now().await;
    if a > 9 {
        return Err(format!("{a} is too much"));
    }
    Ok(n + a)
}

/// Suspends and gives back nothing.
#[staso::tool]
async fn asynchronous_nothing(_: u8) {
    tokio::task::yield_now().await;
}

/// Never ends well.
#[staso::tool]
async fn asynchronous_never() -> ! {
    tokio::task::yield_now().await;
    panic!("never")
}

/// Gives back a future.
#[staso::tool]
fn opaque_future(n: u8) -> impl Future<Output = u8> {
    async move { n }
}

/// Gives back a future in a box.
#[staso::tool]
fn boxed_future<'a>(text: &'a str, _: u8) -> Pin<Box<dyn Future<Output = &'a str> + Send + 'a>> {
    Box::pin(async move {
        tokio::task::yield_now().await;
        text
    })
}

/// Gives back a future in one box or another.
#[staso::tool]
fn chosen_future(now: bool) -> Pin<Box<dyn Future<Output = u8> + Send>> {
    if now { Box::pin(ready(1)) } else { Box::pin(async { 2 }) }
}

/// A stream of nothing.
#[derive(Debug)]
struct Empty;

impl Stream for Empty {
    type Item = u8;

    fn poll_next(self: Pin<&mut Self>, _: &mut Context<'_>) -> Poll<Option<u8>> {
        Poll::Ready(None)
    }
}

/// Gives back a stream.
#[staso::tool]
fn opaque_stream(_: u8) -> impl Stream<Item = u8> {
    Empty
}

/// Gives back a stream in a box.
#[staso::tool]
fn boxed_stream() -> Pin<Box<dyn Stream<Item = u8>>> {
    Box::pin(Empty)
}

/// Has methods.
#[derive(Debug, Default)]
struct Counter {
    /// How many.
    count: u8,
}

impl Counter {
    /// By value.
    #[staso::tool]
    fn into_count(self) -> u8 {
        self.count
    }

    /// By reference.
    #[staso::tool(only(self))]
    fn get(&self, _: u8) -> u8 {
        self.count
    }

    /// By mutable reference.
    #[staso::tool(metadata(count = self.count))]
    fn add(&mut self, n: u8) -> &mut Self {
        self.count += n;
        self
    }

    /// By shared pointer.
    #[staso::tool]
    fn shared(self: Arc<Self>) -> Arc<Self> {
        self
    }

    /// Associated.
    #[staso::tool]
    fn associated(count: u8) -> Self {
        Self { count }
    }

    /// Later.
    #[staso::tool]
    async fn later(&mut self, n: u8) -> u8 {
        tokio::task::yield_now().await;
        self.count += n;
        self.count
    }
}

/// Has methods with and without a body.
trait Plain {
    /// With a body.
    #[staso::tool]
    fn provided(&self, n: u8) -> u8 {
        self.required(n)
    }

    /// Without.
    fn required(&self, n: u8) -> u8;
}

impl Plain for Counter {
    #[staso::tool]
    fn required(&self, n: u8) -> u8 {
        self.count + n
    }
}

/// Has async methods behind boxes.
#[async_trait]
trait Boxed: Sync {
    /// With a body.
    #[staso::tool]
    async fn provided_later(&self, (n, _): (u8, u8)) -> u8 {
        self.required_later(&n).await.unwrap_or_default()
    }

    /// Without.
    async fn required_later(&self, n: &u8) -> Option<u8>;
}

#[async_trait]
impl Boxed for Counter {
    #[staso::tool]
    async fn required_later(&self, n: &u8) -> Option<u8> {
        tokio::task::yield_now().await;
        self.count.checked_add(*n)
    }
}

/// Blocks.
#[staso::tool]
async fn blocks(n: u8) -> Result<u8, std::num::ParseIntError> {
    let first = staso::conversation!("id", user_id = n, {
        staso::span!("parse", kind = "tool", metadata(n = n), |span| {
            span.set_model("m");
            "1".parse::<u8>()?
        })
    });
    let second = staso::span!("wait", {
        tokio::task::yield_now().await;
        2
    });
    Ok(first + second)
}

#[test]
fn sync_functions_run() {
    nothing();
    unused(1, "", (2, 3));
    assert_eq!(expressions(1), "1");
    assert_eq!(options("ab", 1, "s"), 4);
    assert_eq!(patterns((1, 0), Point { x: 1, y: 2 }, 1, [1, 2], &1), 6);
    assert_eq!(moves(&mut vec![], "a".to_owned(), false).as_deref(), Some("a"));
    assert_eq!(generic(&[1], "debug", 1), Some(&1));
    assert_eq!(fallible("7").ok(), Some(7));
    assert_eq!(nested(4), 3);
    assert_eq!(borrows(&mut [1, 2]).count(), 1);
    assert_eq!(adder(1)(2), 3);
    assert!(std::panic::catch_unwind(|| never()).is_err());
    #[expect(unsafe_code, reason = "the shape")]
    // SAFETY: it is a reference.
    let read = unsafe { reads(&1) };
    assert_eq!((read, foreign(1, 2), unwinds(1)), (1, 1, 1));
    assert_eq!(tracked("x", 1), line!() + 2);
}

#[test]
fn methods_run() {
    let mut counter = Counter::associated(1);
    assert_eq!(counter.add(1).get(0), 2);
    assert_eq!((counter.provided(1), Plain::required(&counter, 2)), (3, 4));
    assert_eq!(Arc::new(Counter::default()).shared().count + counter.into_count(), 2);
}

#[tokio::test]
async fn async_functions_run() {
    assert_eq!(asynchronous(&1, (2, 0), Rc::new(1)).await, Ok(3));
    asynchronous_nothing(1).await;
    drop(asynchronous_never());
    assert_eq!(opaque_future(1).await + chosen_future(true).await, 2);
    assert_eq!(boxed_future("a", 1).await, "a");
    let mut counter = Counter::default();
    assert_eq!(counter.later(1).await, 1);
    assert_eq!(counter.provided_later((1, 0)).await, 2);
    assert_eq!(blocks(1).await, Ok(3));
    let opaque: Pin<Box<dyn Stream<Item = u8>>> = Box::pin(opaque_stream(1));
    for mut stream in [opaque, boxed_stream()] {
        assert_eq!(std::future::poll_fn(|cx| stream.as_mut().poll_next(cx)).await, None);
    }
}
