use std::{
    error::Error as _,
    fmt,
    pin::Pin,
    sync::Arc,
    task::{Context, Poll},
    time::Duration,
};

use axum::{
    BoxError,
    body::{Body, Bytes, HttpBody},
    http::StatusCode,
};
use http_body_util::BodyExt as _;
use hyper::body::{Frame, Incoming, SizeHint};
use tokio::time::{Instant, Sleep, sleep, timeout};

use super::{ApiError, Room, connections::Pulse};

/// Reads up to the limit. A body that announces more is refused before any of it is read.
///
/// # Errors
///
/// 413 beyond the limit, 429 without room, 408 when it does not arrive in time, 400 when it breaks off.
pub(crate) async fn read_whole(mut body: Body, limit: usize, room: &mut Room) -> Result<Vec<u8>, ApiError> {
    let announced = body.size_hint();
    if announced.lower() > limit as u64 {
        return Err(too_large(limit));
    }
    let most = announced.upper().map_or(limit, |upper| limit.min(usize::try_from(upper).unwrap_or(limit)));
    let mut bytes = Vec::new();
    while let Some(frame) = body.frame().await {
        let Ok(data) = frame.map_err(|error| broken(&error))?.into_data() else { continue };
        let length = bytes.len() + data.len();
        if length > limit {
            return Err(too_large(limit));
        }
        // What is taken up counts, not what is filled.
        if length > bytes.capacity() {
            let capacity = (length + length / 4).min(most).max(length);
            room.grow(capacity - bytes.capacity())?;
            bytes.reserve_exact(capacity - bytes.len());
        }
        bytes.extend_from_slice(&data);
    }
    Ok(bytes)
}

fn too_large(limit: usize) -> ApiError {
    let message = format!("the body is larger than {limit} bytes; send less in one request");
    ApiError::new(StatusCode::PAYLOAD_TOO_LARGE, "too_large", message)
}

fn broken(error: &axum::Error) -> ApiError {
    let stalled = std::iter::successors(error.source(), |&error| error.source())
        .find_map(|error| error.downcast_ref::<Stalled>());
    match stalled {
        Some(stalled) => ApiError::new(StatusCode::REQUEST_TIMEOUT, "timeout", stalled.to_string()),
        None => ApiError::client_left(format!("the body broke off: {error}")),
    }
}

/// The client stopped sending in the middle of a body.
#[derive(Debug)]
struct Stalled;

impl fmt::Display for Stalled {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("the body did not arrive in time")
    }
}

impl std::error::Error for Stalled {}

/// How long a body may take, with pauses and in all.
#[derive(Clone, Copy)]
pub(super) struct Patience {
    pub(super) pause: Duration,
    pub(super) whole: Duration,
}

/// The body of a request, which fails when nothing of it arrives for some time, or not all of it within the whole time.
///
/// What is left when it is dropped is read and thrown away: many clients look for an answer only once they have sent
/// everything, and take a connection that is closed before for a broken one.
pub(super) struct Upload {
    /// `None` once there is nothing left to read.
    body: Option<Incoming>,
    patience: Patience,
    end: Instant,
    deadline: Pin<Box<Sleep>>,
    waiting: bool,
    /// Whether the client holds the body back until the server asks for it.
    held_back: bool,
    pulse: Arc<Pulse>,
}

impl Upload {
    /// A longer rest is not waited for.
    const LONGEST_REST: u64 = 256 << 20;
    /// How long the rest may pause.
    const REST_PAUSE: Duration = Duration::from_secs(2);

    pub(super) fn new(body: Incoming, held_back: bool, patience: Patience, pulse: Arc<Pulse>) -> Self {
        let end = Instant::now() + patience.whole;
        let body = Some(body).filter(|body| !body.is_end_stream());
        Self {
            body,
            patience,
            end,
            deadline: Box::pin(sleep(patience.pause)),
            waiting: false,
            held_back,
            pulse,
        }
    }

    async fn throw_away(mut body: Incoming, end: Instant) {
        let mut left = Self::LONGEST_REST;
        while let Ok(Some(Ok(frame))) = timeout(Self::REST_PAUSE, body.frame()).await {
            let read = frame.data_ref().map_or(0, |data| data.len() as u64);
            left = left.saturating_sub(read);
            if left == 0 || Instant::now() > end {
                return;
            }
        }
    }
}

impl Drop for Upload {
    fn drop(&mut self) {
        let Some(body) = self.body.take().filter(|body| body.size_hint().lower() <= Self::LONGEST_REST)
        else {
            return;
        };
        if !self.held_back
            && let Ok(runtime) = tokio::runtime::Handle::try_current()
        {
            runtime.spawn(Self::throw_away(body, self.end));
        }
    }
}

impl HttpBody for Upload {
    type Data = Bytes;
    type Error = BoxError;

    fn poll_frame(
        mut self: Pin<&mut Self>,
        cx: &mut Context<'_>,
    ) -> Poll<Option<Result<Frame<Bytes>, BoxError>>> {
        let this = &mut *self;
        let Some(body) = &mut this.body else { return Poll::Ready(None) };
        this.held_back = false;
        if let Poll::Ready(frame) = Pin::new(body).poll_frame(cx) {
            this.waiting = false;
            this.pulse.works();
            if !matches!(frame, Some(Ok(_))) {
                this.body = None;
            }
            return Poll::Ready(frame.map(|frame| frame.map_err(Into::into)));
        }
        if !this.waiting {
            this.waiting = true;
            this.pulse.waits();
            this.deadline.as_mut().reset(this.end.min(Instant::now() + this.patience.pause));
        }
        this.deadline.as_mut().poll(cx).map(|()| {
            this.body = None;
            Some(Err(Stalled.into()))
        })
    }

    fn is_end_stream(&self) -> bool {
        self.body.as_ref().is_none_or(HttpBody::is_end_stream)
    }

    fn size_hint(&self) -> SizeHint {
        self.body.as_ref().map_or_else(|| SizeHint::with_exact(0), HttpBody::size_hint)
    }
}

/// A body that ends with something else: one that would go on for ever.
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
