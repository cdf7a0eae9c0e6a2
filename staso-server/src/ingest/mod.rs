//! What SDKs send: spans and annotations.

use axum::Router;

use crate::http::AppState;

/// The routes that take what SDKs send.
#[must_use]
pub fn routes() -> Router<AppState> {
    Router::new()
}
