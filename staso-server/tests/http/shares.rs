//! What one caller can take from others: connections, streams, memory.

use std::{
    io::{Read as _, Write as _},
    net::TcpStream,
    sync::Arc,
    time::{Duration, Instant},
};

use serde_json::json;
use staso_server::{
    http::{Guards, Limits, Mode},
    store::MAX_ANNOTATIONS,
};

use crate::backend::{Backend, Reply, WATCHDOG, one_span, request};

/// Opens a stream of events with these headers. What it was answered.
fn follow(backend: &Backend, headers: &[(&str, &str)]) -> (TcpStream, u16) {
    let mut stream = backend.connect();
    stream.write_all(&request("GET", "/v1/live", headers, b"")).unwrap();
    let mut head = [0; 12];
    stream.read_exact(&mut head).unwrap();
    let status = std::str::from_utf8(&head[9..]).unwrap().parse().unwrap();
    (stream, status)
}

/// Reads a stream until it ends. How long it went on.
fn end(mut stream: TcpStream) -> Duration {
    let begun = Instant::now();
    let mut rest = Vec::new();
    stream.read_to_end(&mut rest).expect("the stream ends");
    begun.elapsed()
}

const SECONDS_AFTER: Duration = Duration::from_secs(5);

#[test]
fn b5_s25_a_stream_ends_with_the_key_that_opened_it() {
    let backend = Backend::with_keys();
    let (key, other) = (backend.key(None), backend.key(Some("other")));
    let (stream, _) = follow(&backend, &[("X-API-Key", &key)]);
    backend.revoke_key(&key);
    let (kept, _) = follow(&backend, &[("X-API-Key", &other)]);
    assert!(end(stream) < SECONDS_AFTER);
    // Those of others go on.
    kept.set_nonblocking(true).unwrap();
    let mut rest = [0; 4096];
    while let Ok(read) = (&kept).read(&mut rest) {
        assert_ne!(read, 0, "a stream of another key was ended");
    }
}

#[test]
fn b5_s25_a_stream_ends_with_the_session_that_opened_it() {
    let backend = Backend::with_keys();
    let key = backend.key(None);
    for ended_by in ["signing out", "the end of the key"] {
        let cookie = backend.sign_in(&key);
        let (stream, status) = follow(&backend, &[("Cookie", &cookie)]);
        assert_eq!(status, 200);
        match ended_by {
            "signing out" => {
                assert_eq!(backend.send("POST", "/logout", &[("Cookie", &cookie)], b"").status, 303)
            }
            _ => backend.revoke_key(&key),
        }
        assert!(end(stream) < SECONDS_AFTER, "{ended_by}");
    }
}

#[test]
fn b5_streams_are_limited_for_a_key_and_for_all() {
    let guards = Guards { max_streams: 5, max_streams_of_key: 3, ..Guards::default() };
    let backend = Backend::start(Mode::Keys, Limits::default(), guards);
    let (one, other) = (backend.key(None), backend.key(None));
    let open = |key: &str, times: usize| -> Vec<(TcpStream, u16)> {
        (0..times).map(|_| follow(&backend, &[("X-API-Key", key)])).collect()
    };
    let statuses =
        |streams: &[(TcpStream, u16)]| streams.iter().map(|(_, status)| *status).collect::<Vec<_>>();
    let first = open(&one, 4);
    assert_eq!(statuses(&first), [200, 200, 200, 429]);
    // A browser of the same key takes part in its share.
    let cookie = backend.sign_in(&one);
    assert_eq!(follow(&backend, &[("Cookie", &cookie)]).1, 429);
    let second = open(&other, 3);
    assert_eq!(statuses(&second), [200, 200, 429]);
    let refused = backend.get("/v1/live", &other);
    assert!(refused.header("retry-after").is_some() && refused.header("connection") == Some("close"));
    // A stream that ends makes room.
    drop(first);
    while follow(&backend, &[("X-API-Key", &other)]).1 != 200 {}
}

