//! Who may see and write what.

use serde_json::json;
use staso_server::http::{ROUTES, Rule};

use crate::backend::{Backend, Reply, one_span};

/// A path of the route. The trace and span are those that the tests store.
fn path_of(route: &str) -> String {
    let route = route.replace("/v1/traces/{}/spans/{}", "/v1/traces/t/spans/s");
    let route = route.replace("/traces/{}", "/traces/t").replace("/conversations/{}", "/conversations/talk");
    route.replace("/agents/{}", "/agents/planner").replace("{}", "1")
}

fn method_of(route: &str, rule: Rule) -> &'static str {
    let is_form = rule == Rule::Page && route.starts_with("/settings/");
    if is_form || rule == Rule::Write { "POST" } else { "GET" }
}

fn is_refused(rule: Rule, reply: &Reply) -> bool {
    match rule {
        Rule::Public | Rule::Probe => true,
        Rule::Page => {
            let login = reply.header("location").unwrap_or_default();
            reply.status == 303 && (login == "/login" || login.starts_with("/login?next=%2F"))
        }
        Rule::Data | Rule::Write => reply.status == 401,
    }
}

#[test]
fn no_route_opens_without_a_key() {
    let backend = Backend::with_keys();
    let key = backend.key(None);
    backend.post("/v1/traces/ingest", &key, &one_span("default", "t", "s"));
    for &(route, rule) in ROUTES {
        for method in ["GET", "POST", "PUT", "DELETE", "HEAD"] {
            for headers in [
                &[][..],
                &[("X-API-Key", "staso_not-a-key-that-anybody-made")],
                &[("Authorization", "Bearer x")],
                &[("Authorization", &*format!("Basic {key}"))],
                &[("Cookie", "staso_session=guess")],
                &[("X-API-Key", "")],
            ] {
                let reply = backend.send(method, &path_of(route), headers, b"");
                assert!(is_refused(rule, &reply), "{method} {route} {headers:?}: {reply:?}");
            }
        }
    }
}

#[test]
fn every_described_route_has_a_rule_and_every_rule_a_route() {
    for path in staso_server::api::paths() {
        let known = ROUTES.iter().any(|(route, rule)| {
            *rule == Rule::Data && route.split('/').count() == path.split('/').count() && {
                let mut segments = route.split('/').zip(path.split('/'));
                segments.all(|(ours, theirs)| ours == theirs || (ours == "{}" && theirs.starts_with('{')))
            }
        });
        assert!(known, "{path}");
    }
    // An unknown path answers 404 before anybody asks for a key.
    let backend = Backend::with_keys();
    for &(route, rule) in ROUTES.iter().filter(|(_, rule)| !matches!(rule, Rule::Public | Rule::Probe)) {
        let reply = backend.send("GET", &path_of(route), &[], b"");
        assert!(is_refused(rule, &reply), "{route}: {reply:?}");
    }
}

#[test]
fn a_key_of_one_workspace_opens_nothing_of_another() {
    let backend = Backend::with_keys();
    let (own, other) = (backend.key(Some("a")), backend.key(Some("b")));
    assert_eq!(backend.post("/v1/traces/ingest", &own, &one_span("a", "t", "s")).status, 200);
    for &(route, rule) in ROUTES.iter().filter(|(_, rule)| matches!(rule, Rule::Data | Rule::Page)) {
        let path = path_of(route);
        let administers = path.starts_with("/settings");
        if path == "/openapi.json" {
            continue;
        }
        let ask = |key: &str, query: &str| {
            backend.send(method_of(route, rule), &format!("{path}{query}"), &[("X-API-Key", key)], b"").status
        };
        if administers {
            assert!((400..500).contains(&ask(&other, "")), "{route}");
            assert!((400..500).contains(&ask(&own, "")), "{route}: settings are the organization's");
            continue;
        }
        if path == "/v1/workspaces" {
            let seen = backend.get(&path, &other).body;
            assert!(!seen.contains("\"a\"") && seen.contains("\"b\""), "{seen}");
            continue;
        }
        assert_eq!(ask(&other, "?workspace=a"), 404, "{route}");
        assert_eq!(ask(&other, "?workspace=nothing"), 404, "{route}");
        if route.ends_with("{}") || route.ends_with("/spans") {
            let existing = route != "/agents/{}";
            assert!(!existing || ask(&other, "") == 404, "{route}");
        }
    }
}

