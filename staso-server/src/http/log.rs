use axum::{
    body::HttpBody as _,
    extract::{MatchedPath, Request},
    middleware::Next,
    response::Response,
};
use tokio::time::Instant;

use super::error::ClientLeft;

/// What the log says of a request that its client did not finish, as other servers do: an answer that nobody reads is none
/// of the errors that operators count.
const CLIENT_LEFT: u16 = 499;

/// Says of each request what was asked and what came of it. The route stands for the path, which may hold
/// what only the caller should know; headers, queries and bodies are never named.
pub(super) async fn requests(request: Request, next: Next) -> Response {
    let started = Instant::now();
    let method = request.method().clone();
    let route = request.extensions().get::<MatchedPath>().cloned();
    let response = next.run(request).await;
    let client_left = response.extensions().get::<ClientLeft>().is_some();
    tracing::info!(
        method = method.as_str(),
        route = route.as_ref().map_or("-", MatchedPath::as_str),
        status = if client_left { CLIENT_LEFT } else { response.status().as_u16() },
        micros = u64::try_from(started.elapsed().as_micros()).unwrap_or(u64::MAX),
        bytes = response.body().size_hint().exact(),
        "request"
    );
    response
}