#[test]
fn b5_s26_a_thousand_connections_of_one_key_or_of_none_keep_nobody_out() {
    let limits = Limits { connections: 128, ..Limits::default() };
    let guards = Guards { max_streams: 32, max_streams_of_key: 16, ..Guards::default() };
    let backend = Backend::start(Mode::Keys, limits, guards);
    let (key, other) = (backend.key(None), backend.key(None));
    let own = [("X-API-Key", &*key), ("Connection", "keep-alive")];
    let openings: [(&str, Vec<u8>); 4] = [
        ("streams of one key", request("GET", "/v1/live", &own, b"")),
        ("streams of none", request("GET", "/v1/live", &[("Connection", "keep-alive")], b"")),
        ("heads that never end", b"GET /v1/live HTTP/1.1\r\nHost: local".to_vec()),
        ("silence", Vec::new()),
    ];
    for (what, opening) in openings {
        let mut many = Vec::new();
        for _ in 0..1_100 {
            let mut stream = backend.connect();
            drop(stream.write_all(&opening));
            many.push(stream);
        }
        let begun = Instant::now();
        assert_eq!(backend.get("/healthz", "").status, 200, "{what}");
        assert_eq!(backend.get("/readyz", "").status, 200, "{what}");
        let ingested = backend.post("/v1/traces/ingest", &other, &one_span("default", what, "s"));
        assert_eq!(ingested.status, 200, "{what}: {ingested:?}");
        assert!(begun.elapsed() < Duration::from_secs(8), "{what}: {:?}", begun.elapsed());
    }
}

#[test]
fn b5_s27_every_body_counts_and_a_form_is_small() {
    let guards = Guards { max_bodies: 1 << 20, max_bodies_of_key: 512 << 10, ..Guards::default() };
    let backend = Backend::start(Mode::Keys, Limits::default(), guards);
    let key = backend.key(None);
    let form = [("X-API-Key", &*key), ("Content-Type", "application/x-www-form-urlencoded")];
    let routes = ["/login", "/logout", "/settings/keys", "/settings/workspaces", "/settings/keys/1/revoke"];
    for path in routes {
        let reply = backend.send("POST", path, &form, &[b'a'; 100 << 10]);
        assert_eq!(reply.status, 413, "{path}: {reply:?}");
        // Held back by a byte, it takes up room: of those without a key, and of each key, a part of all there is.
        let length = (60 << 10).to_string();
        let head = request(
            "POST",
            path,
            &[&form[..], &[("Content-Length", &length)]].concat(),
            &[b'a'; (60 << 10) - 1],
        );
        let mut held = Vec::new();
        let refused = loop {
            let mut stream = backend.connect();
            stream.write_all(&head).unwrap();
            stream.set_read_timeout(Some(Duration::from_millis(200))).unwrap();
            let mut status = [0; 12];
            if stream.read_exact(&mut status).is_ok() {
                break status;
            }
            held.push(stream);
            assert!(held.len() < 17, "{path}: there is no bound");
        };
        assert_eq!(&refused, b"HTTP/1.1 429", "{path}");
        assert!(!held.is_empty(), "{path}");
        // Others are served.
        let other = backend.key(None);
        assert_eq!(backend.post("/v1/traces/ingest", &other, &one_span("default", path, "s")).status, 200);
        for mut stream in held {
            drop(stream.write_all(b"a"));
            Reply::read(&mut stream);
        }
    }
}

#[test]
fn b5_one_key_does_not_take_the_whole_intake() {
    let guards = Guards { max_bodies: 256 << 10, max_bodies_of_key: 192 << 10, ..Guards::default() };
    let backend = Backend::start(Mode::Keys, Limits::default(), guards);
    let (greedy, other) = (backend.key(None), backend.key(None));
    let headers =
        [("X-API-Key", &*greedy), ("Content-Type", "application/json"), ("Content-Length", "150000")];
    let mut held = Vec::new();
    let refused = loop {
        let mut stream = backend.connect();
        stream.write_all(&request("POST", "/v1/traces/ingest", &headers, &[b' '; 140_000])).unwrap();
        stream.set_read_timeout(Some(Duration::from_millis(200))).unwrap();
        let mut status = [0; 12];
        if stream.read_exact(&mut status).is_ok() {
            break status;
        }
        held.push(stream);
    };
    assert_eq!((held.len(), &refused), (1, b"HTTP/1.1 429"));
    let body = format!("{}{}", one_span("default", "t", "s"), " ".repeat(50_000));
    let headers = [("X-API-Key", &*other), ("Content-Type", "application/json")];
    assert_eq!(backend.send("POST", "/v1/traces/ingest", &headers, body.as_bytes()).status, 200);
}

