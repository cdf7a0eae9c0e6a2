//! What senders write that is not as SDKs of today write it: it is shown for what it is, and costs no batch.

use serde_json::{Value, json};

use crate::backend::{Backend, Reply, one_span};

/// Spans of one trace, each with these fields in place of the ordinary ones.
fn trace(id: &str, spans: &[Value]) -> Value {
    let mut body = one_span("default", id, "s");
    let ordinary = body["traces"][0]["spans"][0].take();
    let span = |(number, fields): (usize, &Value)| {
        let mut span = ordinary.clone();
        span["span_id"] = json!(format!("s{number}"));
        for (key, value) in fields.as_object().unwrap() {
            span[key] = value.clone();
        }
        span
    };
    body["traces"][0]["spans"] = spans.iter().enumerate().map(span).collect();
    body
}

/// Stores the spans as a trace. What a list shows of it.
fn stored(backend: &Backend, id: &str, spans: &[Value]) -> Value {
    let reply = backend.post("/v1/traces/ingest", "k", &trace(id, spans));
    assert_eq!(reply.status, 200, "{reply:?}");
    backend.get(&format!("/v1/traces/{id}"), "k").json()["summary"].take()
}

fn in_folder() -> (tempfile::TempDir, Backend) {
    let folder = tempfile::tempdir().unwrap();
    let backend = Backend::in_folder(folder.path());
    (folder, backend)
}

#[test]
fn b5_status_words() {
    let (_folder, backend) = in_folder();
    for (number, (status, error, expected)) in [
        ("failed", "boom", "error"),
        ("Cancelled", "boom", "error"),
        ("timed_out", "boom", "timeout"),
        ("EXCEPTION", "boom", "error"),
        ("failure", "", "error"),
        ("interrupted", "boom", "error"),
        ("ERROR", "boom", "error"),
        ("stopped by the user", "boom", "error"),
        ("stopped by the user", "", "other"),
        ("ok", "boom", "ok"),
    ]
    .into_iter()
    .enumerate()
    {
        let id = format!("t{number}");
        let summary = stored(&backend, &id, &[json!({ "status": status, "error_message": error })]);
        let errors = u64::from(["error", "timeout"].contains(&expected));
        assert_eq!((&summary["status"], &summary["errors"]), (&json!(expected), &json!(errors)), "{status}");
        let page = backend.get(&format!("/traces/{id}?span=s0"), "k").body;
        assert!(error.is_empty() || page.contains("boom"), "{status}: {page}");
        assert_eq!(
            page.contains(&format!("<dd>{status}</dd>")),
            !status.eq_ignore_ascii_case(expected),
            "{page}"
        );
    }
    let failed = backend.get("/v1/traces?status=failed", "k").json();
    assert_eq!(failed["items"].as_array().unwrap().len(), 8);
    assert_eq!(backend.get("/v1/traces?status=other", "k").json()["items"].as_array().unwrap().len(), 1);
    let total = backend.get("/v1/metrics", "k").json()["series"][0]["total"].take();
    assert_eq!((&total["count"], &total["errors"]), (&json!(10), &json!(8)));
}

#[test]
fn b14_half_of_a_surrogate_pair_loses_no_batch() {
    let (_folder, backend) = in_folder();
    let mut body = trace("cut", &[json!({ "name": "cut@", "user_id": "ann@", "error_message": "@" })]);
    body["traces"].as_array_mut().unwrap().push(trace("good", &[json!({})])["traces"][0].take());
    let headers = [("X-API-Key", "k"), ("Content-Type", "application/json")];
    let send = |path: &str, body: &str| -> Reply { backend.send("POST", path, &headers, body.as_bytes()) };
    let body = body.to_string().replace('@', r"\ud83d");
    assert_eq!(send("/v1/traces/ingest", &body).status, 200);
    assert_eq!(backend.traces("default").len(), 2);
    let span = backend.get("/v1/traces/cut/spans/s0", "k").json();
    assert_eq!((&span["name"], &span["record"]["user_id"]), (&json!("cut\u{fffd}"), &json!("ann\u{fffd}")));
    let found = backend.get("/v1/traces?user=ann%EF%BF%BD", "k").json();
    assert_eq!(found["items"].as_array().unwrap().len(), 1);

    let annotation = r#"{"name":"n\ud83d","value":1,"comment":"\udc00"}"#;
    assert_eq!(send("/v1/traces/good/annotations", annotation).status, 201);
    let noted = backend.get("/v1/traces/good", "k").json()["annotations"][0].take();
    assert_eq!((&noted["name"], &noted["comment"]), (&json!("n\u{fffd}"), &json!("\u{fffd}")));
}

#[test]
fn text_that_is_not_utf_8_is_stored_with_a_sign_in_its_place() {
    let (_folder, backend) = in_folder();
    let body = trace("t", &[json!({ "name": "caf@" })]).to_string();
    let body: Vec<u8> = body.bytes().map(|byte| if byte == b'@' { 0xE9 } else { byte }).collect();
    let headers = [("X-API-Key", "k"), ("Content-Type", "application/json")];
    assert_eq!(backend.send("POST", "/v1/traces/ingest", &headers, &body).status, 200);
    assert_eq!(backend.traces("default")[0].name, "caf\u{fffd}");
    assert_eq!(backend.send("POST", "/v1/traces/ingest", &headers, b"\x1f\x8b\x08").status, 400);
}
