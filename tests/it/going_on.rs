//! Spans that go on after the call, in what it returned: programs of users that once gave another picture.

use std::{
    convert::Infallible,
    future::poll_fn,
    pin::{Pin, pin},
    task::{Context, Poll},
};

use futures_core::Stream;
use tower_service::Service;

fn block_on<F: Future>(future: F) -> F::Output {
    tokio::runtime::Builder::new_current_thread().build().expect("a runtime").block_on(future)
}

async fn collect<S: Stream>(stream: S) -> Vec<S::Item> {
    let (mut stream, mut items) = (pin!(stream), Vec::new());
    while let Some(item) = poll_fn(|cx| stream.as_mut().poll_next(cx)).await {
        items.push(item);
    }
    items
}

#[staso::tool]
async fn decode(n: u8) -> u8 {
    n
}

/// Gives what is on a list.
struct Listed<T>(std::vec::IntoIter<T>);

impl<T> Unpin for Listed<T> {}

impl<T> Stream for Listed<T> {
    type Item = T;

    fn poll_next(mut self: Pin<&mut Self>, _: &mut Context<'_>) -> Poll<Option<T>> {
        Poll::Ready(self.0.next())
    }
}

/// Awaits each item, as the body of an `async_stream::stream!` does.
struct Decoded(std::ops::Range<u8>, Option<Pin<Box<dyn Future<Output = u8>>>>);

impl Stream for Decoded {
    type Item = u8;

    fn poll_next(mut self: Pin<&mut Self>, cx: &mut Context<'_>) -> Poll<Option<u8>> {
        let Self(left, next) = &mut *self;
        if next.is_none() {
            let Some(n) = left.next() else { return Poll::Ready(None) };
            *next = Some(Box::pin(decode(n)));
        }
        let polled = next.as_mut().map_or(Poll::Ready(None), |next| next.as_mut().poll(cx).map(Some));
        if polled.is_ready() {
            *next = None;
        }
        polled
    }
}

#[test]
fn stream_that_fails() {
    #[staso::trace(kind = "llm")]
    fn tokens() -> impl Stream<Item = Result<String, std::io::Error>> {
        Listed(vec![Ok("Hel".to_string()), Err(std::io::Error::other("connection reset"))].into_iter())
    }
    let spans = staso::testing::capture(|| {
        block_on(collect(tokens()));
    });
    assert_eq!(spans.tree(), "llm tokens error\n");
    assert_eq!(spans[0].error_message.as_deref(), Some("connection reset"));
    assert_eq!(spans[0].output["result"], "Hel");
}

#[test]
fn body_before_the_future() {
    #[staso::tool]
    fn look_up(n: u8) -> u8 {
        n
    }
    #[staso::trace]
    fn chat(n: u8) -> impl Future<Output = u8> {
        let m = look_up(n);
        async move { m }
    }
    #[staso::agent]
    async fn bot() -> u8 {
        chat(1).await
    }
    let spans = staso::testing::capture(|| {
        block_on(bot());
    });
    assert_eq!(spans.tree(), "agent bot\n  chain chat\n    tool look_up\n");
}

#[test]
fn async_fn_giving_a_stream() {
    #[staso::trace(kind = "llm")]
    async fn chat(n: u8) -> Result<impl Stream<Item = u8>, String> {
        Ok(Decoded(0..n, None))
    }
    #[staso::agent]
    async fn bot() -> Vec<u8> {
        collect(chat(2).await.unwrap()).await
    }
    let spans = staso::testing::capture(|| {
        block_on(bot());
    });
    assert_eq!(spans.tree(), "agent bot\n  llm chat\n    tool decode\n    tool decode\n");
    assert_eq!(spans[1].output["result"], serde_json::json!([0, 1]));
}

#[test]
fn aliased_future() {
    struct Svc;
    impl Service<u8> for Svc {
        type Response = u8;
        type Error = Infallible;
        type Future = Pin<Box<dyn Future<Output = Result<u8, Infallible>> + Send>>;

        fn poll_ready(&mut self, _: &mut Context<'_>) -> Poll<Result<(), Infallible>> {
            Poll::Ready(Ok(()))
        }

        #[staso::trace]
        fn call(&mut self, n: u8) -> Self::Future {
            Box::pin(async move { Ok(decode(n).await) })
        }
    }
    let spans = staso::testing::capture(|| {
        block_on(Svc.call(1)).unwrap();
    });
    assert_eq!(spans.tree(), "chain call\n  tool decode\n");
    assert_eq!(spans[0].output["result"], 1);
}

