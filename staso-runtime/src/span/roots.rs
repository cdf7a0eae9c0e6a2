use std::{
    cell::RefCell,
    collections::HashMap,
    fmt,
    sync::{
        Arc, Mutex, TryLockError,
        atomic::{AtomicBool, Ordering},
    },
};

use super::{Shared, open_slot::unfinished};
use crate::{
    context::Scope,
    record::{
        CallSite, Conversation, EntryBuf, Finished, Name, SpanId, TraceId,
        clock::{Nanos, Tick, WallTime},
    },
    recorder::{Intake, Recorder},
};

/// Where a running root shows the sender what an announcement of it says.
///
/// Neither side waits for the other: the sender passes over a slot that is being written, and a root
/// that ends while its slot is being read leaves the slot behind.
pub(crate) struct RootSlot {
    shown: Mutex<Shown>,
    abandoned: AtomicBool,
}

#[derive(Default)]
struct Shown {
    root: Option<Root>,
    /// Kept between roots for its capacity.
    log: Vec<u8>,
    announced: bool,
}

struct Root {
    site: &'static CallSite,
    trace_id: TraceId,
    span_id: SpanId,
    started: WallTime,
    tick: Tick,
    agent: Option<Name>,
    conversation: Option<Arc<Conversation>>,
}

/// What the sender finds in a slot.
pub(crate) enum Look {
    Nothing,
    /// A root to announce, for which there is no room.
    TooLarge,
    Announce(Finished),
}

impl RootSlot {
    fn new() -> Self {
        Self { shown: Mutex::new(Shown::default()), abandoned: AtomicBool::new(false) }
    }

    /// `false` when the sender is reading the slot.
    fn open(&self, root: Root, log: &[u8]) -> bool {
        let mut shown = match self.shown.try_lock() {
            Ok(shown) => shown,
            Err(TryLockError::Poisoned(poisoned)) => poisoned.into_inner(),
            Err(TryLockError::WouldBlock) => return false,
        };
        shown.log.clear();
        shown.log.extend_from_slice(log);
        shown.root = Some(root);
        shown.announced = false;
        true
    }

    /// Whether the root was announced; `None` when the sender is reading the slot just now.
    fn close(&self) -> Option<bool> {
        let mut shown = match self.shown.try_lock() {
            Ok(shown) => shown,
            Err(TryLockError::Poisoned(poisoned)) => poisoned.into_inner(),
            Err(TryLockError::WouldBlock) => return None,
        };
        shown.root = None;
        if shown.log.capacity() > KEPT_LOG {
            shown.log = Vec::new();
        }
        Some(shown.announced)
    }

    /// For the sender: whether nobody will use the slot again.
    pub(crate) fn is_gone(self: &Arc<Self>) -> bool {
        // Acquire: pairs with the Release in `RootSlots::close`.
        self.abandoned.load(Ordering::Acquire)
            || Arc::strong_count(self) == 1 && self.shown.try_lock().is_ok_and(|shown| shown.root.is_none())
    }

    /// For the sender: a copy of the root that runs, unless it was announced, or its copy costs more than
    /// `room` bytes.
    pub(crate) fn look(&self, room: u64) -> Look {
        let Ok(shown) = self.shown.try_lock() else { return Look::Nothing };
        let Shown { root: Some(root), log, announced: false } = &*shown else { return Look::Nothing };
        if self.abandoned.load(Ordering::Acquire) {
            return Look::Nothing;
        }
        if (size_of::<Finished>() + log.len()) as u64 > room {
            return Look::TooLarge;
        }
        Look::Announce(Finished {
            site: root.site,
            trace_id: root.trace_id,
            span_id: root.span_id,
            parent: None,
            remote_parent: false,
            started: root.started,
            duration: Nanos::default(),
            agent: root.agent.clone(),
            conversation: root.conversation.clone(),
            log: log.as_slice().into(),
            provisional: true,
            announced: true,
        })
    }

    /// For a sender that stops: the root as it stands, which is then the sender's.
    pub(crate) fn take(&self, now: Tick, handles: &HashMap<SpanId, Arc<Shared>>) -> Option<Finished> {
        let mut shown = self.shown.try_lock().ok()?;
        let root = shown.root.take().filter(|_| !self.abandoned.load(Ordering::Acquire))?;
        let mut log = EntryBuf::default();
        log.extend(&shown.log);
        if handles.get(&root.span_id).is_some_and(|handle| !handle.end(&mut log)) {
            return None;
        }
        let span = Finished {
            site: root.site,
            trace_id: root.trace_id,
            span_id: root.span_id,
            parent: None,
            remote_parent: false,
            started: root.started,
            duration: now.nanos_since(root.tick),
            agent: root.agent,
            conversation: root.conversation,
            log: Box::default(),
            provisional: false,
            announced: shown.announced,
        };
        Some(unfinished(span, log))
    }

