//! What pages of other sites can make a browser do.

use staso_server::http::{Guards, Limits, Mode, ROUTES, Rule};

use crate::backend::{Backend, one_span};

const INGEST: &str = "/v1/traces/ingest";

#[test]
fn a_write_from_a_page_elsewhere_is_refused() {
    let backend = Backend::local();
    let body = one_span("default", "t", "s").to_string();
    let post = |headers: &[(&str, &str)]| backend.send("POST", INGEST, headers, body.as_bytes()).status;
    assert_eq!(post(&[("Content-Type", "text/plain"), ("Origin", "https://evil.example")]), 403);
    assert_eq!(post(&[("Content-Type", "text/plain"), ("Origin", "null")]), 403);
    assert_eq!(
        post(&[("X-API-Key", "k"), ("Content-Type", "application/json"), ("Sec-Fetch-Site", "cross-site")]),
        403
    );
    // Without a header that browsers ask for first, nothing is written even without an origin.
    assert_eq!(post(&[("Content-Type", "application/json")]), 401);
    assert!(backend.traces("default").is_empty());
}

#[test]
fn a_form_of_a_page_elsewhere_is_refused() {
    let backend = Backend::local();
    let headers = [("Content-Type", "application/x-www-form-urlencoded"), ("Sec-Fetch-Site", "cross-site")];
    for path in ["/settings/workspaces", "/settings/keys", "/login", "/logout"] {
        assert_eq!(backend.send("POST", path, &headers, b"slug=x&name=x&key=x").status, 403, "{path}");
    }
}

#[test]
fn no_answer_allows_another_origin() {
    let backend = Backend::local();
    for (method, path) in [("OPTIONS", INGEST), ("GET", "/v1/traces"), ("GET", "/"), ("GET", "/nowhere")] {
        let headers = [
            ("Origin", "https://evil.example"),
            ("Access-Control-Request-Method", "POST"),
            ("Access-Control-Request-Headers", "x-api-key, content-type"),
        ];
        let reply = backend.send(method, path, &headers, b"");
        assert!(!reply.head.to_ascii_lowercase().contains("access-control-"), "{reply:?}");
    }
}

#[test]
fn every_answer_carries_the_headers_that_protect_browsers() {
    let backend = Backend::local();
    for path in ["/", "/v1/traces", "/healthz", "/nowhere", "/assets/app.css"] {
        let reply = backend.get(path, "k");
        let policy = reply.header("content-security-policy").unwrap();
        assert!(policy.starts_with("default-src 'none'; script-src 'self'; "), "{path}: {policy}");
        assert!(!policy.contains("unsafe"), "{path}: {policy}");
        assert_eq!(reply.header("x-content-type-options"), Some("nosniff"), "{path}");
        assert_eq!(reply.header("cross-origin-resource-policy"), Some("same-origin"), "{path}");
        assert!(reply.header("cache-control").is_some_and(|cache| cache.starts_with("no-")), "{path}");
    }
}

#[test]
fn no_route_answers_under_a_foreign_name() {
    let guards = Guards { hosts: vec!["staso.example".to_owned()], ..Guards::default() };
    let backend = Backend::start(Mode::Local, Limits::default(), guards);
    let foreign =
        ["evil.example", "localhost.evil.example", "127.0.0.1.evil.example:6999", "", "169.254.169.254"];
    let guarded = ROUTES.iter().filter(|(_, rule)| *rule != Rule::Probe);
    for (route, _) in guarded.chain(&[("/nowhere", Rule::Public)]) {
        let path = route.replace("{}", "x");
        for host in foreign {
            let reply = backend.send("GET", &path, &[("Host", host), ("X-API-Key", "k")], b"");
            assert_eq!(reply.status, 421, "{path} under `{host}`");
        }
    }
    for host in ["localhost:6999", "127.0.0.1", "[::1]:80", "staso.example", "STASO.example:8443"] {
        assert_eq!(backend.send("GET", "/login", &[("Host", host)], b"").status, 200, "{host}");
    }
}

#[test]
fn a_request_with_no_host_or_two_is_refused() {
    let backend = Backend::local();
    for request in [
        "GET /login HTTP/1.0\r\n\r\n",
        "GET /login HTTP/1.1\r\nHost: localhost\r\nHost: evil.example\r\nConnection: close\r\n\r\n",
        "GET http://evil.example/login HTTP/1.1\r\nHost: localhost\r\nConnection: close\r\n\r\n",
    ] {
        assert_eq!(backend.exchange(request.as_bytes()).status, 421, "{request}");
    }
}

#[test]
fn no_path_leads_out_of_the_assets() {
    let backend = Backend::local();
    for file in [
        "../Cargo.toml",
        "..%2fCargo.toml",
        "%2e%2e/Cargo.toml",
        "%2e%2e%2f%2e%2e%2fetc%2fpasswd",
        "..%5cCargo.toml",
        "app.css%00.js",
        "/etc/passwd",
        "%2fetc%2fpasswd",
        ".",
        "",
        "APP.CSS",
    ] {
        let reply = backend.get(&format!("/assets/{file}"), "k");
        assert!(matches!(reply.status, 400 | 404), "{file}: {reply:?}");
    }
    assert_eq!(backend.get("/assets/app.css", "k").status, 200);
}
