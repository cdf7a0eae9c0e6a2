use std::sync::Arc;

use axum::{
    extract::{Request, State},
    http::{HeaderMap, HeaderValue, StatusCode, header},
    middleware::Next,
    response::{IntoResponse, Response},
};

use super::{ApiError, guard::Gate};

/// Refuses what a page elsewhere makes a browser send, unless it only reads. There are no CORS headers, so
/// such a page cannot see what it reads.
pub(super) async fn same_origin(State(gate): State<Arc<Gate>>, request: Request, next: Next) -> Response {
    if request.method().is_safe() || is_own(request.headers(), &gate.guards.hosts) {
        return next.run(request).await;
    }
    let message = "a page of another site sent this; open the server's own pages, or leave out `Origin`";
    ApiError::new(StatusCode::FORBIDDEN, "foreign_origin", message).into_response()
}

/// Whether no browser sent it, or a browser on behalf of the server's own page or of its user.
fn is_own(headers: &HeaderMap, hosts: &[String]) -> bool {
    let site = headers.get("sec-fetch-site").map(HeaderValue::as_bytes);
    if site.is_some_and(|site| site != b"same-origin" && site != b"none") {
        return false;
    }
    let Some(origin) = headers.get(header::ORIGIN) else { return true };
    let Some(authority) = origin.to_str().ok().and_then(|origin| Some(origin.split_once("://")?.1)) else {
        return false;
    };
    let host = headers.get(header::HOST).and_then(|host| host.to_str().ok());
    host.into_iter().chain(hosts.iter().map(String::as_str)).any(|own| own.eq_ignore_ascii_case(authority))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn only_the_own_origin_may_write() {
        let own =
            |site: Option<&'static str>, origin: Option<&'static str>| {
                let mut headers = HeaderMap::new();
                headers.insert(header::HOST, HeaderValue::from_static("localhost:6999"));
                for (name, value) in [("sec-fetch-site", site), ("origin", origin)] {
                    headers.extend(value.map(|value| {
                        (header::HeaderName::from_static(name), HeaderValue::from_static(value))
                    }));
                }
                is_own(&headers, &["staso.example".to_owned()])
            };
        assert!(own(None, None));
        assert!(own(Some("none"), None));
        assert!(own(Some("same-origin"), Some("http://localhost:6999")));
        assert!(own(Some("same-origin"), Some("https://staso.example")));
        assert!(!own(Some("same-site"), Some("http://localhost:7000")));
        assert!(!own(Some("cross-site"), None));
        assert!(!own(None, Some("null")));
        assert!(!own(None, Some("http://localhost")));
        assert!(!own(None, Some("https://evil.example")));
        assert!(!own(None, Some("http://localhost:6999.evil.example")));
    }
}