    /// For the sender: this root was announced, should it still run.
    pub(crate) fn announced(&self, span_id: SpanId) {
        // A slot that is locked is being closed or opened: its root has ended.
        let Ok(mut shown) = self.shown.try_lock() else { return };
        if shown.root.as_ref().is_some_and(|root| root.span_id == span_id) {
            shown.announced = true;
        }
    }
}

impl fmt::Debug for RootSlot {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("RootSlot").finish_non_exhaustive()
    }
}

/// A thread's slots that no running root uses.
pub(crate) struct RootSlots(RefCell<Idle>);

struct Idle {
    recorder: Option<&'static Recorder>,
    slots: Vec<Arc<RootSlot>>,
}

/// Roots that run side by side on one thread, as tasks do, beyond which slots are not kept.
const KEPT: usize = 64;

/// The largest copy of an input for which a slot keeps its room.
const KEPT_LOG: usize = 4 * 1024;

impl RootSlots {
    pub(crate) const fn new() -> Self {
        Self(RefCell::new(Idle { recorder: None, slots: Vec::new() }))
    }

    /// Shows a root to the sender.
    pub(crate) fn open(
        &self,
        recorder: &'static Recorder,
        intake: &Intake,
        site: &'static CallSite,
        scope: &Scope,
        (started, tick): (WallTime, Tick),
        log: &[u8],
    ) -> Option<Arc<RootSlot>> {
        let span = scope.span?;
        let root = || Root {
            site,
            trace_id: span.trace_id,
            span_id: span.span_id,
            started,
            tick,
            agent: scope.agent.clone(),
            conversation: scope.conversation.clone(),
        };
        let idle = {
            let mut idle = self.0.borrow_mut();
            if !idle.recorder.is_some_and(|known| std::ptr::eq(known, recorder)) {
                idle.recorder = Some(recorder);
                idle.slots.clear();
            }
            idle.slots.pop()
        };
        if let Some(slot) = idle {
            if slot.open(root(), log) {
                return Some(slot);
            }
            self.keep(recorder, slot);
        }
        let slot = Arc::new(RootSlot::new());
        slot.open(root(), log);
        intake.roots.push(Arc::clone(&slot));
        Some(slot)
    }

    /// Takes a root back. Whether it was announced.
    pub(crate) fn close(&self, recorder: &'static Recorder, slot: Arc<RootSlot>) -> bool {
        match slot.close() {
            Some(announced) => {
                self.keep(recorder, slot);
                announced
            }
            None => {
                // Release: the sender that sees it is done with this root for good.
                slot.abandoned.store(true, Ordering::Release);
                true
            }
        }
    }

    fn keep(&self, recorder: &'static Recorder, slot: Arc<RootSlot>) {
        let mut idle = self.0.borrow_mut();
        let same = idle.recorder.is_some_and(|known| std::ptr::eq(known, recorder));
        if same && idle.slots.len() < KEPT {
            idle.slots.push(slot);
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::record::{SpanKind, clock::WallTime};

    static SITE: CallSite = CallSite::function("run", SpanKind::Agent, "run");

    fn root() -> Root {
        Root {
            site: &SITE,
            trace_id: "c931d6ba-7556-d4da-590b-842753685e5a".parse().unwrap(),
            span_id: "00000000-0000-0000-27a3-51b3e450c2c9".parse().unwrap(),
            started: WallTime(1),
            tick: Tick::default(),
            agent: None,
            conversation: None,
        }
    }

    #[test]
    fn a_root_with_a_large_input_leaves_no_copy_behind() {
        let slot = RootSlot::new();
        for (size, kept) in [(KEPT_LOG, true), (1 << 20, false)] {
            assert!(slot.open(root(), &vec![b'x'; size]));
            assert_eq!(slot.close(), Some(false));
            assert_eq!(slot.shown.lock().unwrap().log.capacity() > 0, kept, "{size} bytes");
        }
    }

    #[test]
    fn a_root_is_shown_until_it_was_announced_and_only_if_there_is_room() {
        let slot = RootSlot::new();
        assert!(slot.open(root(), b"input"));
        assert!(matches!(slot.look(10), Look::TooLarge));
        for _ in 0..2 {
            assert!(matches!(slot.look(u64::MAX), Look::Announce(_)), "until it was announced");
        }
        slot.announced("00000000-0000-0000-0000-000000000001".parse().unwrap());
        assert!(matches!(slot.look(u64::MAX), Look::Announce(_)), "another root was");
        slot.announced(root().span_id);
        assert!(matches!(slot.look(u64::MAX), Look::Nothing));
        assert_eq!(slot.close(), Some(true));
    }
}
