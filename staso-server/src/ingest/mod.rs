//! What SDKs send: spans and annotations, checked and handed to the store.

mod annotations;
mod array;
mod attributes;
mod body;
mod error;
mod field;
mod locate;
mod mend;
mod parse;
mod record;
mod span;
mod told;
mod traces;

use axum::{Router, routing::post};

pub use annotations::parse_annotation;
pub use error::ParseError;
pub use parse::{ParsedTrace, parse_request, parse_trace};

use crate::http::AppState;

/// The routes that take what SDKs send.
pub fn routes() -> Router<AppState> {
    Router::new()
        .route("/v1/traces/ingest", post(traces::ingest))
        .route("/v1/traces/{trace_id}/annotations", post(annotations::annotate))
}
