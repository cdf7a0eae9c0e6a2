mod awaited;
mod faults;

use std::{
    sync::{
        Arc,
        atomic::{AtomicUsize, Ordering},
        mpsc,
    },
    thread,
    time::{Duration, Instant},
};

use super::*;
use crate::{
    Exporter, Span,
    export::{Batch, ExportError, FailureKind, Interrupt, Retry},
    testing::ManualClock,
};
use std::sync::MutexGuard;

const WATCHDOG: Duration = Duration::from_secs(20);
const SHORT: Duration = Duration::from_millis(20);

/// One client at a time is the process's.
static ALONE: Mutex<()> = Mutex::new(());

/// An exporter that says when it is called, does what it is told, and counts how often it was cut short.
struct Held {
    called: mpsc::Sender<()>,
    orders: mpsc::Receiver<Result<(), ExportError>>,
    cut_short: Arc<AtomicUsize>,
}

/// The test's end of [`Held`].
struct Hand {
    called: mpsc::Receiver<()>,
    orders: mpsc::Sender<Result<(), ExportError>>,
    cut_short: Arc<AtomicUsize>,
}

fn held() -> (Held, Hand) {
    let (called, was_called) = mpsc::channel();
    let (order, orders) = mpsc::channel();
    let cut_short = Arc::new(AtomicUsize::new(0));
    let held = Held { called, orders, cut_short: Arc::clone(&cut_short) };
    (held, Hand { called: was_called, orders: order, cut_short })
}

impl Export for Held {
    fn export(&mut self, _: &Batch) -> Result<(), ExportError> {
        let _ = self.called.send(());
        self.orders.recv().unwrap_or_else(|_| Err(ExportError::new(FailureKind::Exporter, "no order")))
    }

    fn interrupt(&self) -> Option<Interrupt> {
        let cut_short = Arc::clone(&self.cut_short);
        Some(Arc::new(move || {
            cut_short.fetch_add(1, Ordering::SeqCst);
        }))
    }
}

impl Hand {
    fn wait_until_called(&self) {
        self.called.recv_timeout(WATCHDOG).expect("the exporter is called");
    }

    fn order(&self, outcome: Result<(), ExportError>) {
        self.orders.send(outcome).expect("the exporter lives");
    }

    fn cut_short(&self) -> usize {
        self.cut_short.load(Ordering::SeqCst)
    }
}

fn settings() -> Builder {
    builder().agent_name("demo-agent").capture_git(false)
}

fn active(client: &Client) -> &Active {
    client.active.as_ref().expect("switched on")
}

fn wait_until(mut happened: impl FnMut() -> bool) {
    let begun = Instant::now();
    while !happened() {
        assert!(begun.elapsed() < WATCHDOG, "waited in vain");
        thread::yield_now();
    }
}

fn wait_for_waiting(client: &Client, count: usize) {
    wait_until(|| active(client).ending.waiting() == count);
}

fn record(count: usize) {
    for _ in 0..count {
        Span::builder("step").in_scope(|_| ());
    }
}

fn alone() -> MutexGuard<'static, ()> {
    ALONE.lock().unwrap_or_else(PoisonError::into_inner)
}

#[test]
fn whoever_stops_or_flushes_during_a_stop_waits_for_its_end_and_reports_the_same() {
    let _alone = alone();
    let (held, hand) = held();
    let client = settings().exporter(Exporter::custom(held)).init().unwrap();
    record(3);
    thread::scope(|threads| {
        let first = threads.spawn(|| client.shutdown(WATCHDOG));
        hand.wait_until_called();
        let others = [
            threads.spawn(|| client.shutdown(WATCHDOG)),
            threads.spawn(|| client.flush(WATCHDOG)),
            threads.spawn(|| shutdown(WATCHDOG)),
            threads.spawn(|| flush(WATCHDOG)),
        ];
        wait_for_waiting(&client, 5);
        let successor = threads.spawn(|| settings().exporter(Exporter::none()).init().unwrap());
        wait_for_waiting(&client, 6);
        hand.order(Ok(()));
        let report = first.join().unwrap();
        assert_eq!((report.accepted(), report.delivered(), report.ok()), (3, 3, true));
        for other in others {
            assert_eq!(other.join().unwrap(), report);
        }
        assert_eq!(successor.join().unwrap().previous_shutdown_report(), Some(report));
    });
    for later in [client.shutdown(WATCHDOG), client.flush(WATCHDOG)] {
        assert_eq!(later, DeliveryReport::disabled(), "it is over");
    }
}

#[test]
fn a_short_wait_takes_nothing_from_a_longer_one() {
    let _alone = alone();
    for longer in [Asked::Shutdown, Asked::Flush] {
        let (held, hand) = held();
        let client = settings().exporter(Exporter::custom(held)).init().unwrap();
        record(1);
        thread::scope(|threads| {
            let longer = threads.spawn(|| active(&client).wait(longer, WATCHDOG));
            hand.wait_until_called();
            let short = client.shutdown(SHORT);
            assert_eq!((short.pending(), short.timed_out()), (1, true));
            assert_eq!(hand.cut_short(), 0, "the other has time left");
            hand.order(Ok(()));
            let report = longer.join().unwrap();
            assert_eq!((report.delivered(), report.ok()), (1, true));
        });
        assert_eq!(hand.cut_short(), 0);
        drop(client);
    }
}

#[test]
fn when_nobody_has_time_left_the_request_is_cut_short_once() {
    let _alone = alone();
    let (held, hand) = held();
    let client = settings().exporter(Exporter::custom(held)).batch_size(1).init().unwrap();
    record(1);
    hand.wait_until_called();
    thread::scope(|threads| {
        let first = threads.spawn(|| client.shutdown(SHORT));
        let second = threads.spawn(|| client.flush(SHORT));
        for waiter in [first, second] {
            let report = waiter.join().unwrap();
            // One may have come too late for the stop of the other.
            assert!(report.timed_out() || report == DeliveryReport::disabled(), "{report}");
        }
    });
    assert_eq!(hand.cut_short(), 1);
    assert_eq!(client.shutdown(WATCHDOG), DeliveryReport::disabled());
    assert_eq!(client.report().pending(), 1);
    hand.order(Ok(()));
}

#[test]
fn a_retry_is_awaited_for_as_long_as_anybody_who_waits_for_the_end_has_time() {
    let _alone = alone();
    let (held, hand) = held();
    let clock = ManualClock::new();
    let client = settings().exporter(Exporter::custom(held)).clock(clock.clone()).init().unwrap();
    let _ = clock.wait_for_wait(1);
    record(1);
    thread::scope(|threads| {
        // Neither time can be over before the retry: only the sender compares it with this clock.
        let short = threads.spawn(|| active(&client).sender.ask(Asked::Shutdown, Duration::from_millis(499)));
        hand.wait_until_called();
        let long = threads.spawn(|| client.shutdown(WATCHDOG));
        wait_for_waiting(&client, 1);
        wait_until(|| active(&client).sender.unheard() == 1);
        hand.order(Err(ExportError::new(FailureKind::BackendUnavailable, "").retry(Retry::Backoff)));
        clock.advance(clock.wait_for_wait(2));
        hand.wait_until_called();
        hand.order(Ok(()));
        let report = long.join().unwrap();
        assert_eq!((report.delivered(), report.ok()), (1, true));
        let _ = short.join().unwrap();
    });
}
