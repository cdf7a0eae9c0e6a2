use std::{
    mem,
    pin::Pin,
    sync::{Arc, Mutex, MutexGuard, PoisonError},
    task::{Context, Poll, Waker},
    thread,
    time::Duration,
};

use super::Active;
use crate::{
    context::{Suspension, local},
    report::DeliveryReport,
    sender::Asked,
};

/// A flush or shutdown that is awaited. A thread of its own waits for the sender, so that it needs no
/// runtime, neither for its timeout nor to go on.
#[must_use = "futures do nothing unless polled"]
pub(super) struct Awaited {
    active: Option<Arc<Active>>,
    asked: Asked,
    timeout: Duration,
    answer: Option<Arc<Answer>>,
}

/// What the thread and the future share.
#[derive(Default)]
struct Answer(Mutex<State>);

#[derive(Default)]
struct State {
    report: Option<DeliveryReport>,
    waker: Option<Waker>,
}

impl Awaited {
    pub(super) fn new(active: Option<Arc<Active>>, asked: Asked, timeout: Duration) -> Self {
        Self { active, asked, timeout, answer: None }
    }
}

impl Future for Awaited {
    type Output = DeliveryReport;

    fn poll(self: Pin<&mut Self>, cx: &mut Context<'_>) -> Poll<DeliveryReport> {
        let this = self.get_mut();
        let (asked, timeout) = (this.asked, this.timeout);
        let Some(active) = this.active.as_ref().filter(|active| !active.recorder.is_inherited()) else {
            return Poll::Ready(DeliveryReport::disabled());
        };
        if let Some(answer) = &this.answer {
            return answer.poll(cx);
        }
        // The sender would wait for itself, which is seen only on its own thread.
        if local::with(local::Local::is_sender).unwrap_or_default() {
            return Poll::Ready(active.wait(asked, timeout));
        }
        let answer = this.answer.insert(Arc::default());
        let (waiting, answering) = (Arc::clone(active), Arc::clone(answer));
        let spawned = thread::Builder::new().name("staso-flush".into()).spawn(move || {
            let _suspended = Suspension::begin();
            let report = waiting.wait(asked, timeout);
            drop(waiting);
            answering.give(report);
        });
        match spawned {
            Ok(_) => answer.poll(cx),
            // Better late than lost.
            Err(_) => Poll::Ready(active.wait(asked, timeout)),
        }
    }
}

impl Drop for Awaited {
    fn drop(&mut self) {
        // As for a client: a forked child leaves what it copied as it is.
        if self.active.as_ref().is_some_and(|active| active.recorder.is_inherited()) {
            mem::forget(self.active.take());
        }
    }
}

impl Answer {
    fn poll(&self, cx: &Context<'_>) -> Poll<DeliveryReport> {
        // Wakers are the executor's code: none is made, woken or dropped under the lock.
        let waker = cx.waker().clone();
        let replaced = {
            let mut state = self.lock();
            if let Some(report) = state.report {
                return Poll::Ready(report);
            }
            state.waker.replace(waker)
        };
        drop(replaced);
        Poll::Pending
    }

    fn give(&self, report: DeliveryReport) {
        let waker = {
            let mut state = self.lock();
            state.report = Some(report);
            state.waker.take()
        };
        if let Some(waker) = waker {
            waker.wake();
        }
    }

    fn lock(&self) -> MutexGuard<'_, State> {
        self.0.lock().unwrap_or_else(PoisonError::into_inner)
    }
}
