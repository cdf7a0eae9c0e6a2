//! A backend that refuses a request before it has read it is heard, whatever it does with the connection.

use std::{sync::mpsc, thread};

use staso::{
    Builder, Client, DeliveryReport, Exporter, Span,
    export::{Batch, Export, ExportError, FailureKind, Retry},
    testing::ManualClock,
};

use crate::{
    harness::{LONG, builder, counts, exclusive, record},
    support::server::{Arrival, Server, Step, gate, open_gate, spans},
};

/// More than the buffers of two sockets take in while nobody reads.
const LARGE: usize = 12 * 1024 * 1024;

fn settings(server: &Server) -> Builder {
    builder().base_url(server.url()).field_limit(2 * LARGE).mask_credentials(false)
}

/// Ends a span with so many bytes of input.
fn record_large(bytes: usize) {
    Span::builder("large").in_scope(|span| span.set_input(&"x".repeat(bytes)));
}

fn keys(arrivals: &[Arrival]) -> Vec<&str> {
    let mut keys: Vec<_> = arrivals.iter().map(Arrival::key).collect();
    keys.sort_unstable();
    keys.dedup();
    keys
}

/// Flushes, and lets so many waits for another attempt pass, whose lengths are returned in milliseconds.
fn flush_with_waits(client: &Client, clock: &ManualClock, waits: usize) -> (DeliveryReport, Vec<u128>) {
    thread::scope(|threads| {
        let flush = threads.spawn(|| client.flush(LONG));
        let mut passed = Vec::new();
        for index in 0..waits {
            let wait = clock.wait_for_wait(index + 2);
            passed.push(wait.as_millis());
            clock.advance(wait);
        }
        (flush.join().expect("flush returns"), passed)
    })
}

#[test]
fn a_batch_that_is_too_large_is_sent_in_parts_each_with_a_key_of_its_own() {
    let _exclusive = exclusive();
    let server = Server::with_limit(100 * 1024);
    let client = settings(&server).init().expect("valid settings");
    for _ in 0..50 {
        record_large(50_000);
    }
    let report = client.flush(LONG);
    assert_eq!((report.delivered(), report.ok()), (50, true), "{}", counts(&report));
    let arrivals = server.arrivals();
    assert_eq!(spans(&arrivals).len(), 50, "each span once");
    assert_eq!(keys(&arrivals).len(), arrivals.len(), "a part is a new batch");
    let refused = |arrivals: &[Arrival]| arrivals.iter().filter(|arrival| arrival.body.is_empty()).count();
    let before = refused(&arrivals);
    for _ in 0..50 {
        record_large(50_000);
    }
    assert!(client.flush(LONG).ok());
    assert_eq!(refused(&server.arrivals()), before, "it has learned what the backend takes");
}

#[test]
fn a_span_that_is_too_large_is_lost_alone() {
    let _exclusive = exclusive();
    let server = Server::with_limit(1024 * 1024);
    let client = settings(&server).init().expect("valid settings");
    record(3);
    record_large(LARGE);
    record(3);
    let report = client.flush(LONG);
    assert_eq!((report.delivered(), report.failed()), (6, 1), "{}", counts(&report));
    assert_eq!(report.last_failure(), Some(FailureKind::MalformedResponse));
    let large = server.arrivals().iter().filter(|arrival| arrival.body.is_empty()).count();
    assert_eq!(large, 1, "one attempt");
}

#[test]
fn a_refusal_is_heard_while_the_backend_neither_reads_nor_closes() {
    let _exclusive = exclusive();
    let (gate, opener) = gate();
    let refusal = Step::AnswerUnread { status: 401, headers: Vec::new(), close: gate };
    let server = Server::script([refusal]);
    let client = settings(&server).http_timeout(LONG * 10).init().expect("valid settings");
    record_large(LARGE);
    let report = client.flush(LONG);
    assert_eq!((report.failed(), report.last_failure()), (1, Some(FailureKind::InvalidKey)));
    opener.open();
}

