//! Many spans, large ones, and more than the queue takes. Of these captures only counts and lengths exist.

use std::time::Duration;

use serde_json::{Value, json};
use staso::{Span, testing::ManualClock};

use crate::{
    compare::{data, report},
    harness::{Run, builder},
    support::server::{Arrival, Server, Step, gate, traces},
    wire::Request,
};

/// How many traces and spans each request holds.
fn counts(arrivals: &[Arrival]) -> Vec<Value> {
    let requests = arrivals.iter().map(Request::of);
    let counts = requests.map(
        |request| json!({"traces": request.body.list("traces").len(), "spans": request.spans().count()}),
    );
    counts.collect()
}

#[test]
fn a_full_batch_is_sent_at_once() {
    #[staso::tool]
    fn root() {}

    let captured = data("batch_250");
    let sum = |key: &str| -> u64 {
        captured["requests"]
            .as_array()
            .into_iter()
            .flatten()
            .filter_map(|request| request[key].as_u64())
            .sum()
    };
    assert_eq!((sum("traces"), sum("spans")), (250, 250));
    let run = Run::start(builder().batch_size(100));
    for _ in 0..250 {
        root();
    }
    let outcome = run.finish();
    // Batches are of 100 spans; the captured ones are of 100 versions, of which each root has two.
    let full = json!({"traces": 100, "spans": 100});
    assert_eq!(counts(&outcome.arrivals), [full.clone(), full, json!({"traces": 50, "spans": 50})]);
    let mut expected = captured["shutdown_report"].clone();
    expected["accepted"] = json!(250);
    expected["delivered"] = json!(250);
    assert_eq!(report(&outcome.report), expected);
}

#[test]
fn a_full_queue_refuses_the_newest() {
    let mut expected = data("queue_full")["shutdown_report"].take();
    let (gate, opener) = gate();
    let run =
        Run::against(Server::script_then_ack([Step::Hold(gate)]), builder().max_queue_size(5).batch_size(1));
    Span::builder("s").in_scope(|_| ());
    run.server.wait_for(1);
    for _ in 1..40 {
        Span::builder("s").in_scope(|_| ());
    }
    // A span that is being sent counts as waiting: the limit is one of memory. How many had been delivered
    // when the time was over depends on the machine.
    for (key, value) in [("accepted", 5), ("delivered", 0), ("pending", 5), ("rejected", 35)] {
        expected[key] = json!(value);
    }
    assert_eq!(report(&run.client.flush(Duration::from_millis(1))), expected);
    opener.open();
    let outcome = run.finish();
    let one = json!({"traces": 1, "spans": 1});
    assert_eq!(counts(&outcome.arrivals), vec![one; 5]);
}

const LARGE: usize = 5_242_880;

/// What the argument and the result of the span in a request are, if it has them.
fn texts(arrival: &Arrival) -> (Option<String>, Option<String>) {
    let span = &traces(std::slice::from_ref(arrival))[0]["spans"][0];
    let text = |document: &str, key: &str| {
        let document: Value = serde_json::from_str(span[document].as_str()?).ok()?;
        document[key].as_str().map(str::to_owned)
    };
    (text("input", "s"), text("output", "result"))
}

#[test]
fn a_large_value_is_sent_whole_where_the_limit_allows_it() {
    #[staso::tool(skip(clock))]
    fn echo_slowly(s: &str, clock: &ManualClock) -> String {
        let waits = clock.waits().len();
        clock.advance(Duration::from_millis(500));
        let _ = clock.wait_for_wait(waits + 1);
        s.to_owned()
    }

    let clock = ManualClock::new();
    let run = Run::start(
        builder()
            .field_limit(8 << 20)
            .flush_interval(Duration::from_millis(500))
            .clock(clock.clone())
            // Looking for credentials in megabytes is slow without optimization.
            .mask_credentials(false),
    );
    let _ = clock.wait_for_wait(1);
    let large = "x".repeat(LARGE);
    assert_eq!(echo_slowly(&large, &clock), large);
    let arrivals = run.finish().arrivals;
    // Of the captured documents only lengths are known; they have a blank behind each colon.
    let captured = data("large_payload");
    let length = |request: usize, document: &str| {
        captured["requests"][request]["span_field_lengths"][0][document]
            .as_u64()
            .map(|length| length as usize)
    };
    let (input, output) = (r#"{"s": ""}"#.len() + LARGE, r#"{"result": ""}"#.len() + LARGE);
    assert_eq!((length(0, "input"), length(0, "output")), (Some(input), Some(0)));
    assert_eq!((length(1, "input"), length(1, "output")), (Some(input), Some(output)));
    let sent: Vec<_> = arrivals.iter().map(texts).collect();
    assert!(sent == [(Some(large.clone()), None), (Some(large.clone()), Some(large))]);
}

#[test]
fn a_large_value_is_cut_at_the_limit() {
    #[staso::tool]
    fn echo(s: &str) -> &str {
        s
    }

    let run = Run::start(builder());
    let large = "x".repeat(LARGE);
    assert_eq!(echo(&large), large);
    let outcome = run.finish();
    // A field has a limit, which is 64 KiB unless it is set.
    let cut = format!("{}… [cut {} bytes]", "x".repeat(65_536), LARGE - 65_536);
    assert!(texts(&outcome.arrivals[0]) == (Some(cut.clone()), Some(cut)));
    assert_eq!(outcome.report.delivered(), 1);
}
