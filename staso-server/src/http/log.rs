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

#[cfg(test)]
mod tests {
    use std::sync::{Arc, Mutex};

    use axum::{Router, body::Body, middleware, routing::post};
    use tower::ServiceExt as _;

    use super::*;
    use crate::http::ApiError;

    #[derive(Clone, Default)]
    struct Log(Arc<Mutex<Vec<u8>>>);

    impl std::io::Write for Log {
        fn write(&mut self, bytes: &[u8]) -> std::io::Result<usize> {
            self.0.lock().unwrap().extend_from_slice(bytes);
            Ok(bytes.len())
        }

        fn flush(&mut self) -> std::io::Result<()> {
            Ok(())
        }
    }

    #[tokio::test]
    async fn a_client_that_left_is_no_error() {
        let log = Log::default();
        let writer = log.clone();
        let subscriber =
            tracing_subscriber::fmt().with_ansi(false).with_writer(move || writer.clone()).finish();
        let _guard = tracing::subscriber::set_default(subscriber);
        let router = Router::new()
            .route("/left", post(async || ApiError::client_left("the body broke off")))
            .route("/bad", post(async || ApiError::bad_parameter("limit", "no number")))
            .layer(middleware::from_fn(requests));
        for path in ["/left", "/bad"] {
            let request = Request::post(path).body(Body::empty()).unwrap();
            assert_eq!(router.clone().oneshot(request).await.unwrap().status(), 400);
        }
        let log = String::from_utf8(log.0.lock().unwrap().clone()).unwrap();
        let statuses: Vec<&str> = log.split("status=").skip(1).filter_map(|rest| rest.get(..3)).collect();
        assert_eq!(statuses, ["499", "400"], "{log}");
        assert!(!log.contains("ERROR") && !log.contains("WARN"), "{log}");
    }
}
