use std::time::Duration;

use axum::{
    Json,
    http::{HeaderValue, StatusCode, header},
    response::{IntoResponse, Response},
};
use serde::Serialize;

use crate::store::StoreError;

/// An answer that is not a success: `{"error": {"code": …, "message": …, "path": …}}`.
#[derive(Debug)]
pub struct ApiError {
    status: StatusCode,
    code: &'static str,
    message: String,
    path: Option<String>,
    retry_after: Option<Duration>,
    client_left: bool,
}

impl ApiError {
    /// An answer with this status; `code` is for programs, `message` for people and says what to do.
    #[must_use]
    pub fn new(status: StatusCode, code: &'static str, message: impl Into<String>) -> Self {
        Self { status, code, message: message.into(), path: None, retry_after: None, client_left: false }
    }

    /// 429, the only answer that SDKs wait for.
    #[must_use]
    pub fn overloaded(retry_after: Duration) -> Self {
        StoreError::Overloaded { retry_after }.into()
    }

    /// 404. Also for what belongs to another workspace: whether it exists is not told.
    #[must_use]
    pub fn not_found(what: &str) -> Self {
        Self::new(StatusCode::NOT_FOUND, "not_found", format!("there is no such {what}"))
    }

    /// 400 for a request that its client did not finish. Most likely nobody reads it.
    #[must_use]
    pub fn client_left(message: impl Into<String>) -> Self {
        Self { client_left: true, ..Self::new(StatusCode::BAD_REQUEST, "bad_body", message) }
    }

    /// 400 for a query parameter.
    #[must_use]
    pub fn bad_parameter(name: &str, message: impl Into<String>) -> Self {
        Self::new(StatusCode::BAD_REQUEST, "bad_parameter", message).at(name)
    }

    /// Names the place in the request, such as `traces[0].spans[2].timestamp`.
    #[must_use]
    pub fn at(mut self, path: impl Into<String>) -> Self {
        self.path = Some(path.into());
        self
    }

    /// The status it answers with.
    #[must_use]
    pub fn status(&self) -> StatusCode {
        self.status
    }

    /// What is wrong and what to do, for people.
    #[must_use]
    pub fn message(&self) -> &str {
        &self.message
    }
}

/// Marks the answer to a client that left before it had said all, which is no failure of anyone.
#[derive(Clone, Copy, Debug)]
pub(super) struct ClientLeft;

impl From<StoreError> for ApiError {
    fn from(error: StoreError) -> Self {
        let (status, code) = match &error {
            StoreError::Overloaded { .. } => (StatusCode::TOO_MANY_REQUESTS, "overloaded"),
            StoreError::Full => (StatusCode::INSUFFICIENT_STORAGE, "disk_full"),
            StoreError::BadCursor => (StatusCode::BAD_REQUEST, "bad_cursor"),
            StoreError::TooManyAnnotations => (StatusCode::CONFLICT, "too_many_annotations"),
            StoreError::WorkspaceExists(_) => (StatusCode::CONFLICT, "workspace_exists"),
            StoreError::NoSuchWorkspace(_) => (StatusCode::NOT_FOUND, "not_found"),
            StoreError::Closed => (StatusCode::TOO_MANY_REQUESTS, "closing"),
            StoreError::Engine(reason) => {
                tracing::error!(reason, "the store failed");
                let message = "the store failed; the server's log says why";
                return Self::new(StatusCode::INTERNAL_SERVER_ERROR, "store_failed", message);
            }
        };
        let retry_after = match &error {
            StoreError::Overloaded { retry_after } => Some(*retry_after),
            StoreError::Closed => Some(Duration::from_secs(1)),
            _ => None,
        };
        Self { retry_after, ..Self::new(status, code, error.to_string()) }
    }
}

#[derive(Serialize)]
struct Body<'a> {
    error: Detail<'a>,
}

#[derive(Serialize)]
struct Detail<'a> {
    code: &'a str,
    message: &'a str,
    #[serde(skip_serializing_if = "Option::is_none")]
    path: Option<&'a str>,
}

impl IntoResponse for ApiError {
    fn into_response(self) -> Response {
        let detail = Detail { code: self.code, message: &self.message, path: self.path.as_deref() };
        let mut response = (self.status, Json(Body { error: detail })).into_response();
        if self.client_left {
            response.extensions_mut().insert(ClientLeft);
        }
        if let Some(wait) = self.retry_after {
            response
                .headers_mut()
                .insert(header::RETRY_AFTER, HeaderValue::from(wait.as_secs().clamp(1, 60)));
        }
        response
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn overload_is_answered_in_the_one_way_that_clients_wait_for() {
        for (seconds, expected) in [(0, "1"), (7, "7"), (3600, "60")] {
            let overloaded = StoreError::Overloaded { retry_after: Duration::from_secs(seconds) };
            let response = ApiError::from(overloaded).into_response();
            assert_eq!(response.status(), StatusCode::TOO_MANY_REQUESTS);
            assert_eq!(response.headers()[header::RETRY_AFTER], expected);
        }
    }

    #[test]
    fn a_full_disk_is_no_fault_of_the_client() {
        assert_eq!(ApiError::from(StoreError::Full).status(), StatusCode::INSUFFICIENT_STORAGE);
    }
}
