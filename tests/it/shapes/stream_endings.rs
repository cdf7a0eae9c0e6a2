//! Every shape of function that gives a stream, and every way in which a stream can end.

use std::{
    panic::{AssertUnwindSafe, catch_unwind},
    pin::{Pin, pin},
    task::{Context, Poll},
};

use futures_core::Stream;
use staso::{
    Span, StreamExt as _,
    testing::{CapturedSpan, Spans, capture},
};

use super::{
    block_on, check_async, inside_the_caller, poll_once, step,
    streams::{collect, next},
};

/// What the body does, and the stream that it makes.
#[derive(Clone, Copy, Debug, PartialEq)]
enum Script {
    /// Gives all of its items and ends.
    Ends,
    /// Gives an error before the last item, and ends.
    Fails,
    PanicsInTheBody,
    PanicsInAPoll,
}

/// Gives two items with one pause, as its script says. Every poll is seen as a step.
struct Scripted {
    script: Script,
    polls: u8,
}

type Item = Result<String, String>;
type BoxStream<'a, T> = Pin<Box<dyn Stream<Item = T> + Send + 'a>>;
type BoxFuture<'a, T> = Pin<Box<dyn Future<Output = T> + Send + 'a>>;
type LocalAlias<'a> = Pin<Box<dyn Stream<Item = Item> + 'a>>;
type Answer = Result<Pin<Box<dyn Stream<Item = Item> + Send + Sync>>, String>;

fn script(script: Script) -> Scripted {
    step();
    assert!(script != Script::PanicsInTheBody, "while it is made");
    Scripted { script, polls: 0 }
}

impl Stream for Scripted {
    type Item = Item;

    fn poll_next(mut self: Pin<&mut Self>, cx: &mut Context<'_>) -> Poll<Option<Item>> {
        self.polls += 1;
        let item = |text: &str| Poll::Ready(Some(Ok(text.to_owned())));
        match (self.polls, self.script) {
            (1, _) => item("Hel"),
            (2, _) => {
                cx.waker().wake_by_ref();
                Poll::Pending
            }
            (3, Script::PanicsInAPoll) => panic!("in a poll"),
            (3, Script::Fails) => Poll::Ready(Some(Err("connection reset".to_owned()))),
            (3, _) => item("lo"),
            _ => Poll::Ready(None),
        }
    }
}

trait Chat {
    fn boxed(&self, n: Script) -> BoxStream<'_, Item>;
}

/// How a consumer goes about it.
#[derive(Clone, Copy)]
enum Consumer {
    All,
    One,
    Nothing,
}

async fn consume<S: Stream>(stream: S, how: Consumer) {
    match how {
        Consumer::All => drop(collect(stream).await),
        Consumer::One => drop(next(pin!(stream)).await),
        Consumer::Nothing => drop(stream),
    }
}

