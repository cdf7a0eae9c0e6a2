//! What the vendor's SDK was seen to send: all of it is taken in full.

use std::{fs, path::Path};

use serde_json::Value;

use crate::backend::Backend;

#[test]
fn every_captured_request_is_acknowledged_in_full() {
    let folder = Path::new(env!("CARGO_MANIFEST_DIR")).join("../tests/golden/data");
    let backend = Backend::local();
    let (mut batches, mut annotations) = (0, 0);
    for file in fs::read_dir(folder).unwrap() {
        let capture: Value =
            serde_json::from_str(&fs::read_to_string(file.unwrap().path()).unwrap()).unwrap();
        for request in capture["requests"].as_array().into_iter().flatten() {
            let (path, body) = (request["path"].as_str().unwrap_or_default(), &request["body"]);
            if path.ends_with("/annotations") {
                assert_eq!(backend.post(path, "k", body).status, 201, "{body}");
                annotations += 1;
            } else if path == "/v1/traces/ingest" && !body.is_null() {
                check(&backend, request);
                batches += 1;
            }
        }
    }
    assert!(batches > 40 && annotations > 3, "{batches} {annotations}");
}

fn check(backend: &Backend, request: &Value) {
    let (body, key) = (&request["body"], request["headers"]["Idempotency-Key"].as_str().unwrap());
    let headers = [("X-API-Key", "k"), ("Content-Type", "application/json"), ("Idempotency-Key", key)];
    let reply = backend.send("POST", "/v1/traces/ingest", &headers, body.to_string().as_bytes());
    assert_eq!(reply.status, 200, "{reply:?}\n{body}");
    let traces = body["traces"].as_array().unwrap();
    let expected = serde_json::json!({
        "accepted": traces.len(), "rejected": 0, "spans_dropped": 0, "receipt_id": key,
    });
    assert_eq!(reply.json(), expected);
    for trace in traces {
        let (id, slug) = (trace["trace_id"].as_str().unwrap(), trace["workspace_slug"].as_str().unwrap());
        let stored = backend.trace(slug, id).expect("the trace is stored");
        for span in trace["spans"].as_array().unwrap() {
            let id = span["span_id"].as_str().unwrap();
            assert!(stored.spans.iter().any(|row| row.span_id.as_str() == id), "{span}");
        }
    }
}
