//! Functions that return a stream: the span lives as long as the stream, whose items are the output. How it
//! ends is tested in `stream_endings`.

use std::{
    future::poll_fn,
    pin::{Pin, pin},
    rc::Rc,
    task::{Context, Poll},
};

use futures_core::Stream;

use super::{block_on, check, check_async, panic_of, poll_once, step};

/// Counts down to one, pending before each number.
pub(super) struct Countdown {
    left: u8,
    ready: bool,
}

impl From<u8> for Countdown {
    fn from(left: u8) -> Self {
        Self { left, ready: false }
    }
}

impl Stream for Countdown {
    type Item = u8;

    fn poll_next(mut self: Pin<&mut Self>, cx: &mut Context<'_>) -> Poll<Option<u8>> {
        if !std::mem::replace(&mut self.ready, true) {
            cx.waker().wake_by_ref();
            return Poll::Pending;
        }
        self.ready = false;
        step();
        let item = self.left;
        let Some(left) = item.checked_sub(1) else { return Poll::Ready(None) };
        self.left = left;
        Poll::Ready(Some(item))
    }

    fn size_hint(&self) -> (usize, Option<usize>) {
        (self.left.into(), Some(self.left.into()))
    }
}

/// The items of a stream after a function was applied.
pub(super) struct Map<S, F>(pub(super) S, pub(super) F);

impl<S: Stream + Unpin, T, F: FnMut(S::Item) -> T + Unpin> Stream for Map<S, F> {
    type Item = T;

    fn poll_next(mut self: Pin<&mut Self>, cx: &mut Context<'_>) -> Poll<Option<T>> {
        let Self(stream, map) = &mut *self;
        Pin::new(stream).poll_next(cx).map(|item| item.map(map))
    }
}

pub(super) async fn next<S: Stream>(mut stream: Pin<&mut S>) -> Option<S::Item> {
    poll_fn(|cx| stream.as_mut().poll_next(cx)).await
}

pub(super) async fn collect<S: Stream>(stream: S) -> Vec<S::Item> {
    let mut stream = pin!(stream);
    let mut items = Vec::new();
    while let Some(item) = next(stream.as_mut()).await {
        items.push(item);
    }
    items
}

#[staso::tool]
fn opaque(from: u8) -> impl Stream<Item = u8> {
    Countdown::from(from)
}

#[staso::tool]
fn boxed<'a>(from: &'a u8, (low, _): (u8, u8)) -> Pin<Box<dyn Stream<Item = u8> + Send + 'a>> {
    Box::pin(Map(Countdown::from(*from), move |n| n + low))
}

const STEPS: &str = "\n  chain step() = null\n  chain step() = null\n  chain step() = null";

#[test]
fn the_items_are_the_output() {
    check_async(
        async || collect(opaque(2)).await,
        vec![2, 1],
        &format!("tool opaque(from: 2) = [2,1]{STEPS}"),
    );
    check_async(
        async || collect(boxed(&2, (10, 0))).await,
        vec![12, 11],
        &format!("tool boxed(from: 2, low: 10) = [12,11]{STEPS}"),
    );
    check_async(
        async || collect(opaque(0)).await,
        vec![],
        "tool opaque(from: 0) = []\n  chain step() = null",
    );
}

#[test]
fn items_are_captured_as_their_type_allows() {
    struct Opaque;
    #[derive(Debug, PartialEq)]
    struct NonZero(u8);
    #[staso::tool]
    fn debugged() -> impl Stream<Item = NonZero> {
        Map(Countdown::from(1), NonZero)
    }
    #[staso::tool]
    fn nameless() -> Pin<Box<dyn Stream<Item = Opaque>>> {
        Box::pin(Map(Countdown::from(1), |_| Opaque))
    }
    #[staso::tool(capture_output = false)]
    fn secret(seed: u8) -> impl Stream<Item = u8> {
        Countdown::from(seed)
    }
    let steps = "\n  chain step() = null\n  chain step() = null";
    check_async(
        async || collect(debugged()).await.len(),
        1,
        &format!("tool debugged() = [\"NonZero(1)\"]{steps}"),
    );
    check_async(
        async || collect(nameless()).await.len(),
        1,
        &format!("tool nameless() = [\"<Opaque>\"]{steps}"),
    );
    check_async(async || collect(secret(1)).await, vec![1], &format!("tool secret(seed: 1){steps}"));
}

#[test]
fn a_stream_that_is_left_early_is_no_error_and_keeps_its_items() {
    check_async(
        async || next(pin!(opaque(3))).await,
        Some(3),
        "tool opaque(from: 3) = [3] {\"cancelled\":true}\n  chain step() = null",
    );
}

#[test]
fn a_stream_that_is_never_polled_leaves_the_span_of_its_call() {
    check(|| drop(opaque(3)), (), r#"tool opaque(from: 3) {"never_polled":true}"#);
    check(|| drop(boxed(&3, (0, 0))), (), r#"tool boxed(from: 3, low: 0) {"never_polled":true}"#);
}

#[test]
fn a_stream_that_panics_fails() {
    #[staso::tool]
    fn fails() -> impl Stream<Item = u8> {
        Map(Countdown::from(2), |n: u8| n.checked_sub(2).expect("two"))
    }
    check(
        || panic_of(|| block_on(collect(fails()))),
        "two".to_owned(),
        "tool fails() = [0] ! error panic: two\n  chain step() = null\n  chain step() = null",
    );
}

#[test]
fn streams_of_methods_borrow_from_self() {
    struct Shelf {
        books: u8,
    }
    impl Shelf {
        #[staso::trace(kind = "retriever")]
        fn walk(&self, by: u8) -> impl Stream<Item = u8> + '_ {
            Map(Countdown::from(1), move |n| n * by * self.books)
        }

        #[staso::tool]
        fn shared<T: Clone + serde::Serialize + Unpin + 'static>(
            self: Rc<Self>,
            item: T,
        ) -> Pin<Box<dyn Stream<Item = T>>> {
            Box::pin(Map(Countdown::from(self.books), move |_| item.clone()))
        }
    }
    let steps = "\n  chain step() = null\n  chain step() = null";
    check_async(
        async || collect(Shelf { books: 3 }.walk(2)).await,
        vec![6],
        &format!("retriever walk(by: 2) = [6]{steps}"),
    );
    check_async(
        async || collect(Rc::new(Shelf { books: 1 }).shared("x")).await,
        vec!["x"],
        &format!("tool shared(item: \"x\") = [\"x\"]{steps}"),
    );
}

#[test]
fn what_runs_between_two_items_is_outside() {
    #[staso::tool]
    async fn consumes() -> u8 {
        let mut stream = pin!(opaque(1));
        let mut sum = 0;
        while let Some(item) = next(stream.as_mut()).await {
            sum += item;
            between();
        }
        sum
    }
    #[staso::trace]
    fn between() {}
    check_async(
        async || consumes().await,
        1,
        "tool consumes() = 1\n  tool opaque(from: 1) = [1]\n    chain step() = null\n    chain step() = null\n  \
         chain between() = null",
    );
}

#[test]
fn the_size_hint_is_passed_on_and_a_finished_stream_stays_so() {
    let mut stream = Box::pin(opaque(1));
    assert_eq!(stream.size_hint(), (1, Some(1)));
    assert!(poll_once(pin!(next(stream.as_mut()))).is_pending());
    assert_eq!(poll_once(pin!(next(stream.as_mut()))), Poll::Ready(Some(1)));
    assert_eq!(stream.size_hint(), (0, Some(0)));
}
