//! While the backend is away the queue absorbs it, and flushes still try.

use std::{thread, time::Duration};

use staso::{export::Exporter, export::FailureKind, testing::ManualClock};

use crate::harness::{LONG, Scripted, Turn, builder, counts, exclusive, record};

#[test]
fn after_an_outage_no_new_batch_starts_for_a_while_but_a_flush_tries_at_once() {
    let _exclusive = exclusive();
    let clock = ManualClock::new();
    let (exporter, batches) =
        Scripted::new([Turn::Fail(FailureKind::Timeout), Turn::Fail(FailureKind::Timeout)]);
    let client =
        builder().exporter(Exporter::custom(exporter)).clock(clock.clone()).init().expect("valid settings");
    clock.advance({
        let interval = clock.wait_for_wait(1);
        record(1);
        interval
    });
    assert_eq!(batches.recv_timeout(LONG).map(|batch| batch.len()), Ok(1));
    assert_eq!(clock.wait_for_wait(2), Duration::from_secs(1), "the cool-down, not the interval");
    record(150);
    clock.advance(Duration::from_millis(999));
    let _ = clock.wait_for_wait(2);
    assert!(batches.try_recv().is_err(), "a full batch does not end the cool-down");
    let report = client.flush(LONG);
    assert_eq!(batches.try_iter().map(|batch| batch.len()).collect::<Vec<_>>(), [100, 50]);
    assert_eq!((report.failed(), report.delivered()), (101, 50), "{}", counts(&report));
}

#[test]
fn a_batch_in_its_retry_wait_does_not_hold_up_the_threads_that_record() {
    use crate::support::server::{Server, Step};
    let _exclusive = exclusive();
    let server = Server::script([Step::reply(503, ""), Step::Ack, Step::Ack]);
    let clock = ManualClock::new();
    let client = crate::harness::client_at(&server.url(), &clock);
    record(1);
    thread::scope(|threads| {
        let flush = threads.spawn(|| client.flush(LONG));
        let wait = clock.wait_for_wait(2);
        record(10);
        assert_eq!(client.report().accepted(), 11);
        clock.advance(wait);
        assert!(flush.join().expect("flush returns").pending() == 0);
    });
    let report = client.flush(LONG);
    assert_eq!(report.delivered(), 11, "{}", counts(&report));
}

#[test]
fn the_waits_between_attempts_differ_at_random() {
    let _exclusive = exclusive();
    let clock = ManualClock::new();
    let (exporter, batches) = Scripted::new((0..9).map(|_| Turn::TryAgain));
    let client =
        builder().exporter(Exporter::custom(exporter)).clock(clock.clone()).init().expect("valid settings");
    let mut waits = Vec::new();
    // Each round: the sender sleeps, then waits twice between three attempts.
    for sleep in [1, 4, 7] {
        let _ = clock.wait_for_wait(sleep);
        record(1);
        thread::scope(|threads| {
            let flush = threads.spawn(|| client.flush(LONG));
            for (attempt, shortest) in [(1, 500), (2, 1_000)] {
                let wait = clock.wait_for_wait(sleep + attempt);
                waits.push(wait.saturating_sub(Duration::from_millis(shortest)));
                clock.advance(wait);
            }
            assert_eq!(flush.join().expect("flush returns").pending(), 0);
        });
    }
    assert_eq!(batches.try_iter().count(), 9, "three attempts at each of three batches");
    assert!(waits.iter().all(|longer| *longer <= Duration::from_millis(200)), "{waits:?}");
    waits.sort();
    waits.dedup();
    assert!(waits.len() > 1, "every wait was {waits:?} longer than the shortest");
}
