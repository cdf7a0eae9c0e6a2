use std::{
    io::{BufRead as _, BufReader},
    process::{Child, Command, Stdio},
    sync::mpsc,
    thread,
    time::{Duration, Instant},
};

use serde_json::Value;

/// Something that should happen must happen within this, else the test fails. Not a thing that is measured.
pub(crate) const WATCHDOG: Duration = Duration::from_secs(30);

/// A running `staso dev` with a folder of its own.
pub(crate) struct Backend {
    pub(crate) url: String,
    child: Child,
    agent: ureq::Agent,
    _folder: tempfile::TempDir,
}

impl Backend {
    /// Starts it on a free port and waits until it says where.
    pub(crate) fn start() -> Self {
        let folder = tempfile::tempdir().expect("a folder");
        let mut child = Command::new(env!("CARGO_BIN_EXE_staso"))
            .args(["dev", "--port", "0", "--data"])
            .arg(folder.path())
            .env("NO_COLOR", "1")
            .stdin(Stdio::null())
            .stdout(Stdio::piped())
            .stderr(Stdio::piped())
            .spawn()
            .expect("staso starts");
        let (sender, receiver) = mpsc::channel();
        for output in [
            Box::new(child.stdout.take().expect("output")) as Box<dyn std::io::Read + Send>,
            Box::new(child.stderr.take().expect("errors")),
        ] {
            let sender = sender.clone();
            // Both are read to the end: a full pipe would stop the server.
            thread::spawn(move || {
                for line in BufReader::new(output).lines().map_while(Result::ok) {
                    let _ = sender.send(line);
                }
            });
        }
        drop(sender);
        let mut seen = String::new();
        let url = loop {
            let line = receiver.recv_timeout(WATCHDOG).unwrap_or_else(|_| panic!("no URL in:\n{seen}"));
            if let Some(url) = url_in(&line) {
                break url;
            }
            seen = seen + &line + "\n";
        };
        let config = ureq::Agent::config_builder().http_status_as_error(false).proxy(None).build();
        Self { url, child, agent: config.into(), _folder: folder }
    }

    /// Sends a request body as an SDK does; it must be acknowledged.
    pub(crate) fn ingest(&self, body: &Value) {
        let answer = self
            .agent
            .post(format!("{}/v1/traces/ingest", self.url))
            .header("X-API-Key", "test")
            .header("Content-Type", "application/json")
            .send(body.to_string().as_bytes());
        let mut answer = answer.expect("an answer");
        let text = answer.body_mut().read_to_string().expect("text");
        assert!(answer.status().is_success(), "{}: {text}", answer.status());
    }

    /// The JSON that a path of the read API gives.
    pub(crate) fn get(&self, path: &str) -> Value {
        let mut answer = self.agent.get(format!("{}{path}", self.url)).call().expect("an answer");
        let text = answer.body_mut().read_to_string().expect("text");
        assert!(answer.status().is_success(), "{path}: {}: {text}", answer.status());
        serde_json::from_str(&text).expect("JSON")
    }

    /// Asks until the answer is as wanted, and gives it.
    pub(crate) fn wait(&self, path: &str, wanted: impl Fn(&Value) -> bool) -> Value {
        let begun = Instant::now();
        loop {
            let answer = self.get(path);
            if wanted(&answer) {
                return answer;
            }
            assert!(begun.elapsed() < WATCHDOG, "{path} stays {answer:#}");
            thread::sleep(Duration::from_millis(50));
        }
    }
}

impl Drop for Backend {
    fn drop(&mut self) {
        let _ = self.child.kill();
        let _ = self.child.wait();
    }
}

fn url_in(line: &str) -> Option<String> {
    let start = line.find("http://127.0.0.1:")?;
    let rest = line.get(start..)?;
    let end =
        rest.find(|letter: char| letter.is_whitespace() || "\"'),".contains(letter)).unwrap_or(rest.len());
    Some(rest.get(..end)?.trim_end_matches('/').to_owned())
}