/// Defines one function per shape, each called `chat`, and a table of how to call them.
macro_rules! shapes {
    ($($name:literal: $(#[$attr:meta])* [$($function:tt)*] $n:ident => $call:expr;)+) => {
        const SHAPES: &[(&str, fn(Script, Consumer))] = &[$(
            ($name, |$n, how| {
                $(#[$attr])*
                #[staso::trace(kind = "llm", capture_input = false)]
                $($function)*
                block_on(async { consume($call, how).await })
            }),
        )+];
    };
}

shapes! {
    "impl Stream": [fn chat(n: Script) -> impl Stream<Item = Item> { script(n) }] n => chat(n);
    "boxed": [fn chat(n: Script) -> Pin<Box<dyn Stream<Item = Item>>> { Box::pin(script(n)) }] n => chat(n);
    "usual alias": [fn chat(n: Script) -> BoxStream<'static, Item> { Box::pin(script(n)) }] n => chat(n);
    "any alias": [fn chat(n: Script) -> LocalAlias<'static> { Box::pin(script(n)) }] n => chat(n);
    "pinned": [fn chat(n: Script) -> Pin<Box<impl Stream<Item = Item>>> { Box::pin(script(n)) }] n => chat(n);
    "in a result": [fn chat(n: Script) -> Result<impl Stream<Item = Item>, String> { Ok(script(n)) }] n => chat(n).unwrap();
    "boxed in a result": [fn chat(n: Script) -> Answer { Ok(Box::pin(script(n))) }] n => chat(n).unwrap();
    "in an option": [fn chat(n: Script) -> Option<impl Stream<Item = Item>> { Some(script(n)) }] n => chat(n).unwrap();
    "in a tuple": [fn chat(n: Script) -> (u8, impl Stream<Item = Item>) { (1, script(n)) }] n => chat(n).1;
    "boxed in a tuple": [fn chat(n: Script) -> (u8, LocalAlias<'static>) { (1, Box::pin(script(n))) }] n => chat(n).1;
    "boxed first in a tuple": [fn chat(n: Script) -> (LocalAlias<'static>, u8, u8) { (Box::pin(script(n)), 1, 2) }] n => chat(n).0;
    "async fn": [async fn chat(n: Script) -> impl Stream<Item = Item> { script(n) }] n => chat(n).await;
    "async fn, boxed": [async fn chat(n: Script) -> BoxStream<'static, Item> { Box::pin(script(n)) }] n => chat(n).await;
    "async fn, in a result": [async fn chat(n: Script) -> Result<impl Stream<Item = Item>, String> { Ok(script(n)) }] n => chat(n).await.unwrap();
    "async fn, boxed in a result": [async fn chat(n: Script) -> Answer { Ok(Box::pin(script(n))) }] n => chat(n).await.unwrap();
    "async fn, in an option": [async fn chat(n: Script) -> Option<impl Stream<Item = Item>> { Some(script(n)) }] n => chat(n).await.unwrap();
    "async fn, in a tuple": [async fn chat(n: Script) -> (impl Stream<Item = Item>, u8) { (script(n), 1) }] n => chat(n).await.0;
    "async fn, boxed in a tuple in a result": [async fn chat(n: Script) -> Result<(u8, BoxStream<'static, Item>), String> { Ok((1, Box::pin(script(n)))) }] n => chat(n).await.unwrap().1;
    "a future of a stream": [fn chat(n: Script) -> impl Future<Output = Result<impl Stream<Item = Item>, String>> { async move { Ok(script(n)) } }] n => chat(n).await.unwrap();
    "a boxed future of a boxed stream": [fn chat(n: Script) -> BoxFuture<'static, Answer> { Box::pin(async move { Answer::Ok(Box::pin(script(n))) }) }] n => chat(n).await.unwrap();
}

fn spans_of(shape: fn(Script, Consumer), script: Script, how: Consumer) -> Spans {
    capture(|| {
        Span::builder("caller").in_scope(|_| {
            let _ = catch_unwind(AssertUnwindSafe(|| shape(script, how)));
        });
    })
}

fn chat(spans: &Spans) -> &CapturedSpan {
    spans.find("chat").expect("a span")
}

#[track_caller]
fn check_all(script: Script, how: Consumer, picture: &str) {
    for (name, shape) in SHAPES {
        let spans = spans_of(*shape, script, how);
        assert_eq!(inside_the_caller(&spans), picture, "{name}");
    }
}

#[test]
fn a_stream_that_ends_gives_its_text() {
    check_all(Script::Ends, Consumer::All, "llm chat = \"Hello\"\n  chain step() = null");
}

#[test]
fn a_stream_that_fails_gives_its_error() {
    check_all(
        Script::Fails,
        Consumer::All,
        "llm chat = \"Hel\" ! error String: connection reset\n  chain step() = null",
    );
}

#[test]
fn a_stream_that_is_left_early_is_ok_and_cancelled() {
    check_all(Script::Ends, Consumer::One, "llm chat = \"Hel\" {\"cancelled\":true}\n  chain step() = null");
}

#[test]
fn a_body_that_panics_gives_its_panic() {
    check_all(
        Script::PanicsInTheBody,
        Consumer::All,
        "llm chat ! error panic: while it is made\n  chain step() = null",
    );
}

#[test]
fn a_poll_that_panics_gives_its_panic() {
    check_all(
        Script::PanicsInAPoll,
        Consumer::All,
        "llm chat = \"Hel\" ! error panic: in a poll\n  chain step() = null",
    );
}

#[test]
fn a_stream_that_is_never_polled_says_so() {
    check_all(Script::Ends, Consumer::Nothing, "llm chat {\"never_polled\":true}\n  chain step() = null");
}

#[test]
fn the_metadata_tell_how_many_items_there_were_and_when_the_first_came() {
    for (name, shape) in SHAPES {
        let spans = spans_of(*shape, Script::Fails, Consumer::All);
        let metadata = &chat(&spans).metadata;
        assert_eq!(metadata["items"], 1, "{name}: an error is no item");
        let time = metadata["time_to_first_token"].as_f64().expect("milliseconds");
        assert!(
            time >= 0.0 && time <= chat(&spans).duration.as_secs_f64() * 1_000.0 + 0.01,
            "{name}: {time}"
        );
    }
}

#[test]
fn without_an_item_there_is_no_time_to_the_first() {
    #[staso::tool]
    fn empty() -> impl Stream<Item = u8> {
        super::streams::Countdown::from(0)
    }
    let spans = capture(|| {
        block_on(collect(empty()));
    });
    assert_eq!(spans[0].metadata["items"], 0);
    assert!(!spans[0].metadata.contains_key("time_to_first_item"));
}

#[test]
fn a_call_that_gives_no_stream_ends_with_its_error_or_its_nothing() {
    #[staso::tool]
    async fn refused(none: bool) -> Result<Option<impl Stream<Item = u8>>, std::num::ParseIntError> {
        if none { Ok(None) } else { "x".parse().map(|n: u8| Some(super::streams::Countdown::from(n))) }
    }
    #[staso::tool]
    async fn refused_boxed() -> Result<BoxStream<'static, u8>, String> {
        Err("busy".to_owned())
    }
    check_async(async || refused(true).await.unwrap().is_none(), true, "tool refused(none: true) = null");
    check_async(
        async || refused(false).await.is_err(),
        true,
        "tool refused(none: false) ! error ParseIntError: invalid digit found in string",
    );
    check_async(async || refused_boxed().await.is_err(), true, "tool refused_boxed() ! error String: busy");
}

#[test]
fn a_loser_of_a_select_is_no_error_if_it_is_a_stream() {
    #[staso::tool]
    fn slow() -> impl Stream<Item = u8> {
        super::streams::Countdown::from(200)
    }
    check_async(
        async || {
            tokio::select! {
                biased;
                all = collect(slow()) => all.len(),
                () = super::suspend() => 0,
            }
        },
        0,
        "tool slow() = [200] {\"cancelled\":true}\n  chain step() = null",
    );
}

#[test]
fn the_later_error_of_a_stream_wins() {
    #[staso::tool]
    fn numbers() -> impl Stream<Item = Result<u8, String>> {
        super::streams::Map(super::streams::Countdown::from(3), |n| {
            if n == 1 { Ok(n) } else { Err(format!("error {n}")) }
        })
    }
    let spans = capture(|| {
        block_on(collect(numbers()));
    });
    assert_eq!(spans[0].error_message.as_deref(), Some("error 2"));
    assert_eq!(spans[0].output["result"], serde_json::json!([1]));
}

#[test]
fn an_error_of_a_stream_counts_after_a_status_that_was_set_before() {
    struct SaysOkFirst(u8);
    impl Stream for SaysOkFirst {
        type Item = Result<u8, String>;

        fn poll_next(mut self: Pin<&mut Self>, _: &mut Context<'_>) -> Poll<Option<Self::Item>> {
            self.0 += 1;
            Poll::Ready(match self.0 {
                1 => {
                    staso::current_span().set_status(staso::SpanStatus::Ok, "");
                    Some(Ok(1))
                }
                2 => Some(Err("no".to_owned())),
                _ => None,
            })
        }
    }
    #[staso::tool]
    fn numbers() -> impl Stream<Item = Result<u8, String>> {
        SaysOkFirst(0)
    }
    let spans = capture(|| {
        block_on(collect(numbers()));
    });
    assert_eq!(
        (spans.tree(), spans[0].error_message.as_deref()),
        ("tool numbers error\n".to_owned(), Some("no"))
    );
}

#[test]
fn who_stops_at_an_error_cancels_nothing() {
    #[staso::tool]
    fn numbers() -> impl Stream<Item = Result<u8, String>> {
        super::streams::Map(super::streams::Countdown::from(3), |n| Err(format!("error {n}")))
    }
    check_async(
        async || next(pin!(numbers())).await,
        Some(Err("error 3".to_owned())),
        "tool numbers() ! error String: error 3\n  chain step() = null",
    );
}

#[test]
fn every_kind_of_text_is_joined() {
    use std::{borrow::Cow, sync::Arc};
    fn text_of<S: Stream>(chat: impl Fn() -> S) -> serde_json::Value {
        let spans = capture(|| {
            block_on(collect(chat()));
        });
        spans[0].output["result"].clone()
    }
    macro_rules! text_of {
        ($ty:ty, $item:expr) => {{
            #[staso::tool]
            fn chat() -> impl Stream<Item = $ty> {
                super::streams::Map(super::streams::Countdown::from(2), |_| $item)
            }
            text_of(chat)
        }};
    }
    assert_eq!(text_of!(&'static str, "é\n"), "é\né\n");
    assert_eq!(text_of!(String, "a".to_owned()), "aa");
    assert_eq!(text_of!(Cow<'static, str>, "a".into()), "aa");
    assert_eq!(text_of!(Box<str>, "a".into()), "aa");
    assert_eq!(text_of!(Result<Arc<str>, u8>, Ok("a".into())), "aa");
    assert_eq!(text_of!(Option<String>, Some("a".into())), serde_json::json!(["a", "a"]));
    assert_eq!(text_of!(Vec<u8>, b"a".to_vec()), serde_json::json!([[97], [97]]));
    assert_eq!(text_of!(std::path::PathBuf, "a".into()), serde_json::json!(["a", "a"]));
}

#[test]
fn a_joined_text_is_cut_as_any_value() {
    #[staso::tool]
    fn chat() -> impl Stream<Item = String> {
        super::streams::Map(super::streams::Countdown::from(200), |_| "é".repeat(500))
    }
    let spans = capture(|| {
        block_on(collect(chat()));
    });
    let text = spans[0].output["result"].as_str().expect("a text");
    let kept = text.strip_suffix("… [cut]").expect("a mark");
    assert!(kept.len() <= 64 * 1024 && kept.len() > 64 * 1024 - 4, "{}", kept.len());
    assert_eq!(spans[0].metadata["items"], 200);
}

#[test]
fn what_makes_a_stream_of_a_stream_is_its_parent() {
    #[staso::tool]
    fn inner(n: Script) -> impl Stream<Item = Item> {
        script(n)
    }
    #[staso::tool]
    fn outer(n: Script) -> impl Stream<Item = Item> {
        inner(n)
    }
    let spans = capture(|| {
        block_on(collect(outer(Script::Ends)));
    });
    assert_eq!(spans.tree(), "tool outer\n  tool inner\n    chain step\n");
}

#[test]
fn methods_of_traits_give_boxed_streams() {
    struct Model;
    impl Chat for Model {
        #[staso::trace(kind = "llm", capture_input = false)]
        fn boxed(&self, n: Script) -> BoxStream<'_, Item> {
            Box::pin(script(n))
        }
    }
    check_async(
        async || collect(Model.boxed(Script::Ends)).await.len(),
        2,
        "llm boxed = \"Hello\"\n  chain step() = null",
    );
}

#[test]
fn a_stream_can_be_taken_to_another_context() {
    let spans = capture(|| {
        let (mut current, mut given) = Span::builder("made").in_scope(|_| {
            let given = script(Script::Ends).in_context(staso::Context::default());
            (Box::pin(instrumented().in_current_context()), Box::pin(given))
        });
        assert!(poll_once(pin!(next(current.as_mut()))).is_pending());
        assert_eq!(current.size_hint(), (1, Some(1)));
        assert!(poll_once(pin!(next(given.as_mut()))).is_ready());
    });
    fn instrumented() -> impl Stream<Item = u8> {
        super::streams::Countdown::from(1)
    }
    assert_eq!(spans.tree(), "chain made\n  chain step\n");
}
