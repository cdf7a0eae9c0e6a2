//! The future of an instrumented function is `Send` exactly when the bare one is.
#![expect(clippy::manual_async_fn, reason = "the shape under test")]

use std::{cell::Cell, marker::PhantomData, pin::Pin, rc::Rc};

use futures_core::Stream;

use super::{streams::Countdown, suspend};

/// Asks the compiler whether `T: Send`, which a bound could not answer with no.
struct Probe<T>(PhantomData<T>);

trait SendIsKnown {
    fn is_send(&self) -> bool {
        true
    }
}

trait SendIsUnknown {
    fn is_send(&self) -> bool {
        false
    }
}

impl<T: Send> SendIsKnown for &Probe<T> {}
impl<T> SendIsUnknown for Probe<T> {}

fn probe<T>(_: &T) -> Probe<T> {
    Probe(PhantomData)
}

/// Defines a function with and without the attribute.
macro_rules! check_send {
    ($($call:expr => $expected:literal, $function:item)+) => {$({
        let bare = {
            $function
            (&&probe(&$call)).is_send()
        };
        let instrumented = {
            #[staso::tool]
            $function
            (&&probe(&$call)).is_send()
        };
        assert_eq!((bare, instrumented), ($expected, $expected), "{}", stringify!($function));
    })+};
}

fn is_send<T: Send>(_: T) {}

#[test]
fn async_functions() {
    check_send! {
        f() => true, async fn f() {}
        f(1, "a") => true, async fn f(n: u8, text: &str) -> String { suspend().await; format!("{n}{text}") }
        f(Rc::new(1)) => false, async fn f(n: Rc<u8>) -> u8 { suspend().await; *n }
        f(&Cell::new(1)) => false, async fn f(n: &Cell<u8>) -> u8 { suspend().await; n.get() }
        f() => false, async fn f() -> u8 { let n = Rc::new(1); suspend().await; *n }
        f() => true, async fn f() -> u8 { let n = { *Rc::new(1) }; suspend().await; n }
        f((Rc::new(1), 2)) => false, async fn f((_, n): (Rc<u8>, u8)) -> u8 { suspend().await; n }
        f(1) => true, async fn f(_: u8) -> Result<Vec<u8>, anyhow::Error> { suspend().await; Ok(vec![]) }
        f() => true, async fn f() -> Rc<u8> { suspend().await; Rc::new(1) }
        f() => true, async fn f() -> Result<u8, Box<dyn std::error::Error>> { suspend().await; Err("no".into()) }
    }
}

#[test]
fn generic_async_functions() {
    check_send! {
        f(1) => true, async fn f<T>(value: T) -> T { suspend().await; value }
        f(Rc::new(1)) => false, async fn f<T: Clone>(value: T) -> T { suspend().await; value.clone() }
        f(&1) => true, async fn f<T: std::fmt::Debug + ?Sized>(value: &T) -> String { suspend().await; format!("{value:?}") }
    }
    #[staso::tool]
    async fn generic<T: Send + Sync>(value: &T) -> &T {
        suspend().await;
        value
    }
    fn in_generic_code<T: Send + Sync>(value: &T) {
        is_send(generic(value));
    }
    in_generic_code(&1);
}

#[test]
fn functions_that_return_a_future() {
    check_send! {
        f(1) => true, fn f(n: u8) -> impl Future<Output = u8> { async move { suspend().await; n } }
        f(Rc::new(1)) => false, fn f(n: Rc<u8>) -> impl Future<Output = u8> { async move { suspend().await; *n } }
        f(Rc::new(1)) => true, fn f(n: Rc<u8>) -> impl Future<Output = u8> { let n = *n; async move { suspend().await; n } }
        f(Rc::new(1)) => false, fn f(n: Rc<u8>) -> Pin<Box<dyn Future<Output = u8>>> { Box::pin(async move { *n }) }
        f(1) => true, fn f(n: u8) -> Pin<Box<dyn Future<Output = u8> + Send>> { Box::pin(async move { n }) }
        f(1) => true, fn f(n: u8) -> Pin<Box<dyn Future<Output = u8> + Send>> { let n = n + 1; Box::pin(async move { n }) }
    }
}

#[test]
fn streams() {
    check_send! {
        f() => true, fn f() -> impl Stream<Item = u8> { Countdown::from(1) }
        f() => true, fn f() -> Pin<Box<dyn Stream<Item = u8> + Send>> { Box::pin(Countdown::from(1)) }
        f() => false, fn f() -> Pin<Box<dyn Stream<Item = u8>>> { Box::pin(Countdown::from(1)) }
    }
}

#[test]
fn a_future_may_be_sync_and_unpin_as_before() {
    fn is_sync<T: Sync>(_: &T) {}
    fn is_unpin<T: Unpin>(_: &T) {}
    #[staso::tool]
    async fn f(n: u8) -> u8 {
        suspend().await;
        n
    }
    #[staso::tool]
    fn ready() -> impl Future<Output = u8> + Unpin {
        std::future::ready(1)
    }
    is_sync(&f(1));
    is_unpin(&ready());
}

/// Async functions that call one another; the first one, and the last one.
macro_rules! call_chain {
    ($innermost:ident $($callers:ident)*) => {
        #[staso::tool]
        async fn $innermost(x: std::sync::Arc<u8>) -> u8 {
            tokio::task::yield_now().await;
            *x
        }
        call_chain!(@ $innermost $($callers)*);
    };
    (@ $callee:ident $caller:ident $($rest:ident)*) => {
        #[staso::tool]
        async fn $caller(x: std::sync::Arc<u8>) -> u8 {
            $callee(x).await + 1
        }
        call_chain!(@ $caller $($rest)*);
    };
    (@ $outermost:ident) => {};
}

/// The compiler gives up at a depth of its own (`recursion_limit`): bare functions reach 41, these 20.
#[test]
fn send_depth() {
    call_chain!(f0 f1 f2 f3 f4 f5 f6 f7 f8 f9 f10 f11 f12 f13 f14 f15 f16 f17 f18 f19);
    let depth = super::block_on(async { tokio::spawn(f19(std::sync::Arc::new(1))).await });
    assert_eq!(depth.expect("no panic"), 20);
}
