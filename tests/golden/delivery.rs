//! What a client does and reports for each behaviour of a server, and at the end of its life.

use std::{thread, time::Duration};

use serde_json::{Value, json};
use staso::{Client, Span, testing::ManualClock};

use crate::{
    compare::{data, report},
    harness::{LONG, Outcome, Process, Run, builder, exclusive, settings},
    support::server::{Arrival, Opener, Server, Step, gate, refused_url, traces},
    wire::Request,
};

fn case(name: &str) -> Value {
    data("delivery")["cases"][name].take()
}

fn record(count: usize) {
    for index in 1..=count {
        Span::builder(format!("s{index}")).in_scope(|_| ());
    }
}

/// Every attempt of a case as its capture has it: which batch it is of, and what it holds.
fn attempts(captured: &Value) -> Vec<(usize, u64, u64)> {
    let attempts = captured["attempts"].as_array().expect("attempts");
    let keys: Vec<&str> = attempts.iter().filter_map(|attempt| attempt["idempotency_key"].as_str()).collect();
    let count = |attempt: &Value, what: &str| attempt[what].as_u64().expect("a count");
    let attempts = attempts.iter().zip(batches(&keys));
    attempts.map(|(attempt, batch)| (batch, count(attempt, "traces"), count(attempt, "spans"))).collect()
}

/// The same of what a server received. A repeated attempt has the same bytes.
fn received(arrivals: &[Arrival]) -> Vec<(usize, u64, u64)> {
    let keys: Vec<&str> = arrivals.iter().map(Arrival::key).collect();
    for arrival in arrivals {
        let first = arrivals.iter().find(|first| first.key() == arrival.key()).expect("itself at least");
        assert!(arrival.body == first.body, "the attempts of a batch differ: {arrivals:?}");
    }
    let received = arrivals.iter().map(Request::of).zip(batches(&keys));
    let count =
        |request: &Request| (request.body.list("traces").len() as u64, request.spans().count() as u64);
    received.map(|(request, batch)| (batch, count(&request).0, count(&request).1)).collect()
}

/// The number of the batch of each key, by first appearance.
fn batches(keys: &[&str]) -> Vec<usize> {
    keys.iter().map(|key| keys.iter().position(|known| known == key).unwrap_or_default()).collect()
}

/// What the server does at an attempt. The last entry of a plan goes on for ever.
fn step(plan: &Value, attempt: usize, openers: &mut Vec<Opener>) -> Step {
    let plan = plan.as_array().expect("a plan");
    let entry = plan.get(attempt).or(plan.last()).expect("an entry");
    let status = entry["status"].as_u64().unwrap_or(200) as u16;
    if entry["close"] == true {
        return Step::ReadBody;
    }
    if entry["delay_s"].is_number() {
        let (gate, opener) = gate();
        openers.push(opener);
        return Step::Hold(gate);
    }
    let Some(body) = entry.get("body") else {
        let mut extra = entry["ack_patch"].clone();
        // A key that the capture leaves out: one that is null is no better.
        for (_, value) in extra.as_object_mut().into_iter().flatten() {
            if value == "__del__" {
                value.take();
            }
        }
        return Step::AckWith { status, extra };
    };
    let body = body.as_str().map_or_else(|| body.to_string(), str::to_owned);
    let headers = entry["headers"].as_object().into_iter().flatten();
    let headers = headers.map(|(name, value)| (name.clone(), value.as_str().unwrap_or_default().to_owned()));
    Step::Reply { status, headers: headers.collect(), body: body.into_bytes() }
}

