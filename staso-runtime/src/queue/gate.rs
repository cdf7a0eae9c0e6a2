use crate::sync::{AtomicU64, Ordering};

/// What the queue holds, whether the sender sleeps, whether the queue is closed and whether it has a
/// sender: one word, so that a span which fills a batch and a sender which falls asleep cannot miss each
/// other.
///
/// ```text
///  63       62      61         60……40   39……0
/// ┌────────┬───────┬──────────┬────────┬───────┐
/// │sleeping│closed │unattended│ spans  │ bytes │
/// └────────┴───────┴──────────┴────────┴───────┘
/// ```
///
/// Every change is a read-modify-write of this word, and those of one atomic have a single order that
/// all threads agree on: either the sender sees the span before it sleeps, or the span's thread sees
/// that it sleeps and wakes it. Spans count from their reservation until they are settled.
#[derive(Debug)]
pub(crate) struct Gate {
    word: AtomicU64,
    capacity: Load,
    /// From here on a sleeping sender is woken.
    batch: Load,
}

/// A number of spans and their bytes.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub(crate) struct Load {
    pub(crate) spans: u64,
    pub(crate) bytes: u64,
}

/// Why a span was not let in.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Refusal {
    Full,
    Closed,
    /// There is no sender.
    Unattended,
}

/// What a reservation obliges its owner to do.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Admission {
    Quiet,
    /// Push the span, then wake the sender.
    WakeSender,
}

const SLEEPING: u64 = 1 << 63;
const CLOSED: u64 = 1 << 62;
const UNATTENDED: u64 = 1 << 61;
const ONE_SPAN: u64 = 1 << 40;
const BYTES: u64 = ONE_SPAN - 1;
const SPANS: u64 = !(SLEEPING | CLOSED | UNATTENDED | BYTES);

/// What the word's fields can hold, with room for the largest single span on top.
const MOST: Load = Load { spans: 1 << 20, bytes: 1 << 38 };

impl Gate {
    pub(crate) fn new(capacity: Load, batch: Load) -> Self {
        let capacity =
            Load { spans: capacity.spans.clamp(1, MOST.spans), bytes: capacity.bytes.clamp(1, MOST.bytes) };
        // A queue smaller than a batch wakes the sender when it is full.
        let batch =
            Load { spans: batch.spans.clamp(1, capacity.spans), bytes: batch.bytes.clamp(1, capacity.bytes) };
        Self { word: AtomicU64::new(0), capacity, batch }
    }

    /// Makes room for one span.
    #[inline]
    pub(crate) fn reserve(&self, bytes: u64) -> Result<Admission, Refusal> {
        let bytes = bytes.min(MOST.bytes);
        // Relaxed: a stale value only makes the exchange below fail and try again.
        let mut seen = self.word.load(Ordering::Relaxed);
        loop {
            if let Some(refusal) = refusal_of(seen) {
                return Err(refusal);
            }
            let held = load_of(seen);
            let next = Load { spans: held.spans + 1, bytes: held.bytes + bytes };
            // A span larger than the whole queue is let in alone rather than never.
            if next.spans > self.capacity.spans || (held.spans > 0 && next.bytes > self.capacity.bytes) {
                return Err(Refusal::Full);
            }
            let wakes = seen & SLEEPING != 0 && self.fills_batch(next);
            let word = (seen & !(SPANS | BYTES)) | word_of(next);
            let word = if wakes { word & !SLEEPING } else { word };
            // AcqRel: pairs with `sleep` and `release`; a reservation that sees the sender asleep also sees
            // everything it did before.
            match self.word.compare_exchange_weak(seen, word, Ordering::AcqRel, Ordering::Relaxed) {
                Ok(_) => return Ok(if wakes { Admission::WakeSender } else { Admission::Quiet }),
                Err(current) => seen = current,
            }
        }
    }

    /// Takes in what the sender itself found, whatever the limits.
    pub(crate) fn add(&self, load: Load) {
        self.word.fetch_add(word_of(load), Ordering::AcqRel);
    }

    /// Gives room back once spans are settled.
    pub(crate) fn release(&self, load: Load) {
        // Release: whoever reserves this room sees that its last holder is gone.
        self.word.fetch_sub(word_of(load), Ordering::Release);
    }

    /// Says that the sender is about to sleep. `false` when there is a batch to send instead.
    pub(crate) fn sleep(&self) -> bool {
        // AcqRel: pairs with `reserve`; see the type's documentation.
        let before = self.word.fetch_or(SLEEPING, Ordering::AcqRel);
        if self.fills_batch(load_of(before)) {
            self.wake();
            return false;
        }
        true
    }

    pub(crate) fn wake(&self) {
        self.word.fetch_and(!SLEEPING, Ordering::Relaxed);
    }

    /// Refuses every later span.
    pub(crate) fn close(&self) {
        self.word.fetch_or(CLOSED, Ordering::AcqRel);
    }

    /// Refuses spans until a sender takes its place.
    pub(crate) fn leave(&self) {
        self.word.fetch_or(UNATTENDED, Ordering::AcqRel);
    }

