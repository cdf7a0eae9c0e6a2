//! What large texts cost.

use std::{
    fs, thread,
    time::{Duration, Instant},
};

use serde_json::{Value, json};

use crate::process::{Running, WATCHDOG, trace};

fn status(process: u32, field: &str) -> u64 {
    let status = fs::read_to_string(format!("/proc/{process}/status")).unwrap();
    let line = status.lines().find_map(|line| line.strip_prefix(field)).unwrap();
    line.trim().trim_end_matches(" kB").parse().unwrap()
}

/// Sends a trace, again while the server has no time for it: to index such a text takes it a while.
fn ingest(server: &Running, trace: &Value) {
    let body = json!({ "traces": [trace] }).to_string();
    loop {
        let request = ureq::post(format!("{}/v1/traces/ingest", server.url))
            .header("x-api-key", "any")
            .header("content-type", "application/json");
        match request.send(&body) {
            Err(ureq::Error::StatusCode(429)) => {}
            answer => return assert_eq!(answer.unwrap().status(), 200),
        }
    }
}

/// What may be left of a trace that takes 40 MiB and more to store and to show. The allocator of the system keeps all.
const LEFT_KIB: u64 = 20 << 10;

#[test]
fn b15_memory_goes_back_after_a_huge_trace() {
    let data = tempfile::tempdir().unwrap();
    let server = Running::start(data.path(), &["dev", "--port", "0"]);
    let process = server.process.id();
    let before = status(process, "VmRSS:");
    let text = "a text of some length. ".repeat(60);
    for first in (0..10_000).step_by(500) {
        let mut part = trace("huge", "step");
        let span = part["spans"][0].take();
        part["spans"] = (first..first + 500)
            .map(|number| {
                let mut span = span.clone();
                span["span_id"] = json!(number.to_string());
                span["parent_span_id"] = if number == 0 { Value::Null } else { json!("0") };
                span["input"] = json!(json!({ "text": text, "number": number }).to_string());
                span
            })
            .collect();
        ingest(&server, &part);
    }
    for path in ["/v1/traces/huge", "/traces/huge", "/traces/huge/rows", "/v1/traces/huge/spans?limit=1000"] {
        let mut answer = ureq::get(format!("{}{path}", server.url)).call().unwrap();
        answer.body_mut().with_config().limit(u64::MAX).read_to_vec().unwrap();
    }
    let most = status(process, "VmHWM:");
    assert!(most > before + LEFT_KIB, "{before} KiB before, {most} KiB at most: too little to tell");
    // Memory that goes back does so without an event that could be waited for.
    let begun = Instant::now();
    while status(process, "VmRSS:") > before + LEFT_KIB {
        let after = status(process, "VmRSS:");
        assert!(begun.elapsed() < WATCHDOG, "{before} KiB before, {after} KiB after, {most} KiB at most");
        thread::park_timeout(Duration::from_millis(100));
    }
}