#[test]
fn a_live_stream_of_another_workspace_does_not_open() {
    let backend = Backend::with_keys();
    let (_, other) = (backend.key(Some("a")), backend.key(Some("b")));
    assert_eq!(backend.get("/v1/live?workspace=a", &other).status, 404);
}

#[test]
fn a_key_of_one_workspace_writes_there_only() {
    let backend = Backend::with_keys();
    let (own, other) = (backend.key(Some("a")), backend.key(Some("b")));
    let reply = backend.post("/v1/traces/ingest", &other, &one_span("a", "t", "s"));
    assert_eq!((reply.status, reply.error().1.as_str()), (403, "traces[0].workspace_slug"));
    let mut mixed = one_span("b", "t", "s");
    let foreign = one_span("a", "u", "s")["traces"][0].take();
    mixed["traces"].as_array_mut().unwrap().push(foreign);
    assert_eq!(backend.post("/v1/traces/ingest", &other, &mixed).status, 403);
    assert!(backend.traces("a").is_empty() && backend.traces("b").is_empty());

    assert_eq!(backend.post("/v1/traces/ingest", &own, &one_span("", "t", "s")).status, 200);
    assert_eq!(backend.traces("a").len(), 1);
    let judgement = json!({ "name": "quality", "value": 1 });
    assert_eq!(backend.post("/v1/traces/t/annotations", &other, &judgement).status, 201);
    assert!(backend.trace("a", "t").unwrap().annotations.is_empty());
    assert_eq!(backend.post("/v1/traces/t/annotations", &own, &judgement).status, 201);
    assert_eq!(backend.trace("a", "t").unwrap().annotations.len(), 1);
}

#[test]
fn a_workspace_that_does_not_exist_is_made_on_ones_own_machine_only() {
    let body = one_span("new", "t", "s");
    let local = Backend::local();
    assert_eq!(local.post("/v1/traces/ingest", "any", &body).status, 200);
    assert_eq!(local.traces("new").len(), 1);
    let team = Backend::with_keys();
    let reply = team.post("/v1/traces/ingest", &team.key(None), &body);
    assert_eq!(reply.status, 403);
    assert!(reply.body.contains("staso workspace create new"), "{reply:?}");
}

#[test]
fn a_key_in_either_header_opens_and_a_revoked_one_does_not() {
    let backend = Backend::with_keys();
    let key = backend.key(None);
    let bearer = format!("Bearer {key}");
    for header in [("X-API-Key", &*key), ("Authorization", &*bearer)] {
        assert_eq!(backend.send("GET", "/v1/traces", &[header], b"").status, 200);
    }
    backend.revoke_all_keys();
    assert_eq!(backend.get("/v1/traces", &key).status, 401);
}

#[test]
fn a_browser_signs_in_reads_and_signs_out() {
    let backend = Backend::with_keys();
    let key = backend.key(None);
    let cookie = sign_in(&backend, &key).expect("a cookie");
    let with_cookie = |method: &str, path: &str| backend.send(method, path, &[("Cookie", &cookie)], b"");
    assert_eq!(with_cookie("GET", "/v1/traces").status, 200);
    let write = backend.send(
        "POST",
        "/v1/traces/ingest",
        &[("Cookie", &cookie), ("Content-Type", "application/json")],
        one_span("default", "t", "s").to_string().as_bytes(),
    );
    assert_eq!(write.status, 401, "a session is not for SDKs");
    assert_eq!(with_cookie("POST", "/logout").status, 303);
    assert_eq!(with_cookie("GET", "/v1/traces").status, 401);
}

#[test]
fn a_session_ends_with_the_key_that_opened_it() {
    let backend = Backend::with_keys();
    let cookie = sign_in(&backend, &backend.key(None)).expect("a cookie");
    backend.revoke_all_keys();
    assert_eq!(backend.send("GET", "/v1/traces", &[("Cookie", &cookie)], b"").status, 401);
}

#[test]
fn a_wrong_key_opens_no_session() {
    let backend = Backend::with_keys();
    for key in ["", "x", "staso_not-a-key-that-anybody-made"] {
        assert_eq!(sign_in(&backend, key), None);
    }
}

