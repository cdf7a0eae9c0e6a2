//! How fast the backend is, and how large: spans a second with durable acknowledgement, bytes on disk,
//! memory, and the 95th percentile of every page and query.
//!
//! ```console
//! cargo bench -p staso-server
//! STASO_BENCH_SPANS=50000 cargo bench -p staso-server
//! ```
//!
//! With 50,000 spans it fails when a measure is over its line in `baseline.txt`.
//!
//! The server is a process of its own, held to one core by `taskset` where that is installed.

#![allow(missing_docs, clippy::cast_precision_loss, clippy::cast_possible_truncation)]

mod client;
mod load;
mod server;

use std::{
    env,
    error::Error,
    sync::{
        Arc,
        atomic::{AtomicU64, AtomicUsize, Ordering},
        mpsc,
    },
    thread,
    time::{Duration, Instant},
};

use client::Client;
use load::{CONTENT, Load, SPANS};
use server::Server;
use staso_server::model::Timestamp;

const CONNECTIONS: usize = 16;
const TRACES_IN_BATCH: usize = 10;
/// The traces are spread over a month that ends now.
const MONTH: Duration = Duration::from_secs(30 * 24 * 3600);

/// Of so many spans is what `baseline.txt` has: what is on disk depends on how many there are.
const BASELINE_SPANS: usize = 50_000;

fn main() -> Result<(), Box<dyn Error>> {
    let spans =
        env::var("STASO_BENCH_SPANS").map_or(1_000_000, |text| text.parse().expect("a number of spans"));
    let batches = (spans / (TRACES_IN_BATCH * SPANS)).max(1);
    let spans = batches * TRACES_IN_BATCH * SPANS;
    let mut server = Server::start();
    println!(
        "{spans} spans of {CONTENT} B of content, {SPANS} a trace, batches of {}",
        TRACES_IN_BATCH * SPANS
    );

    let (took, wire_bytes, refused) = ingest(&server, batches);
    let rate = spans as f64 / took.as_secs_f64();
    println!("\ningested over HTTP       {rate:>10.0} spans/s   (aim 50,000), {refused} answers of 429");
    println!("on the wire              {:>10.0} B/span", wire_bytes as f64 / spans as f64);
    println!("resident after ingest    {:>10.1} MiB", server.resident_mib());
    let settling = server.settle();
    let sustained = spans as f64 / (took + settling).as_secs_f64();
    println!(
        "settled (text indexed)   {:>10.1} s after the last answer: {sustained:.0} spans/s in all",
        settling.as_secs_f64()
    );
    let on_disk = server.disk_bytes() as f64 / spans as f64;
    println!("on disk                  {on_disk:>10.0} B/span    (aim under 600)");

    server.use_every_core();
    println!("\n{:<66} {:>8} {:>8} {:>9}", "query, the server on every core", "p50 ms", "p95 ms", "KiB");
    let mut slow = Vec::new();
    for (name, paths) in queries(&server) {
        let (p50, p95, bytes) = measure(&server, &paths);
        println!("{name:<66} {p50:>8.2} {p95:>8.2} {:>9.1}", bytes as f64 / 1024.0);
        if p95 > 50.0 {
            slow.push(name);
        }
    }
    println!(
        "\nover the aim of 50 ms: {}",
        if slow.is_empty() { "none".to_owned() } else { slow.join(", ") }
    );
    println!("resident after queries   {:>10.1} MiB       (aim under 150)", server.resident_mib());
    println!("at most                  {:>10.1} MiB", server.peak_mib());
    server.stop();
    if spans == BASELINE_SPANS { compare(&[("disk", on_disk)]) } else { Ok(()) }
}

/// What was measured before, a name and a number to a line.
const BASELINE: &str = include_str!("baseline.txt");

/// Up to where a measure passes, of its baseline.
const ROOM: f64 = 1.03;

