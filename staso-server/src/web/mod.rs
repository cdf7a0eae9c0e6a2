//! The dashboard: pages rendered on the server, one file each.

pub mod assets;
mod conversation;
mod error;
pub mod format;
pub mod layout;
mod link;
mod span;
mod trace;

use axum::{Router, routing::get};

pub use error::PageError;
pub use layout::{PageContext, Section};
pub use link::Link;

use crate::http::AppState;

/// Every page, and the files that pages load.
#[must_use]
pub fn routes() -> Router<AppState> {
    Router::new()
        .route("/assets/{file}", get(assets::serve))
        .route("/traces/{trace_id}", get(trace::page))
        .route("/traces/{trace_id}/rows", get(trace::rows))
        .route("/traces/{trace_id}/spans/{span_id}", get(trace::span))
        .route("/conversations/{id}", get(conversation::page))
}