#[test]
fn b16_a_link_leads_to_its_page_once_its_reader_has_signed_in() {
    let backend = Backend::with_keys();
    let key = backend.key(None);
    backend.post("/v1/traces/ingest", &key, &one_span("default", "abc", "s"));
    for page in ["/traces/abc?span=s", "/traces?status=error&text=a%20b%26c", "/conversations/a%2F%2Fb", "/"]
    {
        let asked = backend.send("GET", page, &[], b"");
        assert_eq!(asked.status, 303);
        let login = asked.header("location").unwrap();
        assert_eq!(login == "/login", page == "/", "{login}");
        let form = backend.send("GET", login, &[], b"").body;
        let next = form.split("name=\"next\" value=\"").nth(1).and_then(|rest| rest.split('"').next());
        let next = next.unwrap_or("/").replace("&amp;", "&");
        assert_eq!(next, page);
        // A mistake in the key does not lose it.
        let next: String = form_urlencoded::byte_serialize(next.as_bytes()).collect();
        let wrong = log_in(&backend, &format!("key=staso_wrong-key&next={next}"));
        assert!(wrong.status == 401 && wrong.body.contains("name=\"next\""), "{wrong:?}");
        let reply = log_in(&backend, &format!("key={key}&next={next}"));
        assert_eq!((reply.status, reply.header("location")), (303, Some(page)));
    }
    // A link in a message arrives with the cookie: it is sent with what a reader follows, and with no form of others.
    let cookie = sign_in(&backend, &key).unwrap();
    let from_a_message =
        [("Cookie", &*cookie), ("Sec-Fetch-Site", "cross-site"), ("Sec-Fetch-Mode", "navigate")];
    assert_eq!(backend.send("GET", "/traces/abc", &from_a_message, b"").status, 200);
    for path in ["/settings/workspaces", "/settings/keys", "/settings/keys/1/revoke", "/logout"] {
        for elsewhere in [
            ("Sec-Fetch-Site", "cross-site"),
            ("Sec-Fetch-Site", "same-site"),
            ("Origin", "https://evil.example"),
        ] {
            let headers =
                [("Cookie", &*cookie), ("Content-Type", "application/x-www-form-urlencoded"), elsewhere];
            assert_eq!(
                backend.send("POST", path, &headers, b"slug=x&name=x&workspace=").status,
                403,
                "{path}"
            );
        }
    }
    assert_eq!(backend.send("GET", "/traces", &[("Cookie", &cookie)], b"").status, 200);
}

#[test]
fn b16_signing_in_leads_to_no_other_site() {
    let backend = Backend::with_keys();
    let key = backend.key(None);
    for next in [
        "%2F%2Fevil.example",
        "%2F%5Cevil.example",
        "https%3A%2F%2Fevil.example",
        "%2F%252f%252fevil.example",
        "%2F%09%2Fevil.example",
        "%2F%0D%0ALocation%3A%20%2F%2Fevil.example",
        "javascript%3Aalert(1)",
        "%2Flogin%3Fnext%3D%2Flogin",
        "",
    ] {
        let reply = log_in(&backend, &format!("key={key}&next={next}"));
        assert_eq!((reply.status, reply.header("location")), (303, Some("/")), "{next}");
        let form = backend.send("GET", &format!("/login?next={next}"), &[], b"");
        assert!(form.status == 200 && !form.body.contains("name=\"next\""), "{next}: {form:?}");
    }
    // Only what can be asked for again is led to.
    let headers = [("Content-Type", "application/x-www-form-urlencoded")];
    let post = backend.send("POST", "/settings/keys", &headers, b"name=x&workspace=");
    assert_eq!(post.header("location"), Some("/login"));
}

fn log_in(backend: &Backend, form: &str) -> Reply {
    let headers = [("Content-Type", "application/x-www-form-urlencoded")];
    backend.send("POST", "/login", &headers, form.as_bytes())
}

fn sign_in(backend: &Backend, key: &str) -> Option<String> {
    let reply = log_in(backend, &format!("key={key}"));
    let cookie = reply.header("set-cookie")?.to_owned();
    assert_eq!(reply.status, 303);
    for attribute in ["; HttpOnly", "; SameSite=Lax", "; Path=/", "; Max-Age=43200"] {
        assert!(cookie.contains(attribute), "{cookie}");
    }
    cookie.split(';').next().map(str::to_owned)
}
