use std::{
    fmt, mem,
    sync::{Arc, Mutex, MutexGuard, TryLockError},
};

use super::Shared;
use crate::{
    context::SpanRef,
    record::{
        CallSite, Conversation, Entry, EntryBuf, Finished, Name, SpanId, SpanKind, TraceId,
        clock::{Anchor, Tick, WallTime},
    },
    recorder::{Intake, Recorder},
};

/// Where a span shows itself while its body runs, so that a sender which stops can deliver it unfinished.
///
/// Its log moves here and back, which copies nothing. Neither side waits for the other: a span that finds
/// its slot in use is not shown, and one that ends while it is being taken has lost its log, and no queue
/// that would let it in.
pub(crate) struct OpenSlot {
    recorder: &'static Recorder,
    running: Mutex<Running>,
}

/// What there is to say of a span before it ends. Of one that has ended the rest stays until the next.
pub(super) struct Running {
    pub(super) is_shown: bool,
    pub(super) remote_parent: bool,
    pub(super) site: &'static CallSite,
    pub(super) trace_id: TraceId,
    pub(super) span_id: SpanId,
    pub(super) anchor: Option<Anchor>,
    pub(super) parent: Option<SpanId>,
    pub(super) started: Option<Tick>,
    pub(super) agent: Option<Name>,
    pub(super) conversation: Option<Arc<Conversation>>,
    pub(super) handle: Option<Arc<Shared>>,
    pub(super) log: EntryBuf,
}

impl OpenSlot {
    /// A slot that shows nothing yet.
    fn new(recorder: &'static Recorder, span: &SpanRef) -> Self {
        static NOBODY: CallSite = CallSite::manual("", SpanKind::Chain);
        let running = Running {
            is_shown: false,
            remote_parent: false,
            site: &NOBODY,
            trace_id: span.trace_id,
            span_id: span.span_id,
            anchor: None,
            parent: None,
            started: None,
            agent: None,
            conversation: None,
            handle: None,
            log: EntryBuf::default(),
        };
        Self { recorder, running: Mutex::new(running) }
    }

    /// A slot that no span uses.
    #[cold]
    pub(super) fn find(recorder: &'static Recorder, intake: &Intake, span: &SpanRef) -> Option<Arc<Self>> {
        if recorder.is_inherited() {
            return None;
        }
        Some(intake.idle_slots.pop().unwrap_or_else(|| {
            let slot = Arc::new(Self::new(recorder, span));
            intake.open_slots.push(Arc::clone(&slot));
            slot
        }))
    }

    #[inline]
    pub(super) fn is_of(&self, recorder: &'static Recorder) -> bool {
        std::ptr::eq(self.recorder, recorder)
    }

    /// Gives the slot back, for a span of any thread, while new ones are let in.
    #[cold]
    pub(super) fn recycle(self: Arc<Self>) {
        if let Some(intake) = self.recorder.intake()
            && !self.recorder.is_inherited()
            && intake.spans.gate().refusal().is_none()
        {
            intake.idle_slots.push(self);
        }
    }

    /// What the slot shows, to change it. `None` while somebody else looks at it.
    #[inline]
    pub(super) fn open(&self) -> Option<MutexGuard<'_, Running>> {
        match self.running.try_lock() {
            Ok(running) => Some(running),
            Err(TryLockError::Poisoned(poisoned)) => Some(poisoned.into_inner()),
            Err(TryLockError::WouldBlock) => None,
        }
    }

    /// Leaves a handle to a span that runs, which may still discard it: beside what the span shows, or for
    /// a root, which shows itself elsewhere, alone.
    #[cold]
    pub(crate) fn attach(place: &mut Option<Arc<Self>>, span: &SpanRef, handle: &Arc<Shared>) {
        let recorder = handle.recorder;
        let Some(intake) = recorder.intake() else { return };
        if !place.as_ref().is_some_and(|slot| slot.is_of(recorder)) {
            *place = Self::find(recorder, intake, span);
        }
        if let Some(mut running) = place.as_ref().and_then(|slot| slot.open())
            && (!running.is_shown || running.span_id == span.span_id)
        {
            running.span_id = span.span_id;
            running.handle = Some(Arc::clone(handle));
        }
    }

    /// For a sender that stops: a handle to a root that shows itself elsewhere.
    pub(crate) fn lone_handle(&self) -> Option<Arc<Shared>> {
        let running = self.open().filter(|running| !running.is_shown)?;
        running.handle.clone().filter(|handle| handle.span_id == running.span_id)
    }

    /// For a sender that stops: the span as it stands, which is then the sender's.
    pub(crate) fn take(&self, now: Tick) -> Option<Finished> {
        let mut running = self.open().filter(|running| running.is_shown)?;
        running.is_shown = false;
        let mut log = mem::take(&mut running.log);
        if running.handle.take().is_some_and(|handle| !handle.end(&mut log)) {
            return None;
        }
        Some(unfinished(
            Finished {
                site: running.site,
                trace_id: running.trace_id,
                span_id: running.span_id,
                parent: running.parent,
                remote_parent: running.remote_parent,
                started: wall(running.anchor, running.started),
                duration: now.since(running.started.unwrap_or(now)),
                agent: running.agent.take(),
                conversation: running.conversation.take(),
                log: Box::default(),
                provisional: false,
                announced: false,
            },
            log,
        ))
    }
}

/// When a span started that has an anchor, as everyone has who runs.
pub(super) fn wall(anchor: Option<Anchor>, started: Option<Tick>) -> WallTime {
    anchor.zip(started).map(|(anchor, tick)| anchor.wall_at(tick)).unwrap_or_default()
}

/// Marks a span that was delivered before its end.
pub(super) fn unfinished(span: Finished, mut log: EntryBuf) -> Finished {
    log.push(&Entry::Metadata { key: "staso.unfinished", json: "true" });
    Finished { log: log.as_bytes().into(), ..span }
}

impl fmt::Debug for OpenSlot {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("OpenSlot").finish_non_exhaustive()
    }
}
