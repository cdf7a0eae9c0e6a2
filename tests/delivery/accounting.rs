//! Every span that ended is accepted, rejected or discarded; what is accepted is delivered, failed or pending.

use std::{sync::mpsc, thread};

use staso::{
    Span, SpanKind,
    export::{Exporter, FailureKind},
    testing::ManualClock,
};

use crate::harness::{LONG, Scripted, Turn, builder, counts, exclusive, record};

#[test]
fn a_full_queue_refuses_the_newest_spans_and_counts_them() {
    let _exclusive = exclusive();
    let (entered, blocked) = mpsc::channel();
    let (open, gate) = mpsc::channel();
    let (exporter, batches) = Scripted::new([Turn::Block(entered, gate)]);
    let client = builder()
        .exporter(Exporter::custom(exporter))
        .max_queue_size(5)
        .batch_size(1)
        .init()
        .expect("valid settings");
    Span::builder("first").in_scope(|_| ());
    blocked.recv().expect("the exporter has the first span");
    for name in ["second", "third", "fourth", "fifth", "sixth", "seventh"] {
        Span::builder(name).in_scope(|_| ());
    }
    let report = client.report();
    assert_eq!(
        counts(&report),
        "5 accepted, 0 delivered, 0 failed, 5 pending, 2 rejected (last failure: queue_full)"
    );
    assert_eq!((report.last_rejection(), report.retryable()), (Some(FailureKind::QueueFull), true));
    open.send(()).expect("the exporter waits");
    let report = client.flush(LONG);
    assert_eq!((report.delivered(), report.pending(), report.rejected()), (5, 0, 2));
    let sent: Vec<String> = batches.try_iter().flatten().collect();
    assert_eq!(sent, ["first", "second", "third", "fourth", "fifth"]);
}

#[test]
fn the_queue_is_bounded_in_bytes_too() {
    let _exclusive = exclusive();
    let (entered, blocked) = mpsc::channel();
    let (open, gate) = mpsc::channel();
    let (exporter, _batches) = Scripted::new([Turn::Block(entered, gate)]);
    let client = builder()
        .exporter(Exporter::custom(exporter))
        .max_queue_bytes(300_000)
        .batch_size(1)
        .init()
        .expect("valid settings");
    let large = "x".repeat(50_000);
    for index in 0..20 {
        Span::builder("large").in_scope(|span| span.set_input(&large));
        if index == 0 {
            blocked.recv().expect("the exporter has the first span");
        }
    }
    let report = client.report();
    assert!((4..=5).contains(&report.accepted()), "{}", counts(&report));
    assert_eq!(report.accepted() + report.rejected(), 20);
    assert_eq!(report.last_rejection(), Some(FailureKind::QueueFull));
    drop(open);
    assert_eq!(client.flush(LONG).delivered(), report.accepted());
}

#[test]
fn a_span_that_ends_after_the_shutdown_is_rejected() {
    let _exclusive = exclusive();
    let client = builder().exporter(Exporter::none()).init().expect("valid settings");
    let report = Span::builder("open").in_scope(|_| client.shutdown(LONG));
    assert_eq!((report.delivered(), report.ok()), (1, true), "as far as it got: {report}");
    record(1);
    let report = client.report();
    assert_eq!((report.accepted(), report.rejected()), (1, 2), "{}", counts(&report));
    assert_eq!(report.last_rejection(), Some(FailureKind::Shutdown));
}

#[test]
fn a_flush_covers_every_span_that_ended_before_it_on_any_thread() {
    let _exclusive = exclusive();
    let (exporter, batches) = Scripted::new([]);
    let client = builder().exporter(Exporter::custom(exporter)).init().expect("valid settings");
    for round in 1..=20_u64 {
        thread::scope(|threads| {
            for _ in 0..4 {
                threads.spawn(|| record(25));
            }
        });
        let report = client.flush(LONG);
        assert_eq!(report.delivered(), round * 100, "{}", counts(&report));
    }
    assert_eq!(batches.try_iter().map(|batch| batch.len()).sum::<usize>(), 2_000);
}

#[test]
fn a_discarded_span_is_not_counted() {
    let _exclusive = exclusive();
    let client = builder().exporter(Exporter::none()).init().expect("valid settings");
    Span::builder("dropped").in_scope(Span::discard);
    assert_eq!(client.flush(LONG).accepted(), 0);
}

#[test]
fn spans_are_sent_in_batches_of_the_size_that_was_set() {
    let _exclusive = exclusive();
    let clock = ManualClock::new();
    let (exporter, batches) = Scripted::new([]);
    let client = builder()
        .exporter(Exporter::custom(exporter))
        .clock(clock.clone())
        .batch_size(100)
        .init()
        .expect("valid settings");
    let _ = clock.wait_for_wait(1);
    record(250);
    assert!(client.flush(LONG).ok());
    let sizes: Vec<usize> = batches.try_iter().map(|batch| batch.len()).collect();
    assert_eq!(sizes.iter().sum::<usize>(), 250);
    assert!(sizes.iter().all(|size| *size <= 100), "{sizes:?}");
    assert!(sizes.len() <= 4, "{sizes:?}");
}

#[test]
fn a_full_batch_is_sent_without_waiting_for_the_interval() {
    let _exclusive = exclusive();
    let clock = ManualClock::new();
    let (exporter, batches) = Scripted::new([]);
    let _client = builder()
        .exporter(Exporter::custom(exporter))
        .clock(clock.clone())
        .batch_size(3)
        .init()
        .expect("valid settings");
    let _ = clock.wait_for_wait(1);
    record(3);
    assert_eq!(batches.recv_timeout(LONG).map(|batch| batch.len()), Ok(3));
}

#[test]
fn the_interval_sends_what_there_is() {
    let _exclusive = exclusive();
    let clock = ManualClock::new();
    let (exporter, batches) = Scripted::new([]);
    let _client =
        builder().exporter(Exporter::custom(exporter)).clock(clock.clone()).init().expect("valid settings");
    let wait = clock.wait_for_wait(1);
    record(1);
    clock.advance(wait);
    assert_eq!(batches.recv_timeout(LONG), Ok(vec!["step".to_owned()]));
}

#[test]
fn a_wall_clock_that_jumps_leaves_durations_and_the_order_of_spans_alone() {
    use std::time::{Duration, UNIX_EPOCH};
    let _exclusive = exclusive();
    let clock = ManualClock::new();
    let memory = Exporter::memory();
    let client = builder().exporter(memory.clone()).clock(clock.clone()).init().expect("valid settings");
    Span::builder("outer").kind(SpanKind::Agent).in_scope(|_| {
        clock.set_wall(Duration::ZERO);
        clock.advance(Duration::from_millis(20));
        Span::builder("inner").in_scope(|_| clock.set_wall(Duration::from_secs(9_999_999_999)));
        clock.advance(Duration::from_millis(5));
    });
    assert!(client.flush(LONG).ok());
    let spans = memory.spans();
    let (inner, outer) = (&spans[0], &spans[1]);
    assert_eq!((inner.name(), outer.name()), ("inner", "outer"));
    assert_eq!(outer.duration(), Duration::from_millis(25));
    assert_eq!(inner.started_at(), outer.started_at() + Duration::from_millis(20));
    assert!(outer.started_at() > UNIX_EPOCH + Duration::from_secs(1_700_000_000));
}
