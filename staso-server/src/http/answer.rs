use std::{
    collections::VecDeque,
    convert::Infallible,
    io,
    pin::Pin,
    sync::Arc,
    task::{Context, Poll},
    time::Duration,
};

use axum::{
    body::{Body, Bytes, HttpBody},
    extract::{MatchedPath, Request, State},
    middleware::Next,
    response::{IntoResponse as _, Response},
};
use http_body_util::BodyExt as _;
use hyper::body::{Frame, SizeHint};
use tokio::{
    sync::{OwnedSemaphorePermit, Semaphore},
    time::timeout,
};

use super::{
    ApiError,
    guard::Gate,
    rules::{self, Rule},
    share::Share,
};

/// Answers up to this size are held as they are.
const SMALL: u64 = 128 << 10;

/// So much of a large answer is unpacked at a time.
const PIECE: usize = 64 << 10;

/// Fast, and a tenth or less of what spans and pages take.
const LEVEL: i32 = 1;

/// How long those are asked to wait for whose answer there was no room.
const RETRY_AFTER: Duration = Duration::from_secs(5);

/// How long a request may wait for its turn.
const PATIENCE: Duration = Duration::from_secs(20);

/// What answers take up together: those that are being made, and those that wait for their readers.
pub(super) struct Answers {
    turns: Arc<Semaphore>,
    /// Of the turns, those for answers as long as a trace. They are fewer: such an answer may take up much until it is
    /// packed, and others need not wait for it.
    whole_traces: Arc<Semaphore>,
    waiting: Arc<Semaphore>,
}

impl Answers {
    pub(super) fn new(at_once: usize, bytes: usize) -> Self {
        let semaphore = |permits| Arc::new(Semaphore::new(permits));
        Self {
            turns: semaphore(at_once),
            whole_traces: semaphore((at_once / 2).max(1)),
            waiting: semaphore(bytes.min(Semaphore::MAX_PERMITS)),
        }
    }

    /// A turn, until what is returned is dropped; `None` when it takes too long to come.
    async fn turn(&self, reads_whole_trace: bool) -> Option<Turn> {
        let turn = async {
            let whole_trace = if reads_whole_trace {
                Some(Arc::clone(&self.whole_traces).acquire_owned().await.ok()?)
            } else {
                None
            };
            let any = Arc::clone(&self.turns).acquire_owned().await.ok()?;
            Some(Turn { _any: any, _whole_trace: whole_trace })
        };
        timeout(PATIENCE, turn).await.ok()?
    }
}

struct Turn {
    _any: OwnedSemaphorePermit,
    _whole_trace: Option<OwnedSemaphorePermit>,
}

/// Makes the answers of reading requests a few at a time, and packs the large ones: whoever does not read theirs holds
/// little memory, and each connection a piece of it at a time.
pub(super) async fn in_turn(State(gate): State<Arc<Gate>>, request: Request, next: Next) -> Response {
    let route = request.extensions().get::<MatchedPath>();
    let Some(route) =
        route.filter(|route| matches!(rules::of(route.as_str()), Some(Rule::Data | Rule::Page)))
    else {
        return next.run(request).await;
    };
    let reads_whole_trace = rules::reads_whole_trace(route.as_str());
    let Some(_turn) = gate.answers.turn(reads_whole_trace).await else {
        return ApiError::overloaded(RETRY_AFTER).into_response();
    };
    let response = next.run(request).await;
    match response.body().size_hint().exact() {
        Some(size) if size > SMALL => pack(response, &gate.answers.waiting).await,
        _ => response,
    }
}

async fn pack(response: Response, waiting: &Arc<Semaphore>) -> Response {
    let (parts, body) = response.into_parts();
    let Ok(whole) = body.collect().await.map(|body| body.to_bytes()) else {
        return ApiError::overloaded(RETRY_AFTER).into_response();
    };
    let packing = tokio::task::spawn_blocking(move || Packed::of(&whole));
    let Ok(Ok(mut packed)) = packing.await else {
        return ApiError::overloaded(RETRY_AFTER).into_response();
    };
    let Some(room) = Share::take(waiting, packed.bytes) else {
        return ApiError::overloaded(RETRY_AFTER).into_response();
    };
    packed.room = Some(room);
    Response::from_parts(parts, Body::new(packed))
}

/// An answer that waits for its reader in compressed pieces, each of which is unpacked when it is its turn.
struct Packed {
    pieces: VecDeque<Box<[u8]>>,
    /// What is left, unpacked.
    left: usize,
    /// What the pieces take up.
    bytes: usize,
    room: Option<OwnedSemaphorePermit>,
}

impl Packed {
    fn of(whole: &[u8]) -> io::Result<Self> {
        let mut packer = zstd::bulk::Compressor::new(LEVEL)?;
        let pieces: VecDeque<Box<[u8]>> =
            whole.chunks(PIECE).map(|piece| Ok(packer.compress(piece)?.into())).collect::<io::Result<_>>()?;
        let bytes = pieces.iter().map(|piece| piece.len()).sum();
        Ok(Self { pieces, left: whole.len(), bytes, room: None })
    }

    fn next(&mut self) -> Option<Bytes> {
        let packed = self.pieces.pop_front()?;
        // What was packed here can be unpacked.
        let piece = zstd::bulk::decompress(&packed, PIECE).ok()?;
        self.left -= piece.len();
        if let Some(room) = &mut self.room {
            drop(room.split(packed.len()));
        }
        Some(piece.into())
    }
}

impl HttpBody for Packed {
    type Data = Bytes;
    type Error = Infallible;

    fn poll_frame(
        mut self: Pin<&mut Self>,
        _: &mut Context<'_>,
    ) -> Poll<Option<Result<Frame<Bytes>, Infallible>>> {
        Poll::Ready(self.next().map(|piece| Ok(Frame::data(piece))))
    }

    fn is_end_stream(&self) -> bool {
        self.pieces.is_empty()
    }

    fn size_hint(&self) -> SizeHint {
        SizeHint::with_exact(self.left as u64)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn answer(size: usize) -> Vec<u8> {
        (0..size).map(|index| b"{\"span_id\":\"0123456789abcdef\"}"[index % 30]).collect()
    }

    #[tokio::test]
    async fn a_large_answer_arrives_as_it_was_made_and_waits_in_little() {
        let whole = answer(10 * PIECE + 7);
        let packed = Packed::of(&whole).unwrap();
        assert!(packed.bytes < whole.len() / 10, "{}", packed.bytes);
        assert_eq!(packed.size_hint().exact(), Some(whole.len() as u64));
        assert_eq!(packed.collect().await.unwrap().to_bytes(), whole);
    }

    #[tokio::test(start_paused = true)]
    async fn whole_traces_leave_turns_to_what_is_small() {
        let answers = Answers::new(4, 0);
        let _whole = [answers.turn(true).await.unwrap(), answers.turn(true).await.unwrap()];
        assert!(answers.turn(true).await.is_none());
        assert!(answers.turn(false).await.is_some());
    }

    #[tokio::test]
    async fn answers_that_wait_share_the_room_and_give_it_back_piece_by_piece() {
        let whole = answer(4 * PIECE);
        let bytes = Packed::of(&whole).unwrap().bytes;
        let room = Arc::new(Semaphore::new(bytes));
        let ask = || pack(Body::from(whole.clone()).into_response(), &room);
        let mut first = ask().await.into_body();
        assert_eq!(ask().await.status(), http::StatusCode::TOO_MANY_REQUESTS);
        first.frame().await.unwrap().unwrap();
        assert!(room.available_permits() > 0);
        drop(first);
        assert!(ask().await.status().is_success());
    }
}