/// Prints each measure beside its baseline.
///
/// # Errors
///
/// When one is over it.
fn compare(measured: &[(&str, f64)]) -> Result<(), Box<dyn Error>> {
    println!("\nagainst benches/backend/baseline.txt:");
    let mut over = Vec::new();
    for (name, now) in measured {
        let line = BASELINE.lines().find_map(|line| line.strip_prefix(name)?.strip_prefix(' '));
        let baseline: f64 = line.ok_or_else(|| format!("`{name}` has no baseline"))?.parse()?;
        println!("{name:12} {baseline:9.0} -> {now:9.0}  {:+6.1} %", (now / baseline - 1.0) * 100.0);
        if *now > baseline * ROOM {
            over.push(*name);
        }
    }
    match over.as_slice() {
        [] => Ok(()),
        over => Err(format!("more than 3 % over the baseline: {}", over.join(", ")).into()),
    }
}

/// Sends everything from several connections; bodies are made on a thread beside them.
fn ingest(server: &Server, batches: usize) -> (Duration, u64, usize) {
    let traces = (batches * TRACES_IN_BATCH) as u128;
    let first = Timestamp::now().before(MONTH).as_micros();
    let mut load = Load::new(7, first, (MONTH.as_micros() / traces) as i64);
    let (sender, receiver) = mpsc::sync_channel::<(usize, String)>(64);
    let receiver = Arc::new(std::sync::Mutex::new(receiver));
    let (bytes, refused) = (AtomicU64::new(0), AtomicUsize::new(0));
    let begun = Instant::now();
    thread::scope(|scope| {
        for _ in 0..CONNECTIONS {
            scope.spawn(|| {
                let mut client = server.connect();
                loop {
                    let next = receiver.lock().expect("no panic elsewhere").recv();
                    let Ok((number, body)) = next else { return };
                    bytes.fetch_add(body.len() as u64, Ordering::Relaxed);
                    refused.fetch_add(deliver(&mut client, number, &body), Ordering::Relaxed);
                }
            });
        }
        for number in 0..batches {
            sender.send((number, load.body(TRACES_IN_BATCH))).expect("a connection takes it");
        }
        drop(sender);
    });
    (begun.elapsed(), bytes.into_inner(), refused.into_inner())
}

/// Sends a batch until it is acknowledged in full. How often the server asked to wait.
fn deliver(client: &mut Client, number: usize, body: &str) -> usize {
    let key = format!("bench-{number}");
    for refused in 0.. {
        let answer = client.ingest(&key, body.as_bytes()).expect("an answer");
        match answer.status {
            200 | 202 => {
                let ack: serde_json::Value =
                    serde_json::from_slice(&answer.body).expect("an acknowledgement");
                assert_eq!(ack["accepted"], TRACES_IN_BATCH, "{ack}");
                assert_eq!(ack["receipt_id"], key.as_str(), "{ack}");
                return refused;
            }
            429 => thread::sleep(Duration::from_secs(answer.retry_after.expect("a time to wait"))),
            other => panic!("{other}: {}", String::from_utf8_lossy(&answer.body)),
        }
    }
    0
}

