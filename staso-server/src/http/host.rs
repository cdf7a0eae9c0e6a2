use std::{net::IpAddr, sync::Arc};

use axum::{
    extract::{MatchedPath, Request, State},
    http::{StatusCode, header, request::Parts},
    middleware::Next,
    response::{IntoResponse, Response},
};

use super::{
    ApiError,
    guard::Gate,
    rules::{self, Rule},
};

/// Refuses calls under a name that is not the server's own: DNS rebinding makes a browser send them.
pub(super) async fn known_host(State(gate): State<Arc<Gate>>, request: Request, next: Next) -> Response {
    let route = request.extensions().get::<MatchedPath>();
    if route.and_then(|route| rules::of(route.as_str())) == Some(Rule::Probe) {
        return next.run(request).await;
    }
    let (parts, body) = request.into_parts();
    match authorities(&parts) {
        Some(named) if named.iter().all(|authority| is_known(authority, &gate.guards.hosts)) => {
            next.run(Request::from_parts(parts, body)).await
        }
        _ => {
            let message = "this server does not answer under that name; name it with --allow-host, or call it as localhost";
            ApiError::new(StatusCode::MISDIRECTED_REQUEST, "unknown_host", message).into_response()
        }
    }
}

/// The one `Host` header, and the host in the request line if it has one.
fn authorities(parts: &Parts) -> Option<Vec<&str>> {
    let mut hosts = parts.headers.get_all(header::HOST).iter();
    let host = hosts.next()?.to_str().ok()?;
    if hosts.next().is_some() {
        return None;
    }
    Some(std::iter::once(host).chain(parts.uri.authority().map(|authority| authority.as_str())).collect())
}

fn is_known(authority: &str, configured: &[String]) -> bool {
    let Some(name) = name_of(authority) else { return false };
    is_loopback(name)
        || configured
            .iter()
            .any(|host| host.eq_ignore_ascii_case(authority) || host.eq_ignore_ascii_case(name))
}

/// The authority without its port; `None` when it is not of the form `name[:port]`.
fn name_of(authority: &str) -> Option<&str> {
    let (name, port) = match authority.rfind(':') {
        Some(colon) if !authority.ends_with(']') => authority.split_at(colon),
        _ => (authority, ":"),
    };
    let digits = port.strip_prefix(':')?;
    let bracketed = name.starts_with('[') && name.ends_with(']');
    let plain = !name.is_empty() && !name.contains(['[', ']', ':', '@', '/']);
    (digits.bytes().all(|byte| byte.is_ascii_digit()) && (bracketed || plain)).then_some(name)
}

fn is_loopback(name: &str) -> bool {
    name.eq_ignore_ascii_case("localhost")
        || name.trim_matches(['[', ']']).parse::<IpAddr>().is_ok_and(|address| address.is_loopback())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn loopback_and_configured_names_are_known_with_any_port() {
        let configured = ["staso.example".to_owned(), "10.0.0.5:6999".to_owned()];
        for authority in [
            "localhost",
            "LocalHost:6999",
            "127.0.0.1:1",
            "127.8.9.10",
            "[::1]",
            "[::1]:80",
            "staso.example",
            "STASO.example:443",
            "10.0.0.5:6999",
        ] {
            assert!(is_known(authority, &configured), "{authority}");
        }
    }

    #[test]
    fn other_names_are_not_known() {
        let configured = ["staso.example".to_owned(), "10.0.0.5:6999".to_owned()];
        for authority in [
            "",
            ":80",
            "evil.example",
            "localhost.evil.example",
            "evil.example:80@localhost",
            "localhost@evil.example",
            "localhost:80:80",
            "localhost:x",
            "127.0.0.1.evil.example",
            "10.0.0.5",
            "10.0.0.5:7000",
            "0.0.0.0",
            "[::]",
            "[::1",
            "x.localhost",
            "localhost/",
        ] {
            assert!(!is_known(authority, &configured), "{authority}");
        }
    }
}
