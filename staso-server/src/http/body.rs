use std::{
    fmt,
    pin::Pin,
    task::{Context, Poll},
    time::Duration,
};

use axum::{
    BoxError,
    body::{Bytes, HttpBody},
};
use hyper::body::{Frame, SizeHint};
use tokio::time::{Instant, Sleep, sleep};

/// The client stopped sending in the middle of a body.
#[derive(Debug)]
pub(crate) struct Stalled;

impl fmt::Display for Stalled {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("the body did not arrive in time")
    }
}

impl std::error::Error for Stalled {}

/// A body that fails when nothing of it arrives for some time, or not all of it within the whole time.
pub(super) struct ReadTimeout<B> {
    body: B,
    pause: Duration,
    end: Instant,
    deadline: Pin<Box<Sleep>>,
    waiting: bool,
}

impl<B> ReadTimeout<B> {
    pub(super) fn new(body: B, pause: Duration, whole: Duration) -> Self {
        Self { body, pause, end: Instant::now() + whole, deadline: Box::pin(sleep(pause)), waiting: false }
    }
}

impl<B> HttpBody for ReadTimeout<B>
where
    B: HttpBody<Data = Bytes> + Unpin,
    B::Error: Into<BoxError>,
{
    type Data = Bytes;
    type Error = BoxError;

    fn poll_frame(
        mut self: Pin<&mut Self>,
        cx: &mut Context<'_>,
    ) -> Poll<Option<Result<Frame<Bytes>, BoxError>>> {
        let this = &mut *self;
        if let Poll::Ready(frame) = Pin::new(&mut this.body).poll_frame(cx) {
            this.waiting = false;
            return Poll::Ready(frame.map(|frame| frame.map_err(Into::into)));
        }
        if !this.waiting {
            this.waiting = true;
            this.deadline.as_mut().reset(this.end.min(Instant::now() + this.pause));
        }
        this.deadline.as_mut().poll(cx).map(|()| Some(Err(Stalled.into())))
    }

    fn is_end_stream(&self) -> bool {
        self.body.is_end_stream()
    }

    fn size_hint(&self) -> SizeHint {
        self.body.size_hint()
    }
}

/// A body that ends when the server stops: one that would go on for ever.
pub(super) struct Until<B, F> {
    pub(super) body: B,
    pub(super) stop: Pin<Box<F>>,
}

impl<B, F> HttpBody for Until<B, F>
where
    B: HttpBody + Unpin,
    F: Future<Output = ()>,
{
    type Data = B::Data;
    type Error = B::Error;

    fn poll_frame(
        mut self: Pin<&mut Self>,
        cx: &mut Context<'_>,
    ) -> Poll<Option<Result<Frame<B::Data>, B::Error>>> {
        if self.stop.as_mut().poll(cx).is_ready() {
            return Poll::Ready(None);
        }
        Pin::new(&mut self.body).poll_frame(cx)
    }
}