/// Every page and query, each with the paths that are asked for in turn.
fn queries(server: &Server) -> Vec<(String, Vec<String>)> {
    let mut client = server.connect();
    let mut json = |path: &str| -> serde_json::Value {
        let answer = client.get(path).expect("an answer");
        assert_eq!(answer.status, 200, "{path}: {}", String::from_utf8_lossy(&answer.body));
        serde_json::from_slice(&answer.body).expect("JSON")
    };
    let texts = |list: &serde_json::Value, key: &str| -> Vec<String> {
        let items = list["items"].as_array().expect("items");
        items.iter().map(|item| item[key].as_str().expect("text").to_owned()).collect()
    };
    let page = json("/v1/traces?limit=100");
    let traces = texts(&page, "trace_id");
    let conversations = texts(&json("/v1/conversations?limit=100"), "conversation_id");
    let cursor = page["next_cursor"].as_str().expect("more than a page").to_owned();
    let words: Vec<String> =
        traces.iter().take(20).map(|trace| some_word(&json(&format!("/v1/traces/{trace}/spans")))).collect();
    let each =
        |ids: &[String], path: &str| -> Vec<String> { ids.iter().map(|id| path.replace("{}", id)).collect() };
    let one = |path: &str| vec![path.to_owned()];
    let mut queries = vec![
        ("traces, newest", one("/v1/traces")),
        ("traces, next page", one(&format!("/v1/traces?cursor={cursor}"))),
        ("traces, slowest", one("/v1/traces?sort=slowest")),
        ("traces, costliest of an agent", one("/v1/traces?sort=costliest&agent=support-bot-3")),
        ("traces, failed in staging", one("/v1/traces?status=error&environment=staging")),
        ("traces of a user", each(&["7".to_owned(), "4321".to_owned()], "/v1/traces?user=customer-{}")),
        ("traces of a model, over 4 s", one("/v1/traces?model=gpt-4o&min_duration=4s")),
        ("traces by tag and kind, a day", one("/v1/traces?tag=tier-1&kind=tool&since=24h")),
        ("traces with a rare word", each(&words, "/v1/traces?text={}")),
        ("traces with a frequent word", one("/v1/traces?text=carrier")),
        ("traces with two words, failed", one("/v1/traces?text=carrier%20parcel&status=error")),
        ("trace", each(&traces, "/v1/traces/{}")),
        ("spans of a trace", each(&traces, "/v1/traces/{}/spans")),
        ("conversations", one("/v1/conversations")),
        ("conversations of an agent", one("/v1/conversations?agent=support-bot-5")),
        ("conversation", each(&conversations, "/v1/conversations/{}")),
        ("agents, a day", one("/v1/agents?since=24h")),
        ("agents, a month", one("/v1/agents?since=30d")),
        ("users, a month", one("/v1/users?since=30d")),
        ("metrics by model, a month in days", one("/v1/metrics?by=model&since=30d&bucket=24h")),
        ("metrics by user, a month", one("/v1/metrics?by=user&since=30d")),
        ("metrics of an agent, a week in hours", one("/v1/metrics?agent=support-bot-1&since=7d&bucket=1h")),
        ("page: overview, a day", one("/?since=24h")),
        ("page: overview, a month", one("/?since=30d")),
        ("page: traces", one("/traces")),
        ("page: traces, text", each(&words, "/traces?text={}")),
        ("page: trace", each(&traces, "/traces/{}")),
        ("page: conversations", one("/conversations")),
        ("page: conversation", each(&conversations, "/conversations/{}")),
        ("page: users", one("/users?since=30d")),
        ("page: agent, a month", one("/agents/support-bot-2?since=30d")),
        ("page: settings", one("/settings")),
    ];
    queries.drain(..).map(|(name, paths)| (name.to_owned(), paths)).collect()
}

/// A word of some length from what went into a span.
fn some_word(spans: &serde_json::Value) -> String {
    let text =
        spans["items"][0]["record"]["input"].as_str().or(spans["items"][0]["input"].as_str()).expect("input");
    let words = text.split(|letter: char| !letter.is_alphanumeric());
    words.max_by_key(|word| word.len()).expect("a word").to_owned()
}

/// The median and 95th percentile in milliseconds over 100 requests, after 5 that warm up; and the size.
fn measure(server: &Server, paths: &[String]) -> (f64, f64, usize) {
    let mut client = server.connect();
    let mut took = Vec::new();
    let mut bytes = 0;
    for (index, path) in paths.iter().cycle().take(105).enumerate() {
        let answer = client.get(path).expect("an answer");
        assert_eq!(answer.status, 200, "{path}: {}", String::from_utf8_lossy(&answer.body));
        bytes = bytes.max(answer.body.len());
        if index >= 5 {
            took.push(answer.took.as_secs_f64() * 1e3);
        }
    }
    took.sort_by(f64::total_cmp);
    (took[50], took[94], bytes)
}