/// Flushes while the clock is moved over the waits between attempts, which are as long as the captured ones.
fn flush_over_waits(name: &str, captured: &Value, client: &Client, clock: &ManualClock) -> Value {
    let times = captured["attempts"].as_array().into_iter().flatten();
    let times: Vec<f64> = times.filter_map(|attempt| attempt["t_s"].as_f64()).collect();
    let delay = captured["server_plan"][0]["delay_s"].as_f64().map_or(0.0, |delay| delay.min(10.0));
    thread::scope(|threads| {
        let flush = threads.spawn(|| client.flush(LONG));
        for (index, pair) in times.windows(2).enumerate() {
            let captured = pair[1] - pair[0] - delay;
            if captured < 0.1 {
                continue;
            }
            let wait = clock.wait_for_wait(index + 2);
            // The waits grow by up to a fifth at random, except those that the server asks for.
            let difference = wait.as_secs_f64() - captured;
            assert!(
                (-0.05..=0.2).contains(&difference),
                "{name}: waited {wait:?} instead of {captured:.2} s"
            );
            clock.advance(wait);
        }
        report(&flush.join().expect("flush returns"))
    })
}

#[test]
fn every_behaviour_of_a_server_comes_to_the_same_attempts_and_report() {
    let cases = data("delivery")["cases"].take();
    let mut tested = 0;
    for (name, captured) in cases.as_object().expect("cases") {
        let (plan, reports) = (&captured["server_plan"], &captured["reports"]);
        if !plan.is_array() || !reports["flush_report"].is_object() {
            continue;
        }
        let mut openers = Vec::new();
        let mut expected = attempts(captured);
        if name == "http_413" {
            // The other SDK gives up. This one sends halves, each a batch of its own.
            expected.extend([(1, 1, 1), (2, 1, 1)]);
        }
        let steps: Vec<Step> = (0..expected.len()).map(|attempt| step(plan, attempt, &mut openers)).collect();
        let clock = ManualClock::new();
        let settings = builder().clock(clock.clone()).http_timeout(match openers.is_empty() {
            true => LONG,
            // The server has to have read the request by then.
            false => Duration::from_secs(2),
        });
        let run = Run::against(Server::script(steps), settings);
        let _ = clock.wait_for_wait(1);
        record(2);
        assert_eq!(flush_over_waits(name, captured, &run.client, &clock), reports["flush_report"], "{name}");
        // The other SDK repeats its counts when it is shut down, and so does this one.
        let Outcome { arrivals, report: end } = run.finish();
        assert_eq!(report(&end), reports["shutdown_report"], "{name}");
        assert_eq!(received(&arrivals), expected, "{name}");
        tested += 1;
    }
    assert_eq!(tested, 41);
}

#[test]
fn nobody_listens() {
    let captured = case("refused");
    let _exclusive = exclusive();
    let clock = ManualClock::new();
    let client = builder().base_url(refused_url()).clock(clock.clone()).init().expect("valid settings");
    let _ = clock.wait_for_wait(1);
    record(2);
    let flushed = thread::scope(|threads| {
        let flush = threads.spawn(|| client.flush(LONG));
        for count in [2, 3] {
            clock.advance(clock.wait_for_wait(count));
        }
        report(&flush.join().expect("flush returns"))
    });
    assert_eq!(flushed, captured["reports"]["flush_report"]);
    assert_eq!(report(&client.shutdown(LONG)), captured["reports"]["shutdown_report"]);
}

#[test]
fn a_flush_that_is_over_too_early_loses_nothing() {
    let captured = case("flush_timeout");
    let (gate, opener) = gate();
    let run = Run::against(Server::script([Step::Hold(gate)]), builder().batch_size(1));
    record(1);
    run.server.wait_for(1);
    assert_eq!(report(&run.client.flush(Duration::from_millis(1))), captured["reports"]["first"]);
    opener.open();
    assert_eq!(report(&run.client.flush(LONG)), captured["reports"]["second"]);
    let Outcome { arrivals, report: end } = run.finish();
    assert_eq!(report(&end), captured["reports"]["shutdown"]);
    assert_eq!(received(&arrivals), attempts(&captured));
}