#[test]
fn a_boxed_future_is_followed_wherever_it_lies() {
    type BoxFuture<T> = Pin<Box<dyn Future<Output = T>>>;
    type Maybe<T> = Result<Option<BoxFuture<T>>, String>;
    #[staso::trace]
    fn maybe(n: u8) -> Maybe<Result<u8, String>> {
        match n {
            0 => Ok(None),
            1 => Err("not one".to_owned()),
            n => {
                Ok(Some(Box::pin(
                    async move { if n == 2 { Err("two".to_owned()) } else { Ok(decode(n).await) } },
                )))
            }
        }
    }
    let picture = |n| {
        let spans = staso::testing::capture(|| {
            if let Ok(Some(future)) = maybe(n) {
                let _ = block_on(future);
            }
        });
        (spans.tree(), spans[0].error_message.clone())
    };
    assert_eq!(picture(0), ("chain maybe\n".to_owned(), None));
    assert_eq!(picture(1), ("chain maybe error\n".to_owned(), Some("not one".to_owned())));
    assert_eq!(picture(2), ("chain maybe error\n".to_owned(), Some("two".to_owned())));
    assert_eq!(picture(3), ("chain maybe\n  tool decode\n".to_owned(), None));
}

#[test]
fn a_concrete_future_is_a_value_and_its_span_covers_the_call() {
    struct Concrete;
    impl Future for Concrete {
        type Output = u8;
        fn poll(self: Pin<&mut Self>, cx: &mut Context<'_>) -> Poll<u8> {
            pin!(decode(1)).poll(cx)
        }
    }
    #[staso::trace]
    fn call() -> Concrete {
        Concrete
    }
    let spans = staso::testing::capture(|| {
        block_on(call());
    });
    assert_eq!(spans.tree(), "chain call\ntool decode\n");
}

#[test]
fn an_alias_in_generic_code() {
    type Boxed<'a, T> = Pin<Box<dyn Future<Output = T> + Send + 'a>>;
    #[staso::trace]
    fn look<'a, T: std::fmt::Debug + Sync>(value: &'a T) -> Boxed<'a, &'a T> {
        Box::pin(async move {
            decode(1).await;
            value
        })
    }
    fn caller<T: std::fmt::Debug + Sync>(value: T) -> String {
        block_on(async { format!("{:?}", look(&value).await) })
    }
    let (text, spans) = staso::testing::capture_with(|| caller(String::from("a")));
    assert_eq!((text.as_str(), spans.tree().as_str()), ("\"a\"", "chain look\n  tool decode\n"));
}

/// What follows a stream is a stream, and nothing else: then the span covers the call.
#[test]
fn a_stream_that_is_something_else_as_well() {
    #[derive(Clone, Debug)]
    struct Both;
    impl Stream for Both {
        type Item = u8;
        fn poll_next(self: Pin<&mut Self>, cx: &mut Context<'_>) -> Poll<Option<u8>> {
            pin!(decode(1)).poll(cx).map(|_| None)
        }
    }
    #[staso::trace]
    fn both() -> impl Stream<Item = u8> + Clone + Send {
        Both
    }
    let spans = staso::testing::capture(|| {
        block_on(collect(both().clone()));
    });
    assert_eq!(spans.tree(), "chain both\ntool decode\n");
}

/// What `#[async_trait]` makes of an `async fn` that gives a boxed stream.
#[test]
fn an_async_trait_method_that_gives_a_stream() {
    type BoxStream<T> = Pin<Box<dyn Stream<Item = T> + Send>>;
    #[async_trait::async_trait]
    trait Model {
        async fn chat(&self, text: &str) -> Result<BoxStream<String>, String>;
    }
    struct Echo;
    #[async_trait::async_trait]
    impl Model for Echo {
        #[staso::trace(kind = "llm")]
        async fn chat(&self, text: &str) -> Result<BoxStream<String>, String> {
            let words: Vec<String> = text.split_inclusive(' ').map(str::to_owned).collect();
            Ok(Box::pin(Listed(words.into_iter())))
        }
    }
    let spans = staso::testing::capture(|| {
        block_on(async { collect(Echo.chat("so it goes").await.unwrap()).await });
    });
    assert_eq!(spans.tree(), "llm chat\n");
    assert_eq!(spans[0].output["result"], "so it goes");
    assert_eq!(spans[0].metadata["items"], 3);
}