#[test]
fn b5_a_key_keeps_its_latest_sessions() {
    let backend = Backend::with_keys();
    let (key, other) = (backend.key(None), backend.key(None));
    let of_other = backend.sign_in(&other);
    let cookies: Vec<String> = (0..40).map(|_| backend.sign_in(&key)).collect();
    let is_open =
        |cookie: &String| backend.send("GET", "/v1/workspaces", &[("Cookie", cookie)], b"").status == 200;
    assert_eq!(cookies.iter().filter(|cookie| is_open(cookie)).count(), 32);
    assert!(is_open(cookies.last().unwrap()) && is_open(&of_other));
}

#[test]
fn b5_s28_readers_that_do_not_read_get_all_of_it_once_they_do() {
    let folder = tempfile::tempdir().unwrap();
    let store = Arc::new(crate::backend::open(folder.path()));
    // Whoever reads nothing for longer is cut off, which is not what this is about.
    let limits = Limits { write_pause: WATCHDOG, ..Limits::default() };
    let backend = Backend::over(store, Mode::Local, limits, Guards::default());
    let mut body = one_span("default", "large", "s");
    let span = body["traces"][0]["spans"][0].clone();
    let spans = (0..5_000).map(|number| {
        let mut span = span.clone();
        span["span_id"] = json!(format!("span-{number:06}"));
        span
    });
    body["traces"][0]["spans"] = spans.collect();
    assert_eq!(backend.post("/v1/traces/ingest", "k", &body).status, 200);
    for path in ["/v1/traces/large", "/traces/large/rows"] {
        let waiting: Vec<TcpStream> = (0..40)
            .map(|_| {
                let mut stream = backend.connect();
                stream.write_all(&request("GET", path, &[], b"")).unwrap();
                stream
            })
            .collect();
        assert_eq!(backend.get("/healthz", "k").status, 200);
        for mut stream in waiting {
            let reply = Reply::read(&mut stream);
            let announced: usize = reply.header("content-length").unwrap().parse().unwrap();
            assert_eq!((reply.status, reply.body.len()), (200, announced), "{path}");
            assert!(reply.body.contains("span-004999") && reply.body.ends_with('}'), "{path}");
        }
    }
}

#[test]
fn who_reads_the_answer_only_after_sending_everything_gets_it() {
    let folder = tempfile::tempdir().unwrap();
    let store = Arc::new(crate::backend::open(folder.path()));
    let backend = Backend::over(store, Mode::Keys, Limits::default(), Guards::default());
    let key = backend.key(None);
    let large = vec![b' '; 40 << 20];
    let json = ("Content-Type", "application/json");
    for (what, headers, status) in [
        ("too large", vec![("X-API-Key", &*key), json], 413),
        ("without a key", vec![json], 401),
        ("not JSON", vec![("X-API-Key", &*key)], 415),
        ("from elsewhere", vec![("X-API-Key", &*key), json, ("Origin", "https://evil.example")], 403),
        ("under a foreign name", vec![("X-API-Key", &*key), json, ("Host", "evil.example")], 421),
    ] {
        let mut stream = backend.connect();
        // As Python's urllib does: a failure to send is a failure of the whole.
        stream.write_all(&request("POST", "/v1/traces/ingest", &headers, &large)).expect(what);
        assert_eq!(Reply::read(&mut stream).status, status, "{what}");
    }
}

#[test]
fn b5_annotations_of_a_trace_are_bounded_and_those_of_others_are_not_touched() {
    let folder = tempfile::tempdir().unwrap();
    for backend in [Backend::local(), Backend::in_folder(folder.path())] {
        assert_eq!(backend.post("/v1/traces/ingest", "k", &one_span("default", "t", "s")).status, 200);
        let judgement = json!({ "name": "quality", "value": 1, "span_id": "s" });
        let annotate =
            |trace: &str| backend.post(&format!("/v1/traces/{trace}/annotations"), "k", &judgement);
        for _ in 0..MAX_ANNOTATIONS {
            assert_eq!(annotate("t").status, 201);
        }
        let refused = annotate("t");
        assert_eq!((refused.status, refused.error().0.as_str()), (409, "too_many_annotations"));
        assert_eq!(annotate("not-arrived").status, 201);
        assert_eq!(backend.trace("default", "t").unwrap().annotations.len(), MAX_ANNOTATIONS);
    }
}
