//! Between the traced threads and the sender: a queue without locks, bounded by count and by bytes.

mod gate;
mod ledger;
#[cfg(all(test, loom))]
mod model;

use crossbeam_channel::{Receiver, Sender, bounded};
use crossbeam_queue::SegQueue;

pub(crate) use gate::{Gate, Load};
pub(crate) use ledger::{Balance, Ledger};

use crate::export::FailureKind;
use gate::{Admission, Refusal};

/// Something that waits for the sender.
pub(crate) trait Item {
    /// What it costs the byte limit.
    fn size(&self) -> u64;
}

impl From<Refusal> for FailureKind {
    fn from(refusal: Refusal) -> Self {
        match refusal {
            Refusal::Full => Self::QueueFull,
            Refusal::Closed => Self::Shutdown,
            Refusal::Unattended => Self::SenderUnavailable,
        }
    }
}

/// A bounded queue with many producers and one consumer. A push never waits.
#[derive(Debug)]
pub(crate) struct Queue<T> {
    items: SegQueue<T>,
    gate: Gate,
    ledger: Ledger,
    waker: Waker,
}

/// Wakes the sender; wake-ups that come while one is under way are one.
#[derive(Clone, Debug)]
pub(crate) struct Waker(Sender<()>);

impl Waker {
    pub(crate) fn new() -> (Self, Receiver<()>) {
        let (sender, receiver) = bounded(1);
        (Self(sender), receiver)
    }

    pub(crate) fn wake(&self) {
        // A full channel holds a wake-up that the sender has not seen yet.
        let _ = self.0.try_send(());
    }
}

impl<T: Item> Queue<T> {
    pub(crate) fn new(capacity: Load, batch: Load, waker: Waker) -> Self {
        Self { items: SegQueue::new(), gate: Gate::new(capacity, batch), ledger: Ledger::new(), waker }
    }

    /// Takes an item in, or counts it as rejected and says why.
    #[inline]
    pub(crate) fn push(&self, item: T) -> Result<(), FailureKind> {
        self.push_after(item, || ())
    }

    /// As [`push`](Self::push), with what a test does while the item is counted and not in the queue.
    #[inline]
    pub(crate) fn push_after(&self, item: T, counted: impl FnOnce()) -> Result<(), FailureKind> {
        match self.gate.reserve(item.size()) {
            Ok(admission) => {
                self.ledger.accept();
                counted();
                self.items.push(item);
                if admission == Admission::WakeSender {
                    self.waker.wake();
                }
                Ok(())
            }
            Err(refusal) => {
                let why = FailureKind::from(refusal);
                self.ledger.reject(why);
                Err(why)
            }
        }
    }

    /// Counts an item that goes to the sender by another way; also when the queue is closed.
    pub(crate) fn accept(&self, item: &T) {
        self.gate.add(Load { spans: 1, bytes: item.size() });
        self.ledger.accept();
    }

    pub(crate) fn pop(&self) -> Option<T> {
        self.items.pop()
    }

    pub(crate) fn delivered(&self, load: Load) {
        self.ledger.deliver(load.spans);
        self.gate.release(load);
    }

    pub(crate) fn failed(&self, load: Load, why: FailureKind) {
        self.ledger.fail(load.spans, why);
        self.gate.release(load);
    }

    pub(crate) fn reject(&self, why: FailureKind) {
        self.ledger.reject(why);
    }

    pub(crate) fn gate(&self) -> &Gate {
        &self.gate
    }

    pub(crate) fn ledger(&self) -> &Ledger {
        &self.ledger
    }
}

#[cfg(all(test, not(loom)))]
mod tests {
    use super::*;

    impl Item for u64 {
        fn size(&self) -> u64 {
            *self
        }
    }

    #[test]
    fn what_does_not_fit_is_rejected_and_counted() {
        let (waker, _awake) = Waker::new();
        let limits = Load { spans: 2, bytes: 1_000 };
        let queue = Queue::new(limits, limits, waker);
        assert_eq!([10, 20, 30].map(|item| queue.push(item).is_ok()), [true, true, false]);
        assert_eq!((queue.pop(), queue.pop(), queue.pop()), (Some(10), Some(20), None));
        queue.delivered(Load { spans: 1, bytes: 10 });
        queue.failed(Load { spans: 1, bytes: 20 }, FailureKind::Timeout);
        let balance = queue.ledger().balance();
        assert_eq!((balance.accepted, balance.delivered, balance.failed, balance.rejected), (2, 1, 1, 1));
        assert_eq!(balance.last_rejection, Some(FailureKind::QueueFull));
        assert_eq!(queue.gate().held(), Load::default());
    }

    #[test]
    fn a_full_batch_wakes_a_sleeping_sender_once() {
        let (waker, awake) = Waker::new();
        let queue = Queue::new(Load { spans: 9, bytes: 1_000 }, Load { spans: 2, bytes: 1_000 }, waker);
        assert!(queue.gate().sleep());
        for item in [1, 2, 3, 4] {
            queue.push(item).unwrap();
        }
        assert_eq!(awake.try_iter().count(), 1);
    }
}
