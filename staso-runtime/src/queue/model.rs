//! Every interleaving of producers, sender and a flush, explored by loom:
//! `RUSTFLAGS="--cfg loom" cargo test -p staso-runtime --no-default-features --lib queue::model`.
//!
//! The list of items stands for `SegQueue`, which loom cannot see into.

use loom::{
    sync::{Arc, Condvar, Mutex},
    thread,
};

use super::{Gate, Ledger, Load, gate::Admission};

struct Pipe {
    gate: Gate,
    ledger: Ledger,
    items: Mutex<Vec<u64>>,
    awake: Mutex<bool>,
    waker: Condvar,
}

impl Pipe {
    fn new(capacity: u64, batch: u64) -> Self {
        let load = |spans| Load { spans, bytes: 1 << 20 };
        Self {
            gate: Gate::new(load(capacity), load(batch)),
            ledger: Ledger::new(),
            items: Mutex::new(Vec::new()),
            awake: Mutex::new(false),
            waker: Condvar::new(),
        }
    }

    fn push(&self, item: u64) -> bool {
        let Ok(admission) = self.gate.reserve(1) else { return false };
        self.ledger.accept();
        self.items.lock().unwrap().push(item);
        if admission == Admission::WakeSender {
            *self.awake.lock().unwrap() = true;
            self.waker.notify_one();
        }
        true
    }

    fn wait_awake(&self) {
        let mut awake = self.awake.lock().unwrap();
        while !*awake {
            awake = self.waker.wait(awake).unwrap();
        }
        *awake = false;
    }

    fn settle(&self) -> u64 {
        let taken = std::mem::take(&mut *self.items.lock().unwrap());
        let load = Load { spans: taken.len() as u64, bytes: taken.len() as u64 };
        self.ledger.deliver(load.spans);
        self.gate.release(load);
        load.spans
    }
}

fn explore(model: impl Fn() + Sync + Send + 'static) {
    let mut builder = loom::model::Builder::new();
    builder.preemption_bound = Some(3);
    builder.check(model);
}

/// Without a lost wake-up the sender, which never looks at the time here, gets both spans.
#[test]
fn a_full_batch_always_wakes_the_sender() {
    explore(|| {
        let pipe = Arc::new(Pipe::new(8, 2));
        let producers = [1, 2].map(|item| {
            let pipe = Arc::clone(&pipe);
            thread::spawn(move || assert!(pipe.push(item)))
        });
        if pipe.gate.sleep() {
            pipe.wait_awake();
        }
        // The second span may be counted and not yet pushed; it is on its way.
        let mut settled = pipe.settle();
        while settled < 2 {
            thread::yield_now();
            settled += pipe.settle();
        }
        for producer in producers {
            producer.join().unwrap();
        }
    });
}

/// A span that ended before the flush began is settled when the flush is done.
#[test]
fn a_flush_covers_every_span_that_ended_before_it() {
    explore(|| {
        let pipe = Arc::new(Pipe::new(8, 100));
        pipe.push(1);
        let racing = {
            let pipe = Arc::clone(&pipe);
            thread::spawn(move || pipe.push(2))
        };
        let target = pipe.ledger.accepted();
        let sender = {
            let pipe = Arc::clone(&pipe);
            thread::spawn(move || pipe.settle())
        };
        sender.join().unwrap();
        let balance = pipe.ledger.balance();
        assert!(target >= 1);
        assert!(balance.delivered >= 1, "{balance:?}");
        racing.join().unwrap();
    });
}

#[test]
fn at_any_moment_the_ledger_balances_and_the_queue_keeps_its_limit() {
    explore(|| {
        let pipe = Arc::new(Pipe::new(1, 1));
        let producers = [1, 2].map(|item| {
            let pipe = Arc::clone(&pipe);
            thread::spawn(move || u64::from(pipe.push(item)))
        });
        let settled = pipe.settle();
        let balance = pipe.ledger.balance();
        assert!(balance.delivered == settled && balance.accepted >= settled);
        assert!(pipe.gate.held().spans <= 1);
        let taken: u64 = producers.into_iter().map(|producer| producer.join().unwrap()).sum();
        assert_eq!(pipe.ledger.balance().accepted, taken);
    });
}

#[test]
fn nothing_is_taken_in_after_the_queue_is_closed() {
    explore(|| {
        let pipe = Arc::new(Pipe::new(8, 100));
        let producer = {
            let pipe = Arc::clone(&pipe);
            thread::spawn(move || pipe.push(1))
        };
        pipe.gate.close();
        let held = pipe.gate.held().spans;
        let taken = producer.join().unwrap();
        assert_eq!(pipe.gate.held().spans, held, "the count stood still once closed");
        assert_eq!(u64::from(taken), held);
    });
}

/// A sender that is given up counts what the queue holds as failed, once: nothing comes in behind it.
#[test]
fn nothing_is_taken_in_once_the_sender_has_left() {
    explore(|| {
        let pipe = Arc::new(Pipe::new(8, 1));
        let producer = {
            let pipe = Arc::clone(&pipe);
            thread::spawn(move || pipe.push(1))
        };
        pipe.gate.leave();
        let held = pipe.gate.held();
        pipe.gate.release(held);
        let taken = producer.join().unwrap();
        assert_eq!(u64::from(taken), held.spans);
        assert_eq!(pipe.gate.held().spans, 0);
    });
}
