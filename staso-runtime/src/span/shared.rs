use std::sync::atomic::{AtomicU8, AtomicUsize, Ordering};

use crossbeam_queue::SegQueue;

use crate::{
    context::Owner,
    record::{EntryBuf, SpanId, SpanKind, TraceId},
    recorder::Recorder,
};

/// What the handles of a span share with the span itself; made when the first handle is taken.
///
/// Handles append to a log of their own, from any thread and without a lock; the span adds it to its own
/// when it ends.
#[derive(Debug)]
pub(crate) struct Shared {
    pub(crate) recorder: &'static Recorder,
    pub(crate) trace_id: TraceId,
    pub(crate) span_id: SpanId,
    pub(crate) kind: SpanKind,
    state: AtomicU8,
    entries: SegQueue<Box<[u8]>>,
    bytes: AtomicUsize,
}

const RUNNING: u8 = 0;
const DISCARDED: u8 = 1;
const ENDED: u8 = 2;

impl Shared {
    pub(crate) fn new(owner: Owner, trace_id: TraceId, span_id: SpanId) -> Self {
        Self {
            recorder: owner.recorder,
            trace_id,
            span_id,
            kind: owner.kind,
            state: AtomicU8::new(RUNNING),
            entries: SegQueue::new(),
            bytes: AtomicUsize::new(0),
        }
    }

    /// Whether what is set now still reaches the span.
    pub(crate) fn is_running(&self) -> bool {
        // Relaxed, here and below: a handle that races with the end of its span may come too late.
        self.state.load(Ordering::Relaxed) == RUNNING && !self.recorder.is_inherited()
    }

    pub(crate) fn is_discarded(&self) -> bool {
        self.state.load(Ordering::Relaxed) == DISCARDED
    }

    pub(crate) fn discard(&self) {
        let _ = self.state.compare_exchange(RUNNING, DISCARDED, Ordering::Relaxed, Ordering::Relaxed);
    }

    pub(crate) fn append(&self, log: &EntryBuf) {
        let log = log.as_bytes();
        let most = self.recorder.limits.by_hand();
        if self.bytes.fetch_add(log.len(), Ordering::Relaxed).saturating_add(log.len()) > most {
            crate::diagnostics::span_full(self.kind, most);
            return;
        }
        self.entries.push(log.into());
    }

    /// Ends it, and adds what the handles set. `false` for a discarded span.
    pub(crate) fn end(&self, log: &mut EntryBuf) -> bool {
        if self.state.swap(ENDED, Ordering::Relaxed) == DISCARDED {
            // Children that start later still see a discarded parent.
            self.state.store(DISCARDED, Ordering::Relaxed);
            return false;
        }
        self.move_to(log);
        true
    }

    /// Adds what the handles set so far.
    pub(crate) fn move_to(&self, log: &mut EntryBuf) {
        while let Some(entries) = self.entries.pop() {
            log.extend(&entries);
        }
    }
}
