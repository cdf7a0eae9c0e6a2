//! Bodies that are broken, deep, large or lie about their size.

use std::io::Write as _;

use flate2::{Compression, write::GzEncoder, write::ZlibEncoder};
use proptest::prelude::*;
use serde_json::json;
use staso_server::http::{Guards, Limits, Mode};

use crate::backend::{Backend, Reply, one_span, request};

const INGEST: &str = "/v1/traces/ingest";

fn ingest(backend: &Backend, body: &[u8], headers: &[(&str, &str)]) -> Reply {
    let own = [("X-API-Key", "k"), ("Content-Type", "application/json")];
    backend.send("POST", INGEST, &[&own, headers].concat(), body)
}

fn gzip(bytes: &[u8]) -> Vec<u8> {
    let mut encoder = GzEncoder::new(Vec::new(), Compression::fast());
    encoder.write_all(bytes).unwrap();
    encoder.finish().unwrap()
}

#[test]
fn whatever_arrives_is_answered_and_never_with_a_fault_of_the_server() {
    let backend = Backend::local();
    let check = |body: &[u8], encoding: &str| {
        let status = ingest(&backend, body, &[("Content-Encoding", encoding)]).status;
        prop_assert!((200..500).contains(&status), "{status} for {}", String::from_utf8_lossy(body));
        Ok(())
    };
    let valid = one_span("default", "t", "s").to_string().into_bytes();
    let mutated = (0..valid.len(), any::<u8>(), 0..valid.len()).prop_map(move |(at, byte, end)| {
        let mut body = valid.clone();
        body[at] = byte;
        body.truncate(end.max(at));
        body
    });
    let encoding = prop::sample::select(vec!["identity", "gzip", "deflate"]);
    let body = prop_oneof![prop::collection::vec(any::<u8>(), 0..200), mutated];
    proptest!(ProptestConfig::with_cases(400), |(body in body, encoding in encoding)| check(&body, encoding)?);
    assert_eq!(ingest(&backend, one_span("default", "t", "s").to_string().as_bytes(), &[]).status, 200);
}

#[test]
fn any_json_in_any_place_is_taken_or_refused_with_its_path() {
    let folder = tempfile::tempdir().unwrap();
    let backend = Backend::in_folder(folder.path());
    let leaf = prop_oneof![
        Just(json!(null)),
        any::<bool>().prop_map(|value| json!(value)),
        any::<f64>().prop_map(|value| json!(value)),
        any::<u64>().prop_map(|value| json!(value)),
        any::<i64>().prop_map(|value| json!(value)),
        ".*".prop_map(|value| json!(value)),
        Just(json!({})),
        Just(json!([1])),
    ];
    let body = one_span("default", "t", "s");
    let span: Vec<String> = body["traces"][0]["spans"][0].as_object().unwrap().keys().cloned().collect();
    let trace: Vec<String> = body["traces"][0].as_object().unwrap().keys().cloned().collect();
    let place = prop_oneof![
        prop::sample::select(span).prop_map(|key| format!("/traces/0/spans/0/{key}")),
        prop::sample::select(trace).prop_map(|key| format!("/traces/0/{key}")),
        Just("/traces/0/spans/0".to_owned()),
        Just("/traces/0".to_owned()),
        Just("/traces".to_owned()),
    ];
    proptest!(ProptestConfig::with_cases(400), |(place in place, value in leaf)| {
        let mut body = body.clone();
        *body.pointer_mut(&place).unwrap() = value;
        let before = backend.traces("default").len();
        let reply = ingest(&backend, body.to_string().as_bytes(), &[]);
        match reply.status {
            200 => {}
            422 => {
                let (code, path) = reply.error();
                prop_assert_eq!(code, "invalid");
                let path = format!("/{}", path.replace(['.', '['], "/").replace(']', ""));
                prop_assert!(path.starts_with(&place), "{} for {}", path, place);
                prop_assert_eq!(backend.traces("default").len(), before);
            }
            status => prop_assert!(false, "{} {}", status, body),
        }
        everything_can_be_read(&backend);
    });
}

#[test]
fn the_greatest_numbers_add_up_to_what_can_be_read() {
    let folder = tempfile::tempdir().unwrap();
    let backend = Backend::in_folder(folder.path());
    for trace in ["a", "b"] {
        for (span, number) in
            [("1", json!(u64::MAX)), ("2", json!(1e300)), ("3", json!(9e15)), ("2", json!(1))]
        {
            let mut body = one_span("default", trace, span);
            let fields = body["traces"][0]["spans"][0].as_object_mut().unwrap();
            for key in ["duration_ms", "input_tokens", "output_tokens", "total_tokens"] {
                fields.insert(key.to_owned(), number.clone());
            }
            fields.insert("kind".to_owned(), json!("llm"));
            fields.insert("model".to_owned(), json!("gpt-4o"));
            assert_eq!(ingest(&backend, body.to_string().as_bytes(), &[]).status, 200, "{number}");
            everything_can_be_read(&backend);
        }
    }
    let conversation = backend.get("/v1/conversations/talk", "k").json();
    assert_eq!(conversation["summary"]["tokens"]["total"], (1_u64 << 53) - 1, "{conversation}");
}

/// Whatever was stored, no list and no page may fail for it.
fn everything_can_be_read(backend: &Backend) {
    for path in [
        "/v1/traces",
        "/v1/traces/t/spans",
        "/v1/conversations",
        "/v1/users",
        "/v1/agents",
        "/v1/metrics?by=model",
        "/",
        "/traces",
        "/conversations",
    ] {
        let reply = backend.get(path, "k");
        assert!(matches!(reply.status, 200 | 404), "{path}: {reply:?}");
    }
}

