use std::{
    pin::Pin,
    task::{self, Poll},
};

use futures_core::Stream;
use pin_project_lite::pin_project;

use super::{Context, local, stack::Scope, stack::Token};

use crate::recorder;

/// Takes a context along with a future.
///
/// ```
/// use staso::FutureExt as _;
///
/// async fn work() {}
///
/// # fn spawn(_: impl Future<Output = ()> + Send + 'static) {}
/// // With tokio: `tokio::spawn(work().in_current_context())`.
/// spawn(work().in_current_context());
/// ```
pub trait FutureExt: Future + Sized {
    /// The future, polled in the context of this call.
    fn in_current_context(self) -> WithContext<Self> {
        let scope = recorder::is_wanted().then(|| Context::current().scope);
        WithContext::new(scope, self)
    }

    /// The future, polled in a context.
    fn with_context(self, context: Context) -> WithContext<Self> {
        WithContext::new(Some(context.scope), self)
    }
}

impl<F: Future> FutureExt for F {}

/// Takes a context along with a stream.
///
/// ```
/// use staso::StreamExt as _;
///
/// # fn spawn(_: impl futures_core::Stream<Item = u8> + Send + 'static) {}
/// # fn example(tokens: impl futures_core::Stream<Item = u8> + Send + 'static) {
/// // For a stream that is polled in a task of its own, such as the body of a web server's response.
/// spawn(tokens.in_current_context());
/// # }
/// ```
pub trait StreamExt: Stream + Sized {
    /// The stream, polled in the context of this call.
    fn in_current_context(self) -> WithContext<Self> {
        let scope = recorder::is_wanted().then(|| Context::current().scope);
        WithContext::new(scope, self)
    }

    /// The stream, polled in a context.
    fn in_context(self, context: Context) -> WithContext<Self> {
        WithContext::new(Some(context.scope), self)
    }
}

impl<S: Stream> StreamExt for S {}

pin_project! {
    /// A future or stream that is polled, and dropped, in a context.
    #[must_use = "futures and streams do nothing unless polled"]
    pub struct WithContext<F> {
        // `None` once it was dropped inside its context.
        #[pin]
        future: Option<F>,
        // `None` leaves the context as it is.
        scope: Option<Scope>,
    }

    impl<F> PinnedDrop for WithContext<F> {
        fn drop(this: Pin<&mut Self>) {
            let mut this = this.project();
            let _entered = Entered::new(this.scope);
            this.future.set(None);
        }
    }
}

impl<F> WithContext<F> {
    pub(super) fn new(scope: Option<Scope>, future: F) -> Self {
        Self { future: Some(future), scope }
    }
}

impl<F: Future> Future for WithContext<F> {
    type Output = F::Output;

    fn poll(self: Pin<&mut Self>, cx: &mut task::Context<'_>) -> Poll<F::Output> {
        let this = self.project();
        let Some(future) = this.future.as_pin_mut() else { return Poll::Pending };
        let _entered = Entered::new(this.scope);
        future.poll(cx)
    }
}

impl<S: Stream> Stream for WithContext<S> {
    type Item = S::Item;

    fn poll_next(self: Pin<&mut Self>, cx: &mut task::Context<'_>) -> Poll<Option<S::Item>> {
        let this = self.project();
        let Some(stream) = this.future.as_pin_mut() else { return Poll::Ready(None) };
        let _entered = Entered::new(this.scope);
        stream.poll_next(cx)
    }

    fn size_hint(&self) -> (usize, Option<usize>) {
        self.future.as_ref().map_or((0, Some(0)), Stream::size_hint)
    }
}

/// A scope that is current until this is dropped, also by a panic. It lies on the thread's stack
/// meanwhile, and comes back from there.
struct Entered<'a> {
    scope: &'a mut Option<Scope>,
    token: Option<Token>,
}

impl<'a> Entered<'a> {
    fn new(scope: &'a mut Option<Scope>) -> Self {
        let token = local::with(|local| scope.take().map(|scope| local.stack.enter(scope))).flatten();
        Self { scope, token }
    }
}

impl Drop for Entered<'_> {
    fn drop(&mut self) {
        let Some(token) = self.token else { return };
        if let Some(scope) = local::with(|local| local.stack.leave(token)).flatten() {
            *self.scope = Some(scope);
        }
    }
}
