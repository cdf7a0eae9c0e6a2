//! The command in a process of its own.

use std::{
    io::{BufRead as _, BufReader},
    path::Path,
    process::{Child, ChildStderr, ChildStdout, Command, ExitStatus, Output, Stdio},
    sync::mpsc,
    thread,
    time::Duration,
};

use serde_json::{Value, json};

/// How long anything may take before a test gives up.
pub(crate) const WATCHDOG: Duration = Duration::from_secs(60);

pub(crate) fn staso(data: &Path, arguments: &[&str]) -> Command {
    let mut command = Command::new(env!("CARGO_BIN_EXE_staso"));
    command.args(arguments).env("STASO_DATA", data).stdin(Stdio::null());
    for variable in ["STASO_API_KEY", "STASO_BASE_URL", "STASO_AGENT_NAME", "NO_COLOR", "COLUMNS", "RUST_LOG"]
    {
        command.env_remove(variable);
    }
    command
}

pub(crate) fn run(data: &Path, arguments: &[&str]) -> Output {
    staso(data, arguments).output().unwrap()
}

pub(crate) fn text(bytes: &[u8]) -> &str {
    std::str::from_utf8(bytes).unwrap()
}

/// A server in the background, which ends with the test.
pub(crate) struct Running {
    pub(crate) process: Child,
    pub(crate) lines: mpsc::Receiver<String>,
    pub(crate) url: String,
}

impl Running {
    /// Starts it and waits for the first line with its address, on standard output or error.
    pub(crate) fn start(data: &Path, arguments: &[&str]) -> Self {
        let mut command = staso(data, arguments);
        let mut process = command.stdout(Stdio::piped()).stderr(Stdio::piped()).spawn().unwrap();
        let (out, err) = (process.stdout.take().unwrap(), process.stderr.take().unwrap());
        let lines = follow(out, err);
        let mut running = Self { process, lines, url: String::new() };
        let line = running.wait_for("127.0.0.1:");
        let port: String =
            line.split("127.0.0.1:").nth(1).unwrap().chars().take_while(char::is_ascii_digit).collect();
        running.url = format!("http://127.0.0.1:{port}");
        running
    }

    /// The next line that contains the text.
    pub(crate) fn wait_for(&self, text: &str) -> String {
        let mut seen = Vec::new();
        loop {
            match self.lines.recv_timeout(WATCHDOG) {
                Ok(line) if line.contains(text) => return line,
                Ok(line) => seen.push(line),
                Err(_) => panic!("no `{text}` in {seen:#?}"),
            }
        }
    }

    pub(crate) fn signal(&self, name: &str) {
        let pid = self.process.id().to_string();
        assert!(Command::new("kill").args(["-s", name, &pid]).status().unwrap().success());
    }

    pub(crate) fn ended(&mut self) -> ExitStatus {
        let (ended, end) = mpsc::channel();
        let pid = self.process.id().to_string();
        // A watchdog: what does not end by itself fails the test instead of hanging it.
        let watchdog = thread::spawn(move || {
            if end.recv_timeout(WATCHDOG).is_err() {
                let _ = Command::new("kill").args(["-9", &pid]).status();
            }
        });
        let status = self.process.wait().unwrap();
        ended.send(()).unwrap();
        watchdog.join().unwrap();
        status
    }

    pub(crate) fn ingest(&self, trace: &Value) {
        let response = ureq::post(format!("{}/v1/traces/ingest", self.url))
            .header("x-api-key", "any")
            .header("content-type", "application/json")
            .send(json!({ "traces": [trace] }).to_string())
            .unwrap();
        assert_eq!(response.status(), 200);
    }
}

impl Drop for Running {
    fn drop(&mut self) {
        let _ = self.process.kill();
        let _ = self.process.wait();
    }
}

pub(crate) fn follow(out: ChildStdout, err: ChildStderr) -> mpsc::Receiver<String> {
    let (sender, lines) = mpsc::channel();
    let from_err = sender.clone();
    thread::spawn(move || {
        BufReader::new(out).lines().map_while(Result::ok).try_for_each(|line| sender.send(line))
    });
    thread::spawn(move || {
        BufReader::new(err).lines().map_while(Result::ok).try_for_each(|line| from_err.send(line))
    });
    lines
}

pub(crate) fn trace(id: &str, name: &str) -> Value {
    json!({
        "trace_id": id, "timestamp": "2026-01-02T03:04:05Z", "environment": "prod",
        "spans": [{
            "span_id": "1", "name": name, "kind": "agent", "timestamp": "2026-01-02T03:04:05Z", "duration_ms": 12.0,
            "status": "ok", "agent_name": "support-bot", "input": "{\"q\":\"hi\"}", "user_id": "alice",
        }],
    })
}
