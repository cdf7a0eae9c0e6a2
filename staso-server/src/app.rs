use axum::{
    Router,
    http::Uri,
    response::{IntoResponse as _, Response},
    routing::get,
};

use crate::{
    api,
    http::{self, ApiError, AppState, Guards},
    ingest,
    web::{self, PageError},
};

/// Every route, behind the guards.
pub fn router(state: AppState, guards: Guards) -> Router {
    let routes = Router::new()
        .merge(ingest::routes())
        .merge(api::routes())
        .merge(web::routes())
        .route("/healthz", get(http::health))
        .route("/readyz", get(http::ready))
        .fallback(nowhere);
    http::guarded(routes, state, guards)
}

/// What is not found is told in the language of who asks.
async fn nowhere(uri: Uri) -> Response {
    if uri.path().starts_with("/v1/") {
        ApiError::not_found("route").into_response()
    } else {
        PageError::from(ApiError::not_found("page")).into_response()
    }
}
