//! What must not be told: keys and payloads, in logs and errors.

use std::{
    fs, io,
    sync::{Arc, Mutex},
};

use serde_json::json;
use staso_server::http::{Guards, Limits, Mode};
use tracing_subscriber::fmt::MakeWriter;

use crate::backend::{Backend, one_span, open};

#[derive(Clone, Default)]
struct Log(Arc<Mutex<Vec<u8>>>);

impl io::Write for Log {
    fn write(&mut self, bytes: &[u8]) -> io::Result<usize> {
        self.0.lock().unwrap().write(bytes)
    }

    fn flush(&mut self) -> io::Result<()> {
        Ok(())
    }
}

impl MakeWriter<'_> for Log {
    type Writer = Self;

    fn make_writer(&self) -> Self {
        self.clone()
    }
}

#[test]
fn a_key_is_not_in_the_files_of_the_store() {
    let folder = tempfile::tempdir().unwrap();
    let guards = (Limits::default(), Guards::default());
    let mut backend = Backend::over(Arc::new(open(folder.path())), Mode::Keys, guards.0, guards.1);
    let key = backend.key(None);
    assert_eq!(backend.post("/v1/traces/ingest", &key, &one_span("default", "t", "s")).status, 200);
    let holds = |needle: &str| {
        let files =
            fs::read_dir(folder.path()).unwrap().map(|entry| fs::read(entry.unwrap().path()).unwrap());
        files.into_iter().any(|bytes| bytes.windows(needle.len()).any(|part| part == needle.as_bytes()))
    };
    // Lists show how it begins. The rest is nowhere, neither while the server runs nor afterwards.
    assert!(holds(&key[..12]) && !holds(&key[12..]));
    backend.stop();
    backend.wait();
    assert!(holds(&key[..12]) && !holds(&key[12..]));
}

#[test]
fn neither_keys_nor_payloads_are_logged_or_repeated_in_errors() {
    let log = Log::default();
    let subscriber = tracing_subscriber::fmt().with_max_level(tracing::Level::TRACE).with_writer(log.clone());
    // The server runs on threads of its own, so the log is of the whole process.
    tracing::subscriber::set_global_default(subscriber.finish()).unwrap();
    let backend = Backend::with_keys();
    let key = backend.key(None);
    let wrong = format!("{key}canary");
    let mut body = one_span("default", "t", "s");
    body["traces"][0]["spans"][0]["input"] = json!("canary");
    let mut answers = vec![
        backend.post("/v1/traces/ingest", &key, &body),
        backend.post("/v1/traces/ingest", &wrong, &body),
        backend.get("/v1/traces?text=canary", &key),
        backend.get("/v1/traces/canary", &key),
        backend.get("/v1/traces?workspace=default&canary=1", &wrong),
        backend.send(
            "POST",
            "/login",
            &[("Content-Type", "application/x-www-form-urlencoded")],
            format!("key={wrong}").as_bytes(),
        ),
    ];
    assert_eq!(answers.iter().map(|reply| reply.status).collect::<Vec<_>>(), [200, 401, 200, 404, 401, 401]);
    answers.remove(2);
    for reply in &answers {
        assert!(!reply.body.contains("canary") && !reply.body.contains(&key), "{reply:?}");
    }
    let log = String::from_utf8(log.0.lock().unwrap().clone()).unwrap();
    assert!(log.contains("route=\"/v1/traces/{trace_id}\""), "{log}");
    assert!(!log.contains("canary"), "{log}");
    assert!(!log.contains(&key[12..]), "{log}");
}
