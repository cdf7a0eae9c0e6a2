use std::{
    future::poll_fn,
    marker::PhantomData,
    pin::Pin,
    sync::atomic::{AtomicBool, Ordering},
    task::{Context, Poll},
};

use pin_project_lite::pin_project;

use super::Call;

/// Says that the code of an asynchronous block macro ran to its end.
///
/// The block is an `async` block of the enclosing function's own output type, so that `?` and `return`
/// in it mean what they mean outside. Its last step marks this and then waits for ever; whoever polls it
/// sees the mark, drops the block and takes the value from where the block put it.
///
/// An atomic, though only one task touches it: the task may move between threads at an await.
#[derive(Debug, Default)]
pub struct Done(AtomicBool);

impl Done {
    /// Not done yet.
    #[must_use]
    pub const fn new() -> Self {
        Self(AtomicBool::new(false))
    }

    /// Marks the block as done. Never ready, so it may pretend to give anything.
    pub fn finish<T>(&self) -> impl Future<Output = T> + Send + Sync {
        poll_fn(|_| {
            // Relaxed: the flag is read by the poll that calls this one.
            self.0.store(true, Ordering::Relaxed);
            Poll::Pending
        })
    }

    fn is_marked(&self) -> bool {
        self.0.load(Ordering::Relaxed)
    }
}

/// What a function is left with early: never anything, but always of one type, which is inferred from
/// wherever the value goes.
#[derive(Debug)]
pub struct Early<T>(PhantomData<fn() -> T>);

impl<T> Early<T> {
    /// Of a type to be inferred.
    #[must_use]
    #[expect(clippy::new_without_default, reason = "nobody makes a default one")]
    pub const fn new() -> Self {
        Self(PhantomData)
    }

    /// The value, which is of that type.
    #[inline(always)]
    pub fn returned(&self, value: T) -> T {
        value
    }

    /// Nothing.
    #[inline(always)]
    #[must_use]
    pub const fn left(&self) -> Option<T> {
        None
    }
}

pin_project! {
    /// Runs the block of a macro. `None` when it ran to its end; its output when it was left early.
    #[must_use = "futures do nothing unless polled"]
    pub struct BlockFuture<'a, F> {
        #[pin]
        block: F,
        done: &'a Done,
    }
}

impl<'a, F> BlockFuture<'a, F> {
    pub(crate) const fn new(block: F, done: &'a Done) -> Self {
        Self { block, done }
    }
}

impl<F: Future> Future for BlockFuture<'_, F> {
    type Output = Option<F::Output>;

    fn poll(self: Pin<&mut Self>, cx: &mut Context<'_>) -> Poll<Self::Output> {
        let this = self.project();
        match this.block.poll(cx) {
            Poll::Ready(early) => Poll::Ready(Some(early)),
            Poll::Pending if this.done.is_marked() => Poll::Ready(None),
            Poll::Pending => Poll::Pending,
        }
    }
}

impl Call {
    /// Runs the block of `span!` inside the span.
    pub fn follow_block<'a, F: Future + 'a>(
        self,
        block: F,
        done: &'a Done,
    ) -> impl Future<Output = Option<F::Output>> + 'a {
        self.follow(BlockFuture::new(block, done), |left, ending| ending.with(left, |_, _| ()))
    }
}
