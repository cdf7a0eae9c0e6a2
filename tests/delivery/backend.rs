//! The wire contract's failure table: attempts, waits, report, and the same key and bytes every time.

use std::{thread, time::Duration};

use serde_json::json;
use staso::{export::FailureKind, testing::ManualClock};

use crate::{
    harness::{CANARY_KEY, LONG, client_at, counts, exclusive, record},
    support::server::{Server, Step, gate, refused_url, spans},
};

/// What two spans and a flush come to.
struct Expected {
    attempts: usize,
    /// In milliseconds, shortest and longest.
    waits: &'static [(u64, u64)],
    failure: Option<(FailureKind, bool)>,
}

const FIRST: (u64, u64) = (500, 600);
const SECOND: (u64, u64) = (1_000, 1_200);

fn check(case: &str, steps: Vec<Step>, expected: &Expected) {
    let _exclusive = exclusive();
    let server = Server::script(steps);
    let clock = ManualClock::new();
    let client = client_at(&server.url(), &clock);
    record(2);
    let report = thread::scope(|threads| {
        let flush = threads.spawn(|| client.flush(LONG));
        for (index, (shortest, longest)) in expected.waits.iter().enumerate() {
            let wait = clock.wait_for_wait(index + 2);
            let bounds = Duration::from_millis(*shortest)..=Duration::from_millis(*longest);
            assert!(bounds.contains(&wait), "{case}: waited {wait:?}");
            clock.advance(wait);
        }
        flush.join().expect("flush returns")
    });
    let arrivals = server.arrivals();
    assert_eq!(arrivals.len(), expected.attempts, "{case}: attempts");
    for arrival in &arrivals {
        assert_eq!(arrival.key(), arrivals[0].key(), "{case}: one key per batch");
        let last = &arrivals[arrivals.len() - 1].body;
        // A step that reads only the head leaves the body empty.
        assert!(arrival.body.is_empty() || arrival.body == *last, "{case}: one body per batch");
        assert_eq!(arrival.header("X-API-Key"), Some(CANARY_KEY), "{case}");
    }
    assert_eq!(spans(&arrivals).len(), 2, "{case}: stored once");
    let counts = counts(&report);
    match expected.failure {
        None => assert!(report.ok(), "{case}: {counts}"),
        Some((kind, retryable)) => {
            assert_eq!((report.failed(), report.last_failure()), (2, Some(kind)), "{case}: {counts}");
            assert_eq!(report.retryable(), retryable, "{case}");
            assert!(!report.ok() && !report.timed_out(), "{case}");
        }
    }
}

fn once(failure: Option<(FailureKind, bool)>) -> Expected {
    Expected { attempts: 1, waits: &[], failure }
}

fn retry_after(value: &str) -> Step {
    Step::reply_with(429, "Retry-After", value, "")
}

#[test]
fn a_complete_acknowledgement_delivers() {
    check("200", vec![Step::Ack], &once(None));
    for (status, extra) in [(200, json!({"more": 1})), (202, json!({})), (299, json!({}))] {
        check(&format!("{status} {extra}"), vec![Step::AckWith { status, extra }], &once(None));
    }
}

#[test]
fn an_incomplete_acknowledgement_fails_the_whole_batch_at_once() {
    let malformed = once(Some((FailureKind::MalformedResponse, false)));
    for extra in [
        json!({"accepted": 1}),
        json!({"accepted": 3}),
        json!({"accepted": 2.0}),
        json!({"accepted": null}),
        json!({"rejected": 1}),
        json!({"rejected": false}),
        json!({"spans_dropped": 1}),
        json!({"spans_dropped": "0"}),
        json!({"receipt_id": "another"}),
        json!({"receipt_id": null}),
    ] {
        check(&extra.to_string(), vec![Step::AckWith { status: 200, extra: extra.clone() }], &malformed);
    }
    let deep = "[".repeat(100_000);
    for body in
        ["", "<html></html>", "[]", "{}", "\u{fffd}", "{\"accepted\":2,\"accepted\":2}", deep.as_str()]
    {
        check(&body.chars().take(40).collect::<String>(), vec![Step::reply(200, body)], &malformed);
    }
    check("not UTF-8", vec![Step::reply(200, [0xff, 0xfe])], &malformed);
    check("204", vec![Step::reply(204, "")], &malformed);
    check("an endless answer", vec![Step::Endless], &malformed);
}

