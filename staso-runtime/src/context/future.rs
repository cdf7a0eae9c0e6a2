use std::{
    pin::Pin,
    task::{self, Poll},
};

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

pin_project! {
    /// A future that is polled, and dropped, in a context.
    #[must_use = "futures do nothing unless polled"]
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
