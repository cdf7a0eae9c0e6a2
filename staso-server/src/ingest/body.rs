use std::io::{self, Read};

use axum::{
    body::Body,
    http::{HeaderMap, StatusCode, header},
};
use flate2::read::{MultiGzDecoder, ZlibDecoder};

use crate::http::{ApiError, Intake, Room, read_whole};

/// How much is decompressed before its size is looked at.
const CHUNK: u64 = 256 << 10;

/// The whole body of a request, and the room that it takes up.
pub(super) struct Received {
    pub(super) text: String,
    pub(super) room: Room,
}

/// Reads the whole body of a JSON request, at most so many bytes, and undoes its compression.
pub(super) async fn read(
    headers: &HeaderMap,
    body: Body,
    intake: &Intake,
    limit: usize,
) -> Result<Received, ApiError> {
    if !is_json(headers) {
        let message = "send `Content-Type: application/json`";
        return Err(ApiError::new(StatusCode::UNSUPPORTED_MEDIA_TYPE, "not_json", message));
    }
    let encoding = Encoding::of(headers)?;
    let limit = limit.min(intake.one);
    let mut room = intake.room();
    let bytes = read_whole(body, limit, &mut room).await?;
    let (bytes, room) = match encoding {
        Encoding::Identity => (bytes, room),
        Encoding::Gzip => undo(MultiGzDecoder::new(io::Cursor::new(bytes)), limit, room).await?,
        Encoding::Deflate => undo(ZlibDecoder::new(io::Cursor::new(bytes)), limit, room).await?,
    };
    let (text, room) = decode(bytes, room)?;
    Ok(Received { text, room })
}

/// Text with U+FFFD where it is not UTF-8, as far as it looks like JSON. What does not, such as a body compressed
/// without a word, is refused.
fn decode(bytes: Vec<u8>, mut room: Room) -> Result<(String, Room), ApiError> {
    let error = match String::from_utf8(bytes) {
        Ok(text) => return Ok((text, room)),
        Err(error) => error,
    };
    if !error.as_bytes().trim_ascii_start().starts_with(b"{") {
        let valid_up_to = error.utf8_error().valid_up_to();
        return Err(bad_request(format!("the body is not UTF-8 from byte {valid_up_to} on")));
    }
    let text = String::from_utf8_lossy(error.as_bytes()).into_owned();
    room.grow(text.len().saturating_sub(error.as_bytes().len()))?;
    Ok((text, room))
}

fn is_json(headers: &HeaderMap) -> bool {
    let kind = headers.get(header::CONTENT_TYPE).and_then(|kind| kind.to_str().ok()).unwrap_or_default();
    let essence = kind.split(';').next().unwrap_or_default().trim();
    essence.eq_ignore_ascii_case("application/json")
}

#[derive(Clone, Copy)]
enum Encoding {
    Identity,
    Gzip,
    Deflate,
}

impl Encoding {
    fn of(headers: &HeaderMap) -> Result<Self, ApiError> {
        let Some(name) = headers.get(header::CONTENT_ENCODING) else { return Ok(Self::Identity) };
        let name = name.to_str().unwrap_or_default().trim().to_ascii_lowercase();
        match name.as_str() {
            "" | "identity" => Ok(Self::Identity),
            "gzip" | "x-gzip" => Ok(Self::Gzip),
            "deflate" => Ok(Self::Deflate),
            _ => {
                let message = "send the body as it is, or compressed once with gzip or deflate";
                Err(ApiError::new(StatusCode::UNSUPPORTED_MEDIA_TYPE, "unknown_encoding", message))
            }
        }
    }
}

/// Decompresses up to the limit, apart from the threads that serve connections.
async fn undo(
    mut decoder: impl Read + Send + 'static,
    limit: usize,
    mut room: Room,
) -> Result<(Vec<u8>, Room), ApiError> {
    let decompress = move || {
        let mut plain = Vec::new();
        loop {
            let before = plain.len();
            let read = (&mut decoder).take(CHUNK).read_to_end(&mut plain).map_err(|error| {
                bad_request(format!("the body is not compressed as its header says: {error}"))
            })?;
            if read == 0 {
                return Ok((plain, room));
            }
            if plain.len() > limit {
                return Err(too_large(limit));
            }
            room.grow(plain.len() - before)?;
        }
    };
    let stopped = |_| ApiError::new(StatusCode::INTERNAL_SERVER_ERROR, "interrupted", "the server stops");
    tokio::task::spawn_blocking(decompress).await.map_err(stopped)?
}

fn too_large(limit: usize) -> ApiError {
    let message = format!("the body is larger than {limit} bytes; send less in one request");
    ApiError::new(StatusCode::PAYLOAD_TOO_LARGE, "too_large", message)
}

fn bad_request(message: impl Into<String>) -> ApiError {
    ApiError::new(StatusCode::BAD_REQUEST, "bad_body", message)
}
