//! `kill -9` while four clients send over HTTP: what was acknowledged is there.

use std::{collections::BTreeSet, sync::mpsc, thread};

use serde_json::{Value, json};

use crate::process::{Running, run, text, trace};

const ROUNDS: u64 = 10;
const CLIENTS: u64 = 4;

#[test]
fn what_was_acknowledged_over_http_survives_kill_9() {
    let data = tempfile::tempdir().unwrap();
    let mut acknowledged = BTreeSet::new();
    let mut seed = 0x2545_F491_4F6C_DD1D_u64;
    for round in 0..ROUNDS {
        seed = seed.wrapping_mul(6_364_136_223_846_793_005).wrapping_add(1_442_695_040_888_963_407);
        let mut server = Running::start(data.path(), &["dev", "--port", "0"]);
        let (sender, answered) = mpsc::channel();
        thread::scope(|scope| {
            for client in 0..CLIENTS {
                let (url, sender) = (&server.url, sender.clone());
                scope.spawn(move || {
                    (0..).map(|number| format!("{round}-{client}-{number}")).try_for_each(|id| {
                        send(url, &id)?;
                        sender.send(id).map_err(|_| ())
                    })
                });
            }
            drop(sender);
            acknowledged.extend(answered.iter().take(1 + (seed >> 33) as usize % 60));
            server.process.kill().unwrap();
            acknowledged.extend(answered.iter());
        });
        assert!(!server.process.wait().unwrap().success());
    }
    let exported = run(data.path(), &["export", "--format", "jsonl"]);
    assert!(exported.status.success(), "{}", text(&exported.stderr));
    let stored: Vec<Value> =
        text(&exported.stdout).lines().map(|line| serde_json::from_str(line).unwrap()).collect();
    let ids: BTreeSet<String> =
        stored.iter().map(|trace| trace["trace_id"].as_str().unwrap().to_owned()).collect();
    assert_eq!(ids.len(), stored.len(), "a trace is there twice");
    assert!(acknowledged.len() as u64 >= ROUNDS);
    assert_eq!(acknowledged.difference(&ids).collect::<Vec<_>>(), Vec::<&String>::new(), "lost");
}

/// Sends a trace of that identifier. An error when no acknowledgement comes.
fn send(url: &str, id: &str) -> Result<(), ()> {
    let body = json!({ "traces": [trace(id, "step")] }).to_string();
    let request = ureq::post(format!("{url}/v1/traces/ingest"))
        .header("x-api-key", "any")
        .header("content-type", "application/json");
    let mut answer = request.send(body).map_err(|_| ())?;
    // An acknowledgement that broke off is none.
    let answer: Value =
        serde_json::from_str(&answer.body_mut().read_to_string().map_err(|_| ())?).map_err(|_| ())?;
    if answer["accepted"] == 1 { Ok(()) } else { Err(()) }
}
