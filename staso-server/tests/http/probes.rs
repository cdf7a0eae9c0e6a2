//! What those ask who keep servers running.

use std::time::{Duration, Instant};

use serde_json::json;

use crate::backend::{Backend, one_span};

#[test]
fn b17_probes_are_answered_under_whatever_name_they_call() {
    let backend = Backend::with_keys();
    for (path, word) in [("/healthz", "ok"), ("/readyz", "ready")] {
        for host in ["10.1.2.3:6999", "pod-7.internal", "evil.example", ""] {
            let reply = backend.send("GET", path, &[("Host", host)], b"");
            assert_eq!((reply.status, &*reply.body), (200, word), "{path} under `{host}`");
        }
        let without = format!("GET {path} HTTP/1.0\r\n\r\n");
        assert_eq!(backend.exchange(without.as_bytes()).status, 200, "{path}");
    }
}

/// As a backup tool may do.
struct HeldLock(rusqlite::Connection);

impl HeldLock {
    fn take(folder: &std::path::Path) -> Self {
        let other = rusqlite::Connection::open(folder.join("staso.db")).unwrap();
        other.execute_batch("BEGIN IMMEDIATE").unwrap();
        Self(other)
    }

    fn give_back(self) {
        self.0.execute_batch("COMMIT").unwrap();
    }
}

#[test]
fn b17_a_server_whose_store_takes_nothing_is_alive_and_not_ready() {
    let folder = tempfile::tempdir().unwrap();
    let backend = Backend::in_folder(folder.path());
    assert_eq!(backend.get("/readyz", "k").status, 200);
    let lock = HeldLock::take(folder.path());
    let not_ready = loop {
        // An answer stands for a moment.
        let reply = backend.get("/readyz", "k");
        if reply.status != 200 {
            break reply;
        }
    };
    assert_eq!((not_ready.status, not_ready.error().0.as_str()), (503, "not_ready"));
    assert_eq!(backend.get("/healthz", "k").status, 200);
    lock.give_back();
    while backend.get("/readyz", "k").status != 200 {}
}

#[test]
fn b18_an_overload_is_answered_before_clients_stop_waiting() {
    const SDKS_WAIT: Duration = Duration::from_secs(10);
    let folder = tempfile::tempdir().unwrap();
    let backend = Backend::in_folder(folder.path());
    let lock = HeldLock::take(folder.path());
    std::thread::scope(|scope| {
        for client in 0..4 {
            let backend = &backend;
            scope.spawn(move || {
                let begun = Instant::now();
                let reply =
                    backend.post("/v1/traces/ingest", "k", &one_span("default", &client.to_string(), "s"));
                let wait = reply.header("retry-after").and_then(|wait| wait.parse::<u32>().ok());
                assert!(
                    reply.status == 429 && wait.is_some_and(|wait| (1..=60).contains(&wait)),
                    "{reply:?}"
                );
                assert!(begun.elapsed() < SDKS_WAIT - Duration::from_secs(2), "{:?}", begun.elapsed());
            });
        }
        scope.spawn(|| {
            let judgement = json!({ "name": "quality", "value": 1 });
            assert_eq!(backend.post("/v1/traces/t/annotations", "k", &judgement).status, 429);
        });
    });
    lock.give_back();
    // Nobody was told to come back for what was written after all.
    assert_eq!(backend.post("/v1/traces/ingest", "k", &one_span("default", "t", "s")).status, 200);
    assert_eq!(backend.traces("default").len(), 1);
    assert!(backend.trace("default", "t").unwrap().annotations.is_empty());
}