#[test]
fn a_refusal_of_a_request_that_was_not_read_is_what_its_status_says() {
    for (status, kind) in [
        (400, FailureKind::MalformedResponse),
        (401, FailureKind::InvalidKey),
        (402, FailureKind::PlanExpired),
        (403, FailureKind::Forbidden),
        (308, FailureKind::MalformedResponse),
        (413, FailureKind::MalformedResponse),
        (429, FailureKind::RateLimited),
    ] {
        let _exclusive = exclusive();
        let server = Server::script([Step::refuse_unread(status)]);
        let client = settings(&server).init().expect("valid settings");
        record_large(LARGE);
        let report = client.flush(LONG);
        assert_eq!((report.failed(), report.last_failure()), (1, Some(kind)), "{status}");
        assert_eq!(server.arrivals().len(), 1, "{status}");
    }
}

#[test]
fn a_backend_that_is_busy_before_it_has_read_is_tried_again_with_the_same_batch() {
    for (status, headers, waits) in
        [(503, Vec::new(), 500..=600), (429, vec![("Retry-After".to_owned(), "7".to_owned())], 7_000..=7_000)]
    {
        let _exclusive = exclusive();
        let refusal = Step::AnswerUnread { status, headers, close: open_gate() };
        let server = Server::script([refusal, Step::Ack]);
        let clock = ManualClock::new();
        let client = settings(&server).clock(clock.clone()).init().expect("valid settings");
        let _ = clock.wait_for_wait(1);
        record_large(LARGE);
        let (report, passed) = flush_with_waits(&client, &clock, 1);
        assert!(report.ok(), "{status}: {}", counts(&report));
        assert!(waits.contains(&passed[0]), "{status}: {passed:?}");
        assert_eq!(keys(&server.arrivals()).len(), 1, "{status}");
    }
}

#[test]
fn an_early_yes_is_none() {
    let _exclusive = exclusive();
    let server = Server::script([Step::refuse_unread(200), Step::Ack]);
    let clock = ManualClock::new();
    let client = settings(&server).clock(clock.clone()).init().expect("valid settings");
    let _ = clock.wait_for_wait(1);
    record_large(LARGE);
    let (report, _) = flush_with_waits(&client, &clock, 1);
    assert_eq!((report.delivered(), report.ok()), (1, true), "{}", counts(&report));
    assert_eq!(keys(&server.arrivals()).len(), 1, "the same batch");
    assert_eq!(spans(&server.arrivals()).len(), 1);
}

/// Takes so many spans at once, and says how many it was given each time.
struct Takes(usize, mpsc::Sender<(String, u32, usize)>);

impl Export for Takes {
    fn export(&mut self, batch: &Batch) -> Result<(), ExportError> {
        let spans = batch.spans().len();
        let _ = self.1.send((batch.idempotency_key().to_owned(), batch.attempt(), spans));
        if spans <= self.0 {
            return Ok(());
        }
        Err(ExportError::new(FailureKind::Exporter, "too many").retry(Retry::Split))
    }
}

#[test]
fn an_exporter_of_ones_own_may_ask_for_halves() {
    let _exclusive = exclusive();
    let (seen, batches) = mpsc::channel();
    let client = builder().exporter(Exporter::custom(Takes(3, seen))).init().expect("valid settings");
    record(8);
    assert_eq!(client.flush(LONG).delivered(), 8);
    let batches: Vec<_> = batches.try_iter().collect();
    assert_eq!(batches.iter().map(|(_, _, spans)| *spans).collect::<Vec<_>>(), [8, 4, 2, 2, 4, 2, 2]);
    assert!(batches.iter().all(|(_, attempt, _)| *attempt == 1));
    let keys: std::collections::HashSet<_> = batches.iter().map(|(key, ..)| key).collect();
    assert_eq!(keys.len(), batches.len());
}

#[test]
fn an_exporter_that_takes_no_single_span_loses_each_once() {
    let _exclusive = exclusive();
    let (seen, batches) = mpsc::channel();
    let client = builder().exporter(Exporter::custom(Takes(0, seen))).init().expect("valid settings");
    record(3);
    let report = client.flush(LONG);
    assert_eq!((report.failed(), report.pending()), (3, 0), "{}", counts(&report));
    assert_eq!(batches.try_iter().map(|(_, _, spans)| spans).collect::<Vec<_>>(), [3, 1, 2, 1, 1]);
}
