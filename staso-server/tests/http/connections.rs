//! Clients that are slow, silent or many.

use std::{
    io::{Read as _, Write as _},
    sync::Barrier,
    thread,
    time::Duration,
};

use staso_server::http::{Guards, Limits, Mode};

use crate::backend::{Backend, Reply, WATCHDOG, one_span, request};

const SOON: Duration = Duration::from_millis(200);

#[test]
fn who_never_finishes_the_head_is_cut_off_while_others_are_served() {
    let backend = Backend::with_limits(Limits { head: SOON, ..Limits::default() });
    let mut silent = backend.connect();
    let mut half = backend.connect();
    half.write_all(b"GET /healthz HTTP/1.1\r\nHost: local").unwrap();
    assert_eq!(backend.get("/healthz", "k").status, 200);
    for stream in [&mut silent, &mut half] {
        assert!(matches!(Reply::read(stream).status, 0 | 408));
    }
}

#[test]
fn who_never_finishes_the_body_is_told_and_cut_off() {
    let backend = Backend::with_limits(Limits { body_pause: SOON, ..Limits::default() });
    let mut stream = backend.connect();
    let headers = [("X-API-Key", "k"), ("Content-Type", "application/json"), ("Content-Length", "1000")];
    stream.write_all(&request("POST", "/v1/traces/ingest", &headers, b"{\"traces\":[")).unwrap();
    assert_eq!(backend.get("/healthz", "k").status, 200);
    assert_eq!(Reply::read(&mut stream).status, 408);
}

#[test]
fn who_sends_a_body_drop_by_drop_is_cut_off() {
    let backend = Backend::with_limits(Limits { body: SOON, ..Limits::default() });
    let mut stream = backend.connect();
    let headers =
        [("X-API-Key", "k"), ("Content-Type", "application/json"), ("Content-Length", "1000000000")];
    let headers = [&headers[..2], &[("Content-Length", "10000000")]].concat();
    stream.write_all(&request("POST", "/v1/traces/ingest", &headers, b"")).unwrap();
    // One byte after the other, until the server has had enough.
    while stream.write_all(b" ").is_ok() && backend.get("/healthz", "k").status == 200 {}
    let mut answer = [0; 12];
    if stream.read_exact(&mut answer).is_ok() {
        assert_eq!(&answer, b"HTTP/1.1 408");
    }
}

#[test]
fn more_connections_than_allowed_wait_until_others_are_cut_off() {
    let backend = Backend::with_limits(Limits { connections: 4, head: SOON, ..Limits::default() });
    let mut silent: Vec<_> = (0..16).map(|_| backend.connect()).collect();
    assert_eq!(backend.get("/healthz", "k").status, 200);
    for stream in &mut silent {
        assert!(matches!(Reply::read(stream).status, 0 | 408));
    }
}

#[test]
fn a_live_stream_outlasts_a_request_and_ends_with_the_server() {
    let limits = Limits { body: SOON, answer: SOON, grace: WATCHDOG * 2, ..Limits::default() };
    let mut backend = Backend::with_limits(limits);
    let mut stream = backend.connect();
    stream.write_all(&request("GET", "/v1/live", &[], b"")).unwrap();
    let mut first = [0; 12];
    stream.read_exact(&mut first).unwrap();
    assert_eq!(&first, b"HTTP/1.1 200");
    // Longer than a request may take.
    assert_eq!(backend.post("/v1/traces/ingest", "k", &one_span("default", "t", "s")).status, 200);
    backend.stop();
    backend.wait();
    let mut rest = String::new();
    stream.read_to_string(&mut rest).unwrap();
    assert!(rest.ends_with("0\r\n\r\n"), "the stream was not ended but cut off: {rest}");
}

#[test]
fn a_request_under_way_is_finished_when_the_server_stops() {
    let mut backend = Backend::local();
    let body = one_span("default", "t", "s").to_string();
    let headers = [("X-API-Key", "k"), ("Content-Type", "application/json")];
    let whole = request("POST", "/v1/traces/ingest", &headers, body.as_bytes());
    let (before, after) = whole.split_at(whole.len() - 10);
    let mut stream = backend.connect();
    let expecting = String::from_utf8_lossy(before).replacen("\r\n", "\r\nExpect: 100-continue\r\n", 1);
    stream.write_all(expecting.as_bytes()).unwrap();
    // That the server asks for the body shows that it has the request.
    let mut go_on = [0; 25];
    stream.read_exact(&mut go_on).unwrap();
    assert!(go_on.starts_with(b"HTTP/1.1 100"), "{go_on:?}");
    backend.stop();
    stream.write_all(after).unwrap();
    assert_eq!(Reply::read(&mut stream).status, 200);
    backend.wait();
    assert_eq!(backend.traces("default").len(), 1);
}

#[test]
fn who_finds_no_room_is_asked_to_come_back() {
    let guards = Guards { max_bodies: 64 << 10, ..Guards::default() };
    let backend = Backend::start(Mode::Local, Limits::default(), guards);
    let body = format!("{}{}", one_span("default", "t", "s"), " ".repeat(60 << 10));
    let headers = [("X-API-Key", "k"), ("Content-Type", "application/json")];
    let whole = request("POST", "/v1/traces/ingest", &headers, body.as_bytes());
    let (before, after) = whole.split_at(whole.len() - 10);
    // There is room for one of the two, and either may be first.
    let refused = loop {
        let mut slow = backend.connect();
        slow.write_all(before).unwrap();
        let reply = backend.exchange(&whole);
        drop(slow.write_all(after));
        if reply.status != 200 && Reply::read(&mut slow).status == 200 {
            break reply;
        }
    };
    assert_eq!((refused.status, refused.header("retry-after")), (429, Some("1")));
    assert_eq!(backend.exchange(&whole).status, 200);
}

#[test]
fn many_clients_at_once_lose_nothing() {
    const CLIENTS: usize = 64;
    const BATCHES: usize = 100;
    let folder = tempfile::tempdir().unwrap();
    let backend = Backend::in_folder(folder.path());
    let ready = Barrier::new(CLIENTS + 1);
    thread::scope(|scope| {
        for client in 0..CLIENTS {
            let (backend, ready) = (&backend, &ready);
            scope.spawn(move || {
                ready.wait();
                for batch in 0..BATCHES {
                    let body = one_span("default", &format!("{client}-{batch}"), "s");
                    let status = loop {
                        match backend.post("/v1/traces/ingest", "k", &body).status {
                            429 => thread::yield_now(),
                            status => break status,
                        }
                    };
                    assert_eq!(status, 200);
                }
            });
        }
        // Readers are served meanwhile, those that search too.
        ready.wait();
        for path in ["/v1/traces", "/v1/traces?text=step", "/v1/metrics", "/traces?text=q"].repeat(20) {
            assert_eq!(backend.get(path, "k").status, 200, "{path}");
        }
    });
    assert_eq!(backend.traces("default").len(), CLIENTS * BATCHES);
}