    /// Takes the sender's place. A closed queue stays closed.
    pub(crate) fn attend(&self) {
        self.word.fetch_and(!UNATTENDED, Ordering::AcqRel);
    }

    pub(crate) fn held(&self) -> Load {
        load_of(self.word.load(Ordering::Acquire))
    }

    pub(crate) fn is_closed(&self) -> bool {
        self.word.load(Ordering::Acquire) & CLOSED != 0
    }

    /// Why a span that starts now could not be let in, however empty the queue.
    #[inline]
    pub(crate) fn refusal(&self) -> Option<Refusal> {
        // Relaxed: a span that starts while the queue closes may go either way.
        refusal_of(self.word.load(Ordering::Relaxed))
    }

    fn fills_batch(&self, load: Load) -> bool {
        load.spans >= self.batch.spans || load.bytes >= self.batch.bytes
    }
}

#[inline]
const fn refusal_of(word: u64) -> Option<Refusal> {
    if word & (CLOSED | UNATTENDED) == 0 {
        None
    } else if word & CLOSED != 0 {
        Some(Refusal::Closed)
    } else {
        Some(Refusal::Unattended)
    }
}

const fn load_of(word: u64) -> Load {
    Load { spans: (word & SPANS) / ONE_SPAN, bytes: word & BYTES }
}

fn word_of(load: Load) -> u64 {
    (load.spans.min(MOST.spans) * ONE_SPAN) | load.bytes.min(BYTES)
}

#[cfg(all(test, not(loom)))]
mod tests {
    use super::*;

    fn gate(spans: u64, bytes: u64, batch: u64) -> Gate {
        Gate::new(Load { spans, bytes }, Load { spans: batch, bytes: u64::MAX })
    }

    #[test]
    fn the_newest_span_is_refused_when_the_queue_is_full_by_count_or_by_bytes() {
        let by_count = gate(2, 1_000, 100);
        assert_eq!([1, 1, 1].map(|bytes| by_count.reserve(bytes).is_ok()), [true, true, false]);
        let by_bytes = gate(100, 1_000, 100);
        assert_eq!([600, 400, 1].map(|bytes| by_bytes.reserve(bytes).is_ok()), [true, true, false]);
        by_bytes.release(Load { spans: 1, bytes: 400 });
        assert_eq!(by_bytes.reserve(1), Ok(Admission::Quiet));
    }

    #[test]
    fn a_span_larger_than_the_queue_goes_in_alone() {
        let gate = gate(100, 1_000, 100);
        assert!(gate.reserve(5_000).is_ok());
        assert_eq!(gate.reserve(1), Err(Refusal::Full));
    }

    #[test]
    fn only_the_span_that_fills_the_batch_wakes_a_sleeping_sender() {
        let gate = gate(10, 1_000, 3);
        assert!(gate.sleep());
        let admissions = [1; 4].map(|bytes| gate.reserve(bytes).unwrap());
        let [quiet, wake] = [Admission::Quiet, Admission::WakeSender];
        assert_eq!(admissions, [quiet, quiet, wake, quiet]);
    }

    #[test]
    fn the_sender_does_not_fall_asleep_over_a_full_batch() {
        let gate = gate(10, 1_000, 1);
        assert_eq!(gate.reserve(1), Ok(Admission::Quiet));
        assert!(!gate.sleep());
        assert_eq!(gate.reserve(1), Ok(Admission::Quiet), "awake, so nobody wakes it");
    }

    #[test]
    fn a_queue_smaller_than_a_batch_wakes_the_sender_when_it_is_full() {
        let gate = gate(2, 1_000, 100);
        assert!(gate.sleep());
        assert_eq!(gate.reserve(1), Ok(Admission::Quiet));
        assert_eq!(gate.reserve(1), Ok(Admission::WakeSender));
    }

    #[test]
    fn a_queue_without_a_sender_refuses_until_it_has_one_and_once_closed_stays_so() {
        let gate = gate(MOST.spans, 1_000, 100);
        gate.leave();
        assert_eq!(gate.reserve(7), Err(Refusal::Unattended));
        gate.attend();
        assert_eq!(gate.reserve(7), Ok(Admission::Quiet));
        gate.close();
        gate.leave();
        gate.attend();
        assert_eq!(gate.reserve(7), Err(Refusal::Closed));
        assert_eq!(gate.held(), Load { spans: 1, bytes: 7 });
    }

    #[test]
    fn the_largest_load_fits_its_fields() {
        assert_eq!(load_of(word_of(MOST)), MOST);
        assert_eq!(refusal_of(word_of(MOST)), None);
    }

    #[test]
    fn a_closed_queue_refuses_and_keeps_what_it_holds() {
        let gate = gate(2, 1_000, 100);
        assert!(gate.reserve(7).is_ok());
        gate.close();
        assert_eq!(gate.reserve(7), Err(Refusal::Closed));
        assert_eq!(gate.held(), Load { spans: 1, bytes: 7 });
    }
}
