//! What SDKs send: spans and annotations, checked and handed to the store.

mod annotations;
mod array;
mod attributes;
mod body;
mod error;
mod field;
mod inherit;
mod locate;
mod mend;
mod parse;
mod record;
mod span;
mod told;
mod traces;

use axum::{Router, routing::post};
use serde_json::value::RawValue;

pub use annotations::parse_annotation;
pub use error::ParseError;
pub use parse::{ParsedTrace, parse_request, parse_trace};

use crate::{http::AppState, model::SpanHead, pricing::Prices};

/// What the backend takes out of a span's record, which it stored as it came. `None` when this version would have
/// refused it.
#[must_use]
pub fn derive(record: &RawValue, prices: &Prices) -> Option<SpanHead> {
    Some(span::parse(record, prices).ok()?.head)
}

/// The routes that take what SDKs send.
pub fn routes() -> Router<AppState> {
    Router::new()
        .route("/v1/traces/ingest", post(traces::ingest))
        .route("/v1/traces/{trace_id}/annotations", post(annotations::annotate))
}