#[test]
fn broken_json_is_refused_with_line_column_and_path() {
    let backend = Backend::local();
    let body = one_span("default", "t", "s").to_string().replace("\"ok\"", "ok");
    let reply = ingest(&backend, body.as_bytes(), &[]);
    assert_eq!(reply.status, 400);
    assert_eq!(reply.error(), ("malformed_json".to_owned(), "traces[0].spans[0].status".to_owned()));
    assert!(reply.body.contains("at line 1 column "), "{reply:?}");
    assert!(backend.traces("default").is_empty());
}

#[test]
fn depth_is_limited_but_not_that_of_text() {
    let backend = Backend::local();
    let deep = "[".repeat(100_000);
    assert_eq!(ingest(&backend, deep.as_bytes(), &[]).status, 422);
    let mut body = one_span("default", "t", "s");
    body["traces"][0]["spans"][0]["own"] = json!(0);
    let nested = format!("\"own\":{deep}{}", "]".repeat(100_000));
    let reply = ingest(&backend, body.to_string().replace("\"own\":0", &nested).as_bytes(), &[]);
    assert_eq!(reply.status, 400);
    assert!(reply.error().1.starts_with("traces[0].spans[0].own[0]"), "{reply:?}");
    assert!(backend.traces("default").is_empty());
    body["traces"][0]["spans"][0]["input"] = json!(deep);
    assert_eq!(ingest(&backend, body.to_string().as_bytes(), &[]).status, 200);
}

#[test]
fn ten_megabytes_are_welcome() {
    let backend = Backend::local();
    let mut body = one_span("default", "t", "s");
    body["traces"][0]["spans"][0]["input"] = json!("x".repeat(10 << 20));
    assert_eq!(ingest(&backend, body.to_string().as_bytes(), &[]).status, 200);
    assert_eq!(backend.traces("default").len(), 1);
}

#[test]
fn a_body_that_announces_too_much_is_refused_before_it_is_sent() {
    let backend = Backend::local();
    let headers =
        [("X-API-Key", "k"), ("Content-Type", "application/json"), ("Content-Length", "1000000000")];
    // Nothing of the body follows.
    assert_eq!(backend.exchange(&request("POST", INGEST, &headers, b"")).status, 413);
}

#[test]
fn a_body_that_turns_out_too_large_is_refused_while_it_is_read() {
    let guards = Guards { max_body: 64 << 10, ..Guards::default() };
    let backend = Backend::start(Mode::Local, Limits::default(), guards);
    let mut stream = backend.connect();
    let head = "POST /v1/traces/ingest HTTP/1.1\r\nHost: localhost\r\nX-API-Key: k\r\nConnection: close\r\n\
                Content-Type: application/json\r\nTransfer-Encoding: chunked\r\n\r\n";
    stream.write_all(head.as_bytes()).unwrap();
    let chunk = [b"10000\r\n".as_slice(), &[b' '; 0x10000], b"\r\n"].concat();
    // The last chunk never comes.
    stream.write_all(&chunk).unwrap();
    stream.write_all(&chunk).unwrap();
    assert_eq!(Reply::read(&mut stream).status, 413);
}

#[test]
fn a_gzip_bomb_is_refused_at_the_limit() {
    let backend = Backend::local();
    // Members of 1 MiB of zeros each, 10 GiB in all, in 10 MiB.
    let bomb = gzip(&vec![0; 1 << 20]).repeat(10_000);
    let reply = ingest(&backend, &bomb, &[("Content-Encoding", "gzip")]);
    assert_eq!((reply.status, reply.error().0.as_str()), (413, "too_large"));
}

#[test]
fn gzip_and_deflate_are_undone() {
    let backend = Backend::local();
    let body = |trace: &str| one_span("default", trace, "s").to_string().into_bytes();
    assert_eq!(ingest(&backend, &gzip(&body("a")), &[("Content-Encoding", "gzip")]).status, 200);
    let mut encoder = ZlibEncoder::new(Vec::new(), Compression::fast());
    encoder.write_all(&body("b")).unwrap();
    assert_eq!(ingest(&backend, &encoder.finish().unwrap(), &[("Content-Encoding", "deflate")]).status, 200);
    assert_eq!(backend.traces("default").len(), 2);
    for (encoding, status) in [("gzip", 400), ("deflate", 400), ("br", 415), ("gzip, gzip", 415)] {
        assert_eq!(
            ingest(&backend, &body("c"), &[("Content-Encoding", encoding)]).status,
            status,
            "{encoding}"
        );
    }
    assert_eq!(backend.traces("default").len(), 2);
}

#[test]
fn nothing_but_json_is_taken() {
    let backend = Backend::local();
    let body = one_span("default", "t", "s").to_string();
    for content_type in ["text/plain", "application/x-www-form-urlencoded", "multipart/form-data", ""] {
        let headers = [("X-API-Key", "k"), ("Content-Type", content_type)];
        assert_eq!(backend.send("POST", INGEST, &headers, body.as_bytes()).status, 415, "{content_type}");
    }
    let headers = [("X-API-Key", "k"), ("Content-Type", "Application/JSON; charset=utf-8")];
    assert_eq!(backend.send("POST", INGEST, &headers, body.as_bytes()).status, 200);
}
