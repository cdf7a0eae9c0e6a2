use std::{
    panic::{AssertUnwindSafe, catch_unwind, resume_unwind},
    pin::Pin,
    task::{Context, Poll},
};

use pin_project_lite::pin_project;

use super::OpenSpan;
use crate::{capture::Outcome, context::Token};

pin_project! {
    /// A future with a span around every poll of it, from the first poll to its end or its drop.
    #[must_use = "futures do nothing unless polled"]
    pub struct Followed<F, O> {
        // `None` once it was dropped inside its own span.
        #[pin]
        future: Option<F>,
        open: Option<Box<OpenSpan>>,
        outcome: Option<O>,
    }

    impl<F, O> PinnedDrop for Followed<F, O> {
        #[inline]
        fn drop(this: Pin<&mut Self>) {
            if this.open.is_some() {
                cancel(this);
            }
        }
    }
}

impl<F, O> Followed<F, O> {
    #[inline]
    pub(super) fn new(open: Option<Box<OpenSpan>>, future: F, outcome: O) -> Self {
        Self { future: Some(future), open, outcome: Some(outcome) }
    }
}

/// Drops a future that has not finished inside its own span, and ends that.
#[inline(never)]
fn cancel<F, O>(this: Pin<&mut Followed<F, O>>) {
    let mut this = this.project();
    let Some(mut open) = this.open.take().filter(|open| open.is_running()) else { return };
    {
        let _entered = Entered::new(&mut open);
        this.future.set(None);
    }
    open.cancelled();
    open.close();
}

impl<F, O> Future for Followed<F, O>
where
    F: Future,
    O: FnOnce(&F::Output, Outcome<'_>),
{
    type Output = F::Output;

    #[inline]
    fn poll(self: Pin<&mut Self>, cx: &mut Context<'_>) -> Poll<F::Output> {
        if self.open.is_some() {
            return poll_recorded(self, cx);
        }
        match self.project().future.as_pin_mut() {
            Some(future) => future.poll(cx),
            None => Poll::Pending,
        }
    }
}

#[inline(never)]
fn poll_recorded<F, O>(this: Pin<&mut Followed<F, O>>, cx: &mut Context<'_>) -> Poll<F::Output>
where
    F: Future,
    O: FnOnce(&F::Output, Outcome<'_>),
{
    let this = this.project();
    let (Some(future), Some(open)) = (this.future.as_pin_mut(), this.open.as_mut()) else {
        return Poll::Pending;
    };
    let polled = poll_inside(open, || future.poll(cx));
    if let Ok(Poll::Pending) = polled {
        return Poll::Pending;
    }
    let (open, outcome) = (this.open.take(), this.outcome.take());
    match (polled, open) {
        (Ok(Poll::Ready(value)), Some(mut open)) => {
            if let Some(outcome) = outcome {
                outcome(&value, Outcome::of(&mut open));
            }
            open.close();
            Poll::Ready(value)
        }
        (Err(payload), open) => {
            if let Some(mut open) = open {
                open.panicked(&*payload);
                open.close();
            }
            resume_unwind(payload)
        }
        (Ok(polled), _) => polled,
    }
}

/// One poll inside the span; the first one starts it.
#[inline]
pub(super) fn poll_inside<T>(open: &mut OpenSpan, poll: impl FnOnce() -> T) -> std::thread::Result<T> {
    open.ensure_running();
    let _entered = Entered::new(open);
    catch_unwind(AssertUnwindSafe(poll))
}

/// A span that is current until this is dropped, also by a panic.
pub(super) struct Entered<'a> {
    open: &'a mut OpenSpan,
    token: Option<Token>,
}

impl<'a> Entered<'a> {
    #[inline]
    pub(super) fn new(open: &'a mut OpenSpan) -> Self {
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
