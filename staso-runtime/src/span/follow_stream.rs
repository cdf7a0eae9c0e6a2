use std::{
    panic::resume_unwind,
    pin::Pin,
    task::{Context, Poll},
};

use futures_core::Stream;
use pin_project_lite::pin_project;

use super::{
    Ending, OpenSpan,
    follow::{close_unpolled, poll_inside},
};
use crate::capture::{Items, Slot};

pin_project! {
    /// A stream with a span around every poll of it, until its end or its drop. It is dropped inside its span
    /// as the future of [`Followed`](super::Followed) is.
    #[must_use = "streams do nothing unless polled"]
    pub struct FollowedStream<S, K> {
        #[pin]
        stream: S,
        run: Unfinished,
        end: K,
    }

    impl<S, K> PinnedDrop for FollowedStream<S, K> {
        fn drop(this: Pin<&mut Self>) {
            if let Some(run) = &mut this.project().run.0 {
                run.open.enter_last();
            }
        }
    }
}

/// The span of a stream that has not ended.
struct Unfinished(Option<Box<Run>>);

struct Run {
    open: Box<OpenSpan>,
    items: Items,
}

impl<S, K> FollowedStream<S, K> {
    #[inline]
    pub(super) fn new(open: Option<Box<OpenSpan>>, stream: S, end: K) -> Self {
        let run = open.map(|open| Box::new(Run { open, items: Items::default() }));
        Self { stream, run: Unfinished(run), end }
    }
}

impl<S, K> Stream for FollowedStream<S, K>
where
    S: Stream,
    K: FnMut(S::Item, Ending<'_>) -> S::Item,
{
    type Item = S::Item;

    fn poll_next(self: Pin<&mut Self>, cx: &mut Context<'_>) -> Poll<Option<S::Item>> {
        let this = self.project();
        let Some(run) = &mut this.run.0 else { return this.stream.poll_next(cx) };
        match poll_inside(&mut run.open, || this.stream.poll_next(cx)) {
            Ok(Poll::Pending) => Poll::Pending,
            Ok(Poll::Ready(Some(item))) => {
                let item = (this.end)(item, Ending::of_item(&mut run.open, &mut run.items));
                Poll::Ready(Some(item))
            }
            Ok(Poll::Ready(None)) => {
                this.run.end(|_, _| ());
                Poll::Ready(None)
            }
            Err(payload) => {
                this.run.end(|open, _| open.panicked(&*payload));
                resume_unwind(payload)
            }
        }
    }

    fn size_hint(&self) -> (usize, Option<usize>) {
        self.stream.size_hint()
    }
}

impl Unfinished {
    fn end(&mut self, how: impl FnOnce(&mut OpenSpan, &Items)) {
        let Some(run) = self.0.take() else { return };
        let Run { mut open, mut items } = *run;
        items.finish(&mut open);
        how(&mut open, &items);
        open.close();
    }
}

impl Drop for Unfinished {
    fn drop(&mut self) {
        let Some(run) = &mut self.0 else { return };
        run.open.leave_last();
        if run.open.is_polled() {
            // Who has seen enough makes no error, and who stops at an error cancels nothing.
            self.end(|open, items| {
                if !items.has_failed() {
                    Slot::metadata(open, "cancelled").json(&true);
                }
            });
        } else if let Some(run) = self.0.take() {
            close_unpolled(run.open);
        }
    }
}
