//! Flushes and shutdowns that are awaited, on an executor of a few lines.

use std::{
    pin::pin,
    sync::atomic::AtomicBool,
    task::{Context, Poll, Wake},
};

use super::*;

struct Unpark {
    thread: thread::Thread,
    woken: AtomicBool,
}

impl Wake for Unpark {
    fn wake(self: Arc<Self>) {
        self.woken.store(true, Ordering::SeqCst);
        self.thread.unpark();
    }
}

/// Polls only when it was woken.
fn block_on<F: Future>(future: F) -> F::Output {
    let mut future = pin!(future);
    let unpark = Arc::new(Unpark { thread: thread::current(), woken: AtomicBool::new(true) });
    let waker = Arc::clone(&unpark).into();
    loop {
        if unpark.woken.swap(false, Ordering::SeqCst)
            && let Poll::Ready(output) = future.as_mut().poll(&mut Context::from_waker(&waker))
        {
            return output;
        }
        thread::park_timeout(WATCHDOG);
        assert!(unpark.woken.load(Ordering::SeqCst), "the future was never woken");
    }
}

#[test]
fn an_awaited_flush_and_shutdown_deliver_on_any_executor() {
    let _alone = alone();
    let client = settings().exporter(Exporter::none()).init().unwrap();
    record(2);
    assert_eq!(block_on(client.flush_async(WATCHDOG)).delivered(), 2);
    record(1);
    assert_eq!(block_on(flush_async(WATCHDOG)).delivered(), 3);
    assert_eq!(block_on(shutdown_async(WATCHDOG)).delivered(), 3);
    assert_eq!(block_on(client.shutdown_async(WATCHDOG)), DeliveryReport::disabled());
}

#[test]
fn the_timeout_of_an_awaited_flush_needs_no_runtime() {
    let _alone = alone();
    let (held, hand) = held();
    let client = settings().exporter(Exporter::custom(held)).init().unwrap();
    record(1);
    let report = block_on(client.flush_async(SHORT));
    assert_eq!((report.pending(), report.timed_out()), (1, true));
    hand.order(Ok(()));
    assert_eq!(block_on(client.shutdown_async(WATCHDOG)).delivered(), 1);
}

#[test]
fn a_shutdown_that_has_begun_goes_on_without_its_future() {
    let _alone = alone();
    let (held, hand) = held();
    let client = settings().exporter(Exporter::custom(held)).init().unwrap();
    record(1);
    {
        let mut dropped = pin!(client.shutdown_async(WATCHDOG));
        let waker = std::task::Waker::noop();
        assert!(dropped.as_mut().poll(&mut Context::from_waker(waker)).is_pending());
        wait_for_waiting(&client, 1);
    }
    hand.wait_until_called();
    hand.order(Ok(()));
    wait_until(|| active(&client).ending.report().is_some());
    assert_eq!(client.report().delivered(), 1);
}