#[test]
fn a_refusal_is_not_tried_again_and_says_what_it_is() {
    for (status, kind) in [
        (401, FailureKind::InvalidKey),
        (402, FailureKind::PlanExpired),
        (403, FailureKind::Forbidden),
        (400, FailureKind::MalformedResponse),
        (404, FailureKind::MalformedResponse),
        (408, FailureKind::MalformedResponse),
        (409, FailureKind::MalformedResponse),
        (422, FailureKind::MalformedResponse),
    ] {
        check(&status.to_string(), vec![Step::reply(status, "")], &once(Some((kind, false))));
    }
}

#[test]
fn a_redirect_is_not_followed_and_the_key_reaches_nobody_else() {
    let elsewhere = Server::script([]);
    for status in [301, 302, 307, 308] {
        let step = Step::reply_with(status, "Location", &elsewhere.url(), "");
        check(&status.to_string(), vec![step], &once(Some((FailureKind::MalformedResponse, false))));
    }
    assert!(elsewhere.arrivals().is_empty());
}

#[test]
fn too_many_requests_without_a_usable_wait_are_not_tried_again() {
    let limited = once(Some((FailureKind::RateLimited, true)));
    check("none", vec![Step::reply(429, "")], &limited);
    for value in ["Wed, 21 Oct 2026 07:28:00 GMT", "-1", "NaN", "inf", "61", "1e308", ""] {
        check(value, vec![retry_after(value)], &limited);
    }
}

#[test]
fn too_many_requests_wait_exactly_as_long_as_the_backend_asks() {
    let delivered = |waits| Expected { attempts: 2, waits, failure: None };
    check("0", vec![retry_after("0"), Step::Ack], &delivered(&[(0, 0)]));
    check("0.25", vec![retry_after("0.25"), Step::Ack], &delivered(&[(250, 250)]));
    check("1", vec![retry_after("1"), Step::Ack], &delivered(&[(1_000, 1_000)]));
    check("60", vec![retry_after("60"), Step::Ack], &delivered(&[(60_000, 60_000)]));
    let always = || retry_after("1");
    check(
        "1, always",
        vec![always(), always(), always()],
        &Expected {
            attempts: 3,
            waits: &[(1_000, 1_000), (1_000, 1_000)],
            failure: Some((FailureKind::RateLimited, true)),
        },
    );
}

#[test]
fn a_wait_that_the_backend_asks_for_is_never_cut_short() {
    let _exclusive = exclusive();
    let server = Server::script([retry_after("60"), Step::Ack]);
    let clock = ManualClock::new();
    let client = client_at(&server.url(), &clock);
    record(1);
    thread::scope(|threads| {
        let flush = threads.spawn(|| client.flush(LONG));
        let _ = clock.wait_for_wait(2);
        clock.advance(Duration::from_millis(59_999));
        let _ = clock.wait_for_wait(2);
        assert_eq!((server.arrivals().len(), clock.waits().len()), (1, 2));
        clock.advance(Duration::from_millis(1));
        assert!(flush.join().expect("flush returns").ok());
    });
    assert_eq!(server.arrivals().len(), 2);
}

#[test]
fn a_backend_with_an_error_of_its_own_is_tried_three_times() {
    let unavailable = Expected {
        attempts: 3,
        waits: &[FIRST, SECOND],
        failure: Some((FailureKind::BackendUnavailable, true)),
    };
    for status in [500, 502, 503, 504] {
        check(&status.to_string(), (0..3).map(|_| Step::reply(status, "")).collect(), &unavailable);
    }
    let with_header = || Step::reply_with(503, "Retry-After", "5", "");
    check("503 with Retry-After", vec![with_header(), with_header(), with_header()], &unavailable);
}

#[test]
fn a_backend_that_recovers_gets_the_batch_once() {
    let second = Expected { attempts: 2, waits: &[FIRST], failure: None };
    check("500 once", vec![Step::reply(500, ""), Step::Ack], &second);
    check("dies after the head", vec![Step::ReadHead, Step::Ack], &Expected { attempts: 2, ..second });
    let second = Expected { attempts: 2, waits: &[FIRST], failure: None };
    check("dies after the body", vec![Step::ReadBody, Step::Ack], &second);
    check("resets after the body", vec![Step::Reset, Step::Ack], &second);
    let third = Expected { attempts: 3, waits: &[FIRST, (1_000, 1_000)], failure: None };
    check("503, 429, 200", vec![Step::reply(503, ""), retry_after("1"), Step::Ack], &third);
}

