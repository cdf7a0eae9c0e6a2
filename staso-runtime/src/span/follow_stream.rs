use std::{
    panic::resume_unwind,
    pin::Pin,
    task::{Context, Poll},
};

use futures_core::Stream;
use pin_project_lite::pin_project;

use super::{
    OpenSpan,
    follow::{Entered, poll_inside},
};
use crate::capture::{Items, Slot};

pin_project! {
    /// A stream with a span around every poll of it, from the first poll to its end or its drop.
    #[must_use = "streams do nothing unless polled"]
    pub struct FollowedStream<S, I> {
        #[pin]
        stream: Option<S>,
        open: Option<Box<OpenSpan>>,
        item: I,
        items: Items,
    }

    impl<S, I> PinnedDrop for FollowedStream<S, I> {
        fn drop(this: Pin<&mut Self>) {
            let mut this = this.project();
            let Some(mut open) = this.open.take().filter(|open| open.is_running()) else { return };
            {
                let _entered = Entered::new(&mut open);
                this.stream.set(None);
            }
            this.items.finish(&mut open);
            open.cancelled();
            open.close();
        }
    }
}

impl<S, I> FollowedStream<S, I> {
    #[inline]
    pub(super) fn new(open: Option<Box<OpenSpan>>, stream: S, item: I) -> Self {
        Self { stream: Some(stream), open, item, items: Items::default() }
    }
}

impl<S, I> Stream for FollowedStream<S, I>
where
    S: Stream,
    I: FnMut(&S::Item, Slot<'_>),
{
    type Item = S::Item;

    fn poll_next(self: Pin<&mut Self>, cx: &mut Context<'_>) -> Poll<Option<S::Item>> {
        let this = self.project();
        let Some(stream) = this.stream.as_pin_mut() else { return Poll::Ready(None) };
        let Some(open) = this.open.as_mut() else { return stream.poll_next(cx) };
        match poll_inside(open, || stream.poll_next(cx)) {
            Ok(Poll::Pending) => Poll::Pending,
            Ok(Poll::Ready(Some(value))) => {
                if let Some(slot) = this.items.slot(open) {
                    (this.item)(&value, slot);
                }
                Poll::Ready(Some(value))
            }
            Ok(Poll::Ready(None)) => {
                if let Some(mut open) = this.open.take() {
                    this.items.finish(&mut open);
                    open.close();
                }
                Poll::Ready(None)
            }
            Err(payload) => {
                if let Some(mut open) = this.open.take() {
                    this.items.finish(&mut open);
                    open.panicked(&*payload);
                    open.close();
                }
                resume_unwind(payload)
            }
        }
    }

    fn size_hint(&self) -> (usize, Option<usize>) {
        self.stream.as_ref().map_or((0, Some(0)), Stream::size_hint)
    }
}
