//! A sender that panics, has no thread, or finds a span that is counted and not yet there.

use std::{
    io,
    sync::atomic::{AtomicBool, AtomicUsize},
};

use crossbeam_channel::RecvTimeoutError;

use super::*;
use crate::{
    config::{Environment, Settings},
    record::{
        CallSite, Finished, IdSource, SpanKind,
        clock::{Hands, Tick, WallTime},
    },
    sender::Waiting,
};

/// A clock that panics in its first waits, and says when the sender looks again.
struct Faulty {
    real: Clock,
    panics: AtomicUsize,
    looked: mpsc::Sender<()>,
}

fn faulty(panics: usize) -> (Settings, mpsc::Receiver<()>) {
    let (looked, looks) = mpsc::channel();
    let hands = Faulty { real: Clock::system(), panics: AtomicUsize::new(panics), looked };
    let mut settings = settings().exporter(Exporter::none()).resolve(&Environment::Process).unwrap();
    settings.clock = Some(Clock::Injected(Arc::new(hands)));
    (settings, looks)
}

fn span() -> Finished {
    static SITE: CallSite = CallSite::manual("late", SpanKind::Chain);
    let ids = IdSource::new();
    Finished {
        site: &SITE,
        trace_id: ids.trace_id(),
        span_id: ids.span_id(),
        parent: None,
        started: WallTime::default(),
        duration: Duration::ZERO.into(),
        remote_parent: false,
        agent: None,
        conversation: None,
        log: Box::default(),
        provisional: false,
        announced: false,
    }
}

impl Hands for Faulty {
    fn monotonic(&self) -> Duration {
        self.real.tick().since(Tick(0))
    }

    fn since_epoch(&self) -> Duration {
        Duration::ZERO
    }

    fn wait(&self, wait: Duration, wake: &Receiver<()>) -> Waiting {
        let left = self.panics.fetch_update(Ordering::SeqCst, Ordering::SeqCst, |left| left.checked_sub(1));
        assert!(left.is_err(), "as the test asks");
        match wake.recv_timeout(wait) {
            Err(RecvTimeoutError::Timeout) => Waiting::Over,
            _ => Waiting::Woken,
        }
    }

    fn yield_now(&self) {
        let _ = self.looked.send(());
        thread::yield_now();
    }
}

#[test]
fn a_sender_that_panics_goes_on_with_the_queue_as_it_was() {
    let _alone = alone();
    let (settings, _looks) = faulty(3);
    let client = start(settings).unwrap();
    record(5);
    let report = client.flush(WATCHDOG);
    assert_eq!((report.delivered(), report.ok()), (5, true), "{report}");
    record(5);
    let report = client.shutdown(WATCHDOG);
    assert_eq!((report.delivered(), report.ok()), (10, true), "{report}");
}

#[test]
fn a_sender_that_panics_for_the_fourth_time_is_given_up_and_says_so() {
    let _alone = alone();
    let (settings, _looks) = faulty(usize::MAX);
    let client = start(settings).unwrap();
    wait_until(|| active(&client).intake.spans.gate().refusal().is_some());
    record(2);
    let report = client.flush(WATCHDOG);
    assert_eq!((report.rejected(), report.pending()), (2, 0), "{report}");
    assert_eq!(report.last_failure(), Some(FailureKind::SenderUnavailable));
    assert_eq!(client.shutdown(WATCHDOG).rejected(), 2);
}

#[test]
fn what_a_sender_had_in_hand_when_it_panicked_is_counted_as_failed() {
    let _alone = alone();
    let (held, hand) = held();
    let (mut settings, _looks) = faulty(0);
    settings.exporter = Exporter::custom(held);
    let hands =
        Arc::new(Faulty { real: Clock::system(), panics: AtomicUsize::new(0), looked: mpsc::channel().0 });
    settings.clock = Some(Clock::Injected(Arc::clone(&hands) as Arc<dyn Hands>));
    let client = start(settings).unwrap();
    record(2);
    thread::scope(|threads| {
        let flush = threads.spawn(|| client.flush(WATCHDOG));
        hand.wait_until_called();
        hands.panics.store(1, Ordering::SeqCst);
        hand.order(Err(ExportError::new(FailureKind::BackendUnavailable, "").retry(Retry::Backoff)));
        let report = flush.join().unwrap();
        assert_eq!((report.failed(), report.pending()), (2, 0), "{report}");
        assert_eq!(report.last_failure(), Some(FailureKind::SenderUnavailable));
    });
    record(1);
    hand.order(Ok(()));
    assert_eq!(client.shutdown(WATCHDOG).delivered(), 1);
}

#[test]
fn without_a_thread_spans_are_rejected_with_the_reason_until_a_flush_finds_one() {
    let _alone = alone();
    let exhausted = Arc::new(AtomicBool::new(true));
    let spawn = {
        let exhausted = Arc::clone(&exhausted);
        move |run| match exhausted.load(Ordering::SeqCst) {
            true => Err(io::Error::other("no threads left")),
            false => spawn_thread(run),
        }
    };
    let memory = Exporter::memory();
    let settings = settings().exporter(memory.clone()).resolve(&Environment::Process).unwrap();
    let client = start_with(settings, Box::new(spawn)).unwrap();
    record(2);
    let report = client.flush(WATCHDOG);
    assert_eq!((report.accepted(), report.rejected(), report.ok()), (0, 2, false), "{report}");
    assert_eq!(report.last_failure(), Some(FailureKind::SenderUnavailable));
    exhausted.store(false, Ordering::SeqCst);
    let _ = client.flush(WATCHDOG);
    record(1);
    assert_eq!(client.shutdown(WATCHDOG).delivered(), 1);
    assert_eq!(memory.spans().len(), 1);
}

#[test]
fn a_shutdown_that_never_found_a_thread_ends_at_once() {
    let _alone = alone();
    let settings = settings().exporter(Exporter::none()).resolve(&Environment::Process).unwrap();
    let client = start_with(settings, Box::new(|_| Err(io::Error::other("no threads left")))).unwrap();
    record(1);
    assert_eq!(client.shutdown(WATCHDOG).rejected(), 1);
    assert_eq!(client.shutdown(WATCHDOG), DeliveryReport::disabled());
}

/// A span that is counted before a flush begins belongs to it, also where its thread has not pushed it yet.
#[test]
fn a_flush_looks_again_for_a_span_that_is_about_to_come() {
    let _alone = alone();
    let (settings, looks) = faulty(0);
    let client = start(settings).unwrap();
    let spans = &active(&client).intake.spans;
    thread::scope(|threads| {
        let (accepted, is_accepted) = mpsc::channel();
        threads.spawn(move || {
            let pushed = spans.push_after(span(), || {
                accepted.send(()).unwrap();
                looks.recv_timeout(WATCHDOG).expect("the sender looks");
            });
            pushed.unwrap();
        });
        is_accepted.recv_timeout(WATCHDOG).unwrap();
        let report = client.flush(WATCHDOG);
        assert_eq!((report.accepted(), report.delivered()), (1, 1), "{report}");
    });
}