#[test]
fn a_connection_that_breaks_every_time_is_a_network_failure() {
    let steps = vec![Step::ReadBody, Step::ReadBody, Step::ReadBody];
    let expected = Expected {
        attempts: 3,
        waits: &[FIRST, SECOND],
        failure: Some((FailureKind::NetworkUnavailable, true)),
    };
    check("closed", steps, &expected);
}

#[test]
fn a_backend_that_is_down_is_not_an_error_of_init_and_the_agent_goes_on() {
    let _exclusive = exclusive();
    let clock = ManualClock::new();
    let client = client_at(&refused_url(), &clock);
    record(2);
    let report = thread::scope(|threads| {
        let flush = threads.spawn(|| client.flush(LONG));
        for count in [2, 3] {
            clock.advance(clock.wait_for_wait(count));
        }
        flush.join().expect("flush returns")
    });
    assert_eq!((report.failed(), report.last_failure()), (2, Some(FailureKind::NetworkUnavailable)));
    assert!(report.retryable(), "{}", counts(&report));
}

/// A deadline that has to pass, long enough for a server on a busy machine to read a request before.
const SLOW: Duration = Duration::from_secs(2);

#[test]
fn an_answer_that_trickles_or_never_comes_is_cut_at_the_deadline() {
    for slow in [Step::Trickle as fn(_) -> _, Step::Park, Step::Hold] {
        let _exclusive = exclusive();
        let (gate, opener) = gate();
        let server = Server::script([slow(gate), Step::Ack]);
        let clock = ManualClock::new();
        let client = crate::harness::builder()
            .base_url(server.url())
            .clock(clock.clone())
            .http_timeout(SLOW)
            .init()
            .expect("valid settings");
        let _ = clock.wait_for_wait(1);
        // More than the system's buffers take in while nobody reads.
        staso::Span::builder("step").in_scope(|span| span.set_input(&"x".repeat(60_000)));
        let report = thread::scope(|threads| {
            let flush = threads.spawn(|| client.flush(LONG));
            clock.advance(clock.wait_for_wait(2));
            flush.join().expect("flush returns")
        });
        opener.open();
        assert!(report.ok(), "{}", counts(&report));
        assert_eq!(spans(&server.arrivals()).len(), 1);
    }
}

#[test]
fn a_batch_that_was_stored_after_the_deadline_is_sent_again_under_its_key_and_stored_once() {
    let _exclusive = exclusive();
    let (gate, opener) = gate();
    let server = Server::script([Step::Hold(gate), Step::Ack]);
    let clock = ManualClock::new();
    let client = crate::harness::builder()
        .base_url(server.url())
        .clock(clock.clone())
        .http_timeout(SLOW)
        .init()
        .expect("valid settings");
    let _ = clock.wait_for_wait(1);
    record(2);
    let report = thread::scope(|threads| {
        let flush = threads.spawn(|| client.flush(LONG));
        let wait = clock.wait_for_wait(2);
        // Its answer comes now, and nobody waits for it any more.
        opener.open();
        clock.advance(wait);
        flush.join().expect("flush returns")
    });
    assert_eq!((report.delivered(), report.ok()), (2, true), "{}", counts(&report));
    let arrivals = server.arrivals();
    assert_eq!((arrivals.len(), spans(&arrivals).len()), (2, 2));
    assert_eq!(arrivals[0].key(), arrivals[1].key());
    assert_eq!(arrivals[0].body, arrivals[1].body);
    assert_ne!(arrivals[0].connection, arrivals[1].connection);
}

#[test]
fn a_connection_that_the_backend_closed_while_idle_goes_unnoticed() {
    let _exclusive = exclusive();
    let server = Server::script([Step::AckThenClose, Step::Ack]);
    let clock = ManualClock::new();
    let client = client_at(&server.url(), &clock);
    record(1);
    assert!(client.flush(LONG).ok());
    server.wait_for_closed(1);
    record(1);
    let report = client.flush(LONG);
    assert!(report.ok(), "{}", counts(&report));
    assert_eq!(server.arrivals().len(), 2);
}
