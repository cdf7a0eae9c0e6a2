use std::{
    marker::PhantomData,
    panic::{AssertUnwindSafe, catch_unwind, resume_unwind},
    pin::Pin,
    task::{Context, Poll},
};

use pin_project_lite::pin_project;

use super::{Ending, OpenSpan};
use crate::{capture::Slot, context::Token};

pin_project! {
    /// A future with a span around every poll of it, until its end or its drop.
    ///
    /// The future is dropped inside its span: `drop` enters it, then the fields go in their order, and the
    /// second one leaves and ends it. That takes no `Option` around the future, which would be one more type
    /// on the way down when the compiler asks whether a deep call is `Send`.
    #[must_use = "futures do nothing unless polled"]
    pub struct Followed<F, K> {
        // First, so that the compiler knows of a span whether it is `Send` before it looks into the future,
        // where it may be near the depth at which it gives up.
        known: PhantomData<Unfinished>,
        #[pin]
        future: F,
        open: Unfinished,
        end: K,
    }

    impl<F, K> PinnedDrop for Followed<F, K> {
        #[inline]
        fn drop(this: Pin<&mut Self>) {
            this.project().open.enter();
        }
    }
}

impl<F, K> Followed<F, K> {
    #[inline]
    pub(super) fn new(open: Option<Box<OpenSpan>>, future: F, end: K) -> Self {
        Self { known: PhantomData, future, open: Unfinished(open), end }
    }
}

impl<F, K, R> Future for Followed<F, K>
where
    F: Future,
    K: FnMut(F::Output, Ending<'_>) -> R,
{
    type Output = R;

    #[inline]
    fn poll(self: Pin<&mut Self>, cx: &mut Context<'_>) -> Poll<R> {
        if self.open.0.is_some() {
            return poll_recorded(self, cx);
        }
        let this = self.project();
        this.future.poll(cx).map(|value| (this.end)(value, Ending::of(None)))
    }
}

#[inline(never)]
fn poll_recorded<F, K, R>(this: Pin<&mut Followed<F, K>>, cx: &mut Context<'_>) -> Poll<R>
where
    F: Future,
    K: FnMut(F::Output, Ending<'_>) -> R,
{
    let this = this.project();
    let Some(open) = &mut this.open.0 else { return Poll::Pending };
    match poll_inside(open, || this.future.poll(cx)) {
        Ok(Poll::Pending) => Poll::Pending,
        Ok(Poll::Ready(value)) => Poll::Ready((this.end)(value, Ending::of(this.open.0.take()))),
        Err(payload) => {
            if let Some(mut open) = this.open.0.take() {
                open.panicked(&*payload);
                open.close();
            }
            resume_unwind(payload)
        }
    }
}

/// The span of a future that has not finished.
struct Unfinished(Option<Box<OpenSpan>>);

impl Unfinished {
    #[inline]
    fn enter(&mut self) {
        if let Some(open) = &mut self.0 {
            open.enter_last();
        }
    }
}

impl Drop for Unfinished {
    #[inline]
    fn drop(&mut self) {
        if let Some(open) = self.0.take() {
            give_up(open);
        }
    }
}

#[inline(never)]
fn give_up(mut open: Box<OpenSpan>) {
    open.leave_last();
    if open.is_polled() {
        open.cancelled();
        open.close();
    } else {
        close_unpolled(open);
    }
}

/// Ends the span of a call whose future or stream nobody wanted; one that has not begun leaves no trace.
pub(super) fn close_unpolled(mut open: Box<OpenSpan>) {
    if open.is_running() {
        Slot::metadata(&mut open, "never_polled").json(&true);
        open.close();
    }
}

/// One poll inside the span; the first one starts it.
#[inline]
pub(super) fn poll_inside<T>(open: &mut OpenSpan, poll: impl FnOnce() -> T) -> std::thread::Result<T> {
    open.ensure_polled();
    let _entered = Entered::new(open);
    catch_unwind(AssertUnwindSafe(poll))
}

/// A span that is current until this is dropped, also by a panic.
struct Entered<'a> {
    open: &'a mut OpenSpan,
    token: Option<Token>,
}

impl<'a> Entered<'a> {
    #[inline]
    fn new(open: &'a mut OpenSpan) -> Self {
        let token = open.enter();
        Self { open, token }
    }
}

impl Drop for Entered<'_> {
    #[inline]
    fn drop(&mut self) {
        self.open.leave(self.token.take());
    }
}