#[test]
fn a_shutdown_that_is_over_too_early_leaves_spans_pending() {
    let captured = case("shutdown_timeout");
    let reports = &captured["reports"];
    let (gate, opener) = gate();
    let run = Run::against(Server::script([Step::Hold(gate)]), builder().batch_size(1));
    record(1);
    run.server.wait_for(1);
    assert_eq!(report(&run.client.shutdown(Duration::from_millis(1))), reports["first"]);
    // The other SDK waits for the request in the background, and a second call reports it delivered. Here a
    // shutdown cuts it short: the sender is gone when it returns, and a second call says so.
    assert_eq!(reports["second_same_client"]["delivered"], 1);
    assert_eq!(report(&run.client.shutdown(LONG)), reports["module_shutdown_again"]);
    assert_eq!(report(&staso::shutdown(LONG)), reports["module_shutdown_again"]);
    assert_eq!(report(&staso::flush(LONG)), reports["module_flush"]);
    opener.open();
    assert_eq!(received(&run.server.arrivals()), attempts(&captured));
}

#[test]
fn a_span_that_ends_after_the_shutdown_is_rejected() {
    let captured = case("span_open_over_shutdown");
    let run = Run::start(builder());
    // The other SDK sends nothing of it. Here it is delivered as far as it got; its end is rejected alike.
    let with_the_unfinished_one = |captured: &Value| {
        let mut expected = captured.clone();
        (expected["accepted"], expected["delivered"]) = (1.into(), 1.into());
        expected
    };
    let reports = &captured["reports"];
    Span::builder("open").in_scope(|_| {
        let at_shutdown = report(&run.client.shutdown(LONG));
        assert_eq!(at_shutdown, with_the_unfinished_one(&reports["at_shutdown"]));
    });
    assert_eq!(report(&run.client.report()), with_the_unfinished_one(&reports["after_span_end"]));
    assert_eq!(run.server.arrivals().len(), 1);
}

#[test]
fn a_client_that_is_switched_off_looks_at_no_other_setting() {
    let captured = case("disabled");
    let _exclusive = exclusive();
    let client = settings()
        .api_key("change-me")
        .base_url("http://example.com")
        .enabled(false)
        .init()
        .expect("nothing else is looked at");
    record(2);
    assert_eq!(report(&client.flush(LONG)), captured["reports"]["flush_report"]);
    assert_eq!(report(&client.shutdown(LONG)), captured["reports"]["shutdown_report"]);
}

#[test]
fn functions_run_before_there_is_a_client() {
    #[staso::tool]
    fn t() -> u32 {
        1
    }

    let captured = case("uninitialised");
    Process::with(&[]).run(|| {
        assert_eq!(json!(t()), captured["reports"]["value"]);
        assert_eq!(report(&staso::flush(LONG)), captured["reports"]["flush"]);
        assert_eq!(report(&staso::shutdown(LONG)), captured["reports"]["shutdown"]);
    });
}

#[test]
fn a_second_client_retires_the_first() {
    let captured = case("reinit");
    let first = Run::start(builder());
    record(1);
    let second = builder().base_url(first.server.url()).init().expect("valid settings");
    record(1);
    let previous = second.previous_shutdown_report().expect("there was one before");
    assert_eq!(report(&previous), captured["reports"]["previous"]);
    assert_eq!(report(&second.shutdown(LONG)), captured["reports"]["shutdown"]);
    assert_eq!(received(&first.server.arrivals()), attempts(&captured));
}

#[test]
fn a_root_that_ends_soon_is_one_span() {
    #[staso::agent]
    fn quick() {}

    let mut captured = case("coalesced_counts");
    // The announcement is not counted.
    captured["reports"]["flush"]["accepted"] = json!(1);
    captured["reports"]["flush"]["delivered"] = json!(1);
    let run = Run::start(builder());
    quick();
    assert_eq!(report(&run.client.flush(LONG)), captured["reports"]["flush"]);
    assert_eq!(received(&run.finish().arrivals), attempts(&captured));
}

#[test]
fn a_program_that_just_exits_delivers() {
    let captured = case("fork_exit");
    let server = Server::acknowledging();
    Process::with(&[("STASO_BASE_URL", &server.url())]).run(|| {
        let client = settings().init().expect("valid settings");
        record(1);
        // The process exits when this returns.
        std::mem::forget(client);
    });
    assert_eq!(received(&server.arrivals()), attempts(&captured));
    assert_eq!(traces(&server.arrivals()).len(), 1);
}
