//! The same request more than once.

use std::{sync::Barrier, thread};

use serde_json::{Value, json};

use crate::backend::{Backend, Reply, one_span};

fn ingest(backend: &Backend, key: &str, body: &Value) -> Reply {
    let headers = [("X-API-Key", "k"), ("Content-Type", "application/json"), ("Idempotency-Key", key)];
    backend.send("POST", "/v1/traces/ingest", &headers, body.to_string().as_bytes())
}

#[test]
fn a_repeated_request_has_the_same_receipt_and_is_stored_once() {
    let backend = Backend::local();
    // Without an identifier each storing would make a trace of its own.
    let mut body = one_span("default", "t", "s");
    body["traces"][0]["trace_id"] = json!(null);
    let ready = Barrier::new(2);
    let replies = thread::scope(|scope| {
        let clients = [0, 1].map(|_| {
            scope.spawn(|| {
                ready.wait();
                ingest(&backend, "once", &body)
            })
        });
        clients.map(|client| client.join().unwrap())
    });
    let expected = json!({ "accepted": 1, "rejected": 0, "spans_dropped": 0, "receipt_id": "once" });
    for reply in &replies {
        assert_eq!((reply.status, reply.json()), (200, expected.clone()));
    }
    assert_eq!(ingest(&backend, "once", &body).json(), expected);
    assert_eq!(backend.traces("default").len(), 1);
}

#[test]
fn a_request_that_is_repeated_after_a_restart_has_the_same_receipt() {
    let folder = tempfile::tempdir().unwrap();
    let body = one_span("new", "t", "s");
    let receipts = [(); 2].map(|()| {
        let mut backend = Backend::in_folder(folder.path());
        let reply = ingest(&backend, "once", &body);
        assert_eq!(reply.status, 200);
        assert_eq!(ingest(&backend, "once", &one_span("new", "other", "s")).status, 409);
        assert_eq!(backend.traces("new").len(), 1);
        backend.stop();
        backend.wait();
        reply.json()
    });
    assert_eq!(receipts[0], receipts[1]);
}

#[test]
fn a_repeated_key_with_another_body_is_a_conflict_and_stores_nothing() {
    let backend = Backend::local();
    assert_eq!(ingest(&backend, "key", &one_span("default", "a", "s")).status, 200);
    let reply = ingest(&backend, "key", &one_span("default", "b", "s"));
    assert_eq!((reply.status, reply.error().0.as_str()), (409, "idempotency_conflict"));
    assert_eq!(backend.traces("default").len(), 1);
}

#[test]
fn keys_of_one_workspace_say_nothing_of_those_of_another() {
    let backend = Backend::with_keys();
    for workspace in ["a", "b"] {
        let key = backend.key(Some(workspace));
        let headers =
            [("X-API-Key", &*key), ("Content-Type", "application/json"), ("Idempotency-Key", "same")];
        let body = one_span(workspace, workspace, "s").to_string();
        assert_eq!(backend.send("POST", "/v1/traces/ingest", &headers, body.as_bytes()).status, 200);
        assert_eq!(backend.traces(workspace).len(), 1);
    }
}

#[test]
fn a_request_without_a_key_gets_a_receipt_of_its_own() {
    let backend = Backend::local();
    let receipt = || {
        let reply = backend.post("/v1/traces/ingest", "k", &one_span("default", "t", "s")).json();
        reply["receipt_id"].as_str().unwrap().to_owned()
    };
    assert_ne!(receipt(), receipt());
    let header = "x".repeat(256);
    assert_eq!(ingest(&backend, &header, &one_span("default", "t", "s")).status, 400);
}
