//! Functions that return a future: parent, arguments and start are those of the call, and the body that makes
//! the future runs inside the span.

use std::{cell::Cell, pin::Pin, rc::Rc};

use staso::Span;

use super::{cancel_after, check, check_async, panic_of, step, suspend};

type Boxed<'a, T> = Pin<Box<dyn Future<Output = T> + Send + 'a>>;

#[staso::tool]
fn opaque(n: u8) -> impl Future<Output = u8> {
    step();
    async move {
        suspend().await;
        step();
        n + 1
    }
}

#[staso::tool]
fn boxed(text: &str) -> Pin<Box<dyn Future<Output = String> + Send + '_>> {
    Box::pin(async move {
        suspend().await;
        step();
        text.to_uppercase()
    })
}

#[test]
fn a_returned_future_is_followed() {
    check_async(
        async || opaque(1).await,
        2,
        "tool opaque(n: 1) = 2\n  chain step() = null\n  chain step() = null",
    );
    check_async(
        async || boxed("a").await,
        "A".to_owned(),
        "tool boxed(text: \"a\") = \"A\"\n  chain step() = null",
    );
}

#[test]
fn a_boxed_future_may_be_made_by_any_body() {
    #[staso::tool]
    fn chosen(now: bool) -> Boxed<'static, u8> {
        if now {
            return Box::pin(std::future::ready(1));
        }
        let later = async {
            suspend().await;
            2
        };
        Box::pin(later)
    }
    #[staso::tool]
    fn spelled_out(now: bool) -> Pin<Box<dyn Future<Output = u8> + Send>> {
        if now { Box::pin(std::future::ready(1)) } else { Box::pin(opaque(1)) }
    }
    check_async(async || spelled_out(true).await, 1, "tool spelled_out(now: true) = 1");
    check_async(
        async || spelled_out(false).await,
        2,
        "tool spelled_out(now: false) = 2\n  tool opaque(n: 1) = 2\n    chain step() = null\n    chain step() = null",
    );
    check_async(
        async || chosen(true).await + chosen(false).await,
        3,
        "tool chosen(now: true) = 1\ntool chosen(now: false) = 2",
    );
}

#[test]
fn the_usual_alias_of_a_boxed_future_is_known() {
    type BoxFuture<'a, T> = Pin<Box<dyn Future<Output = T> + Send + 'a>>;

    #[staso::tool]
    fn alias(text: &str) -> BoxFuture<'_, Result<&str, String>> {
        Box::pin(async move { Ok(text) })
    }
    check_async(async || alias("a").await, Ok("a"), r#"tool alias(text: "a") = "a""#);
}

#[test]
fn opaque_types_inside_a_returned_future() {
    #[staso::tool]
    fn nested(
        n: u8,
    ) -> impl Future<Output = Result<impl std::fmt::Display + std::fmt::Debug, String>> + Send {
        async move { if n > 0 { Ok(n) } else { Err("zero".to_owned()) } }
    }
    check_async(
        async || nested(0).await.map(|n| n.to_string()),
        Err("zero".to_owned()),
        "tool nested(n: 0) ! error String: zero",
    );
}

#[test]
fn errors_of_the_future_are_errors_of_the_span() {
    #[staso::tool]
    fn opaque(text: &str) -> impl Future<Output = anyhow::Result<u8>> + Send + use<> {
        let text = text.to_owned();
        async move {
            suspend().await;
            let n: u8 = text.parse()?;
            Ok(n)
        }
    }
    #[staso::tool]
    fn boxed<'a>(text: &'a str) -> Pin<Box<dyn Future<Output = Result<u8, String>> + 'a>> {
        Box::pin(async move { text.parse::<u8>().map_err(|error| error.to_string()) })
    }
    let why = "invalid digit found in string";
    check_async(
        async || opaque("x").await.is_err(),
        true,
        &format!("tool opaque(text: \"x\") ! error Error: {why}"),
    );
    check_async(
        async || boxed("x").await.is_err(),
        true,
        &format!("tool boxed(text: \"x\") ! error String: {why}"),
    );
    check_async(async || opaque("7").await.ok(), Some(7), r#"tool opaque(text: "7") = 7"#);
}

#[test]
fn arguments_and_parent_are_taken_at_the_call() {
    #[staso::tool]
    fn looks(cell: &Cell<u8>) -> impl Future<Output = u8> + '_ {
        async { cell.get() }
    }
    check_async(
        async || {
            let cell = Cell::new(1);
            let future = Span::builder("call").in_scope(|_| looks(&cell));
            cell.set(2);
            Span::builder("poll").in_scope_async(|_| future).await
        },
        2,
        "chain call\n  tool looks(cell: 1) = 2\nchain poll",
    );
}

#[test]
fn a_returned_future_that_is_never_polled_leaves_the_span_of_its_call() {
    check(|| drop(boxed("a")), (), r#"tool boxed(text: "a") {"never_polled":true}"#);
    check(|| drop(opaque(1)), (), "tool opaque(n: 1) {\"never_polled\":true}\n  chain step() = null");
}

#[test]
fn a_returned_future_may_be_cancelled_or_panic() {
    #[staso::tool]
    fn fails() -> impl Future<Output = u8> {
        async { panic!("inside") }
    }
    #[staso::tool]
    fn fails_at_the_call(n: u8) -> impl Future<Output = u8> {
        let checked = n.checked_sub(1).expect("positive");
        async move { checked }
    }
    check(
        || cancel_after(1, boxed("a")),
        (),
        r#"tool boxed(text: "a") ! error cancelled: dropped before it finished"#,
    );
    check(
        || panic_of(|| super::block_on(fails())),
        "inside".to_owned(),
        "tool fails() ! error panic: inside",
    );
    check(
        || panic_of(|| fails_at_the_call(0)),
        "positive".to_owned(),
        "tool fails_at_the_call(n: 0) ! error panic: positive",
    );
}

#[test]
fn generic_futures_and_pattern_arguments() {
    #[staso::tool]
    fn pair<T: std::fmt::Debug + Send>((a, _): (T, T), n: impl Into<u8>) -> impl Future<Output = (T, u8)> {
        let n = n.into();
        async move { (a, n) }
    }
    #[staso::tool]
    fn boxed<'a, T: serde::Serialize + Send + Sync>(
        (a, _): &'a (T, T),
        mut n: u8,
    ) -> Pin<Box<dyn Future<Output = &'a T> + Send + 'a>> {
        n += 1;
        Box::pin(async move {
            let _ = n;
            a
        })
    }
    check_async(async || pair((1, 2), 3_u8).await, (1, 3), r#"tool pair(a: "1", n: "<u8>") = "(1, 3)""#);
    let pair = ("a", "b");
    check_async(async || *boxed(&pair, 0).await, "a", r#"tool boxed(a: "a", n: 0) = "a""#);
}

#[test]
fn a_future_named_by_its_type_is_an_ordinary_value() {
    #[staso::tool]
    fn ready(n: u8) -> std::future::Ready<u8> {
        std::future::ready(n)
    }
    #[staso::tool]
    fn boxed_without_a_pin(n: Rc<u8>) -> Box<dyn Future<Output = u8> + Unpin> {
        Box::new(std::future::ready(*n))
    }
    check_async(async || ready(1).await, 1, r#"tool ready(n: 1) = "Ready(Some(1))""#);
    check_async(
        async || boxed_without_a_pin(Rc::new(1)).await,
        1,
        r#"tool boxed_without_a_pin(n: 1) = "<Box<dyn Future<Output = u8> + Unpin>>""#,
    );
}
