//! What large texts cost.

use std::{fs, thread};

use serde_json::{Value, json};

use crate::process::{Running, trace};

/// Far less than the texts of four searches at once, decoded and copied.
const BOUND_KIB: u64 = 256 << 10;

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

#[test]
#[ignore = "a debug build takes longer for it than a query may: run it with --release"]
fn searches_over_large_texts_stay_bounded() {
    let data = tempfile::tempdir().unwrap();
    let server = Running::start(data.path(), &["dev", "--port", "0"]);
    let text = "a large text \\n with \\u00e9scapes, ".repeat(300_000);
    for number in 0..4 {
        let mut large = trace(&format!("large-{number}"), "large");
        large["spans"][0]["input"] = json!(format!("{{\"text\": \"{text}needle-{number}\"}}"));
        ingest(&server, &large);
    }
    let process = server.process.id();
    let before = status(process, "VmRSS:");
    // From here on, the most that it had is counted anew.
    fs::write(format!("/proc/{process}/clear_refs"), "5").unwrap();
    thread::scope(|scope| {
        for number in 0..4 {
            let url = format!("{}/v1/traces?text=needle-{number}", server.url);
            scope.spawn(move || {
                let mut answer = ureq::get(url).call().unwrap();
                let answer: Value =
                    serde_json::from_str(&answer.body_mut().read_to_string().unwrap()).unwrap();
                assert_eq!(answer["items"][0]["trace_id"], format!("large-{number}"));
                assert_eq!(answer["items"].as_array().unwrap().len(), 1);
            });
        }
    });
    let most = status(process, "VmHWM:");
    assert!(most < before + BOUND_KIB, "{before} KiB before, {most} KiB at most");
}
