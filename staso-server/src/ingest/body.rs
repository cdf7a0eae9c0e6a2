use std::{error::Error as _, io::Read as _};

use axum::{
    body::{Body, HttpBody as _},
    http::{HeaderMap, StatusCode, header},
};
use bytes::{Bytes, BytesMut};
use flate2::read::{MultiGzDecoder, ZlibDecoder};
use http_body_util::BodyExt as _;

use crate::http::{ApiError, Stalled};

/// Reads the whole body of a JSON request and undoes its compression, up to `limit` bytes of either form.
pub(super) async fn read(headers: &HeaderMap, body: Body, limit: usize) -> Result<String, ApiError> {
    if !is_json(headers) {
        let message = "send `Content-Type: application/json`";
        return Err(ApiError::new(StatusCode::UNSUPPORTED_MEDIA_TYPE, "not_json", message));
    }
    let encoding = Encoding::of(headers)?;
    let bytes = collect(body, limit).await?;
    let text = match encoding {
        Encoding::Identity => bytes.into(),
        _ => tokio::task::spawn_blocking(move || decompress(&bytes, encoding, limit))
            .await
            .map_err(|_| bad_request("the body could not be decompressed"))??,
    };
    String::from_utf8(text).map_err(|error| {
        bad_request(format!("the body is not UTF-8 from byte {} on", error.utf8_error().valid_up_to()))
    })
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

/// Reads up to the limit. A body that announces more is refused before any of it is read.
async fn collect(mut body: Body, limit: usize) -> Result<Bytes, ApiError> {
    let announced = body.size_hint().lower();
    let announced = usize::try_from(announced).ok().filter(|bytes| *bytes <= limit);
    let mut bytes = BytesMut::with_capacity(announced.ok_or_else(|| too_large(limit))?.min(1 << 20));
    while let Some(frame) = body.frame().await {
        let frame = frame.map_err(|error| broken(&error))?;
        let Ok(data) = frame.into_data() else { continue };
        if bytes.len() + data.len() > limit {
            return Err(too_large(limit));
        }
        bytes.extend_from_slice(&data);
    }
    Ok(bytes.freeze())
}

fn decompress(bytes: &[u8], encoding: Encoding, limit: usize) -> Result<Vec<u8>, ApiError> {
    let most = limit as u64 + 1;
    let mut plain = Vec::new();
    let read = match encoding {
        Encoding::Identity => bytes.take(most).read_to_end(&mut plain),
        Encoding::Gzip => MultiGzDecoder::new(bytes).take(most).read_to_end(&mut plain),
        Encoding::Deflate => ZlibDecoder::new(bytes).take(most).read_to_end(&mut plain),
    };
    match read {
        Ok(_) if plain.len() > limit => Err(too_large(limit)),
        Ok(_) => Ok(plain),
        Err(error) => Err(bad_request(format!("the body is not compressed as its header says: {error}"))),
    }
}

fn too_large(limit: usize) -> ApiError {
    let message = format!("the body is larger than {limit} bytes; send fewer spans in one request");
    ApiError::new(StatusCode::PAYLOAD_TOO_LARGE, "too_large", message)
}

fn broken(error: &axum::Error) -> ApiError {
    let stalled = std::iter::successors(error.source(), |&error| error.source())
        .find_map(|error| error.downcast_ref::<Stalled>());
    match stalled {
        Some(stalled) => ApiError::new(StatusCode::REQUEST_TIMEOUT, "timeout", stalled.to_string()),
        None => bad_request(format!("the body broke off: {error}")),
    }
}

fn bad_request(message: impl Into<String>) -> ApiError {
    ApiError::new(StatusCode::BAD_REQUEST, "bad_body", message)
}
