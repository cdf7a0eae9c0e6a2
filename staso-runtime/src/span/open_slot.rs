use std::{
    fmt, mem,
    sync::{Arc, Mutex, MutexGuard, TryLockError},
};

use super::{Shared, handoff::Handoff};
use crate::{
    context::SpanRef,
    record::{
        CallSite, Conversation, Entry, EntryBuf, Finished, Name, SpanId,
        clock::{Anchor, Tick, WallTime},
    },
    recorder::{Intake, Recorder},
};

/// Where a span shows itself while its body runs, so that a sender which stops can deliver it unfinished.
///
/// What it shows is handed over as a whole, by one swap of a pointer: a span that ends and a sender that
/// takes it never wait for each other, and one of them gets it. A span that was taken has lost its log, and
/// no queue that would let it in.
pub(crate) struct OpenSlot {
    recorder: &'static Recorder,
    running: Handoff<Running>,
    /// A handle to the span, which may still discard it. Nobody waits for the lock.
    handle: Mutex<Option<Arc<Shared>>>,
}

/// What there is to say of a span before it ends.
#[derive(Default)]
pub(super) struct Running {
    pub(super) site: Option<&'static CallSite>,
    pub(super) span: Option<SpanRef>,
    pub(super) parent: Option<SpanId>,
    pub(super) remote_parent: bool,
    pub(super) started: Option<Tick>,
    pub(super) agent: Option<Name>,
    pub(super) conversation: Option<Arc<Conversation>>,
    pub(super) log: EntryBuf,
}

/// What a sender that stops finds in a slot.
pub(crate) enum Found {
    Nothing,
    /// The span as it stands, which is then the sender's.
    Span(Finished),
    /// A handle to a root, which shows itself elsewhere.
    Handle(Arc<Shared>),
}

impl OpenSlot {
    /// A slot that no span uses.
    #[cold]
    pub(super) fn find(recorder: &'static Recorder, intake: &Intake) -> Option<Arc<Self>> {
        if recorder.is_inherited() {
            return None;
        }
        Some(intake.idle_slots.pop().unwrap_or_else(|| {
            let slot = Arc::new(Self { recorder, running: Handoff::new(), handle: Mutex::new(None) });
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

    #[inline]
    pub(super) fn show(&self, running: Box<Running>) {
        self.running.put(running);
    }

    /// What the slot showed. `None` once a sender took it.
    #[inline]
    pub(super) fn hide(&self) -> Option<Box<Running>> {
        self.running.take()
    }

    /// Leaves a handle to a span that runs: beside what the span shows, or for a root, which shows itself
    /// elsewhere, alone.
    #[cold]
    pub(crate) fn attach(place: &mut Option<Arc<Self>>, handle: &Arc<Shared>) {
        let recorder = handle.recorder;
        let Some(intake) = recorder.intake() else { return };
        if !place.as_ref().is_some_and(|slot| slot.is_of(recorder)) {
            *place = Self::find(recorder, intake);
        }
        if let Some(mut place) = place.as_ref().and_then(|slot| slot.handle()) {
            *place = Some(Arc::clone(handle));
        }
    }

    /// Takes the handle back of a span that has ended.
    #[cold]
    pub(super) fn detach(&self) {
        if let Some(mut place) = self.handle() {
            *place = None;
        }
    }

    /// `None` while somebody else looks at it.
    fn handle(&self) -> Option<MutexGuard<'_, Option<Arc<Shared>>>> {
        match self.handle.try_lock() {
            Ok(handle) => Some(handle),
            Err(TryLockError::Poisoned(poisoned)) => Some(poisoned.into_inner()),
            Err(TryLockError::WouldBlock) => None,
        }
    }

    /// For a sender that stops: leaves nothing behind.
    pub(crate) fn take(&self, now: Tick) -> Found {
        // First: a handle that comes in between is then seen.
        let running = self.running.take();
        let handle = self.handle().and_then(|mut place| place.take());
        match (running, handle) {
            (Some(running), handle) => running.end(now, handle).map_or(Found::Nothing, Found::Span),
            (None, Some(handle)) => Found::Handle(handle),
            (None, None) => Found::Nothing,
        }
    }
}

impl Running {
    /// Ends the span before its body did. `None` if it was discarded.
    fn end(mut self, now: Tick, handle: Option<Arc<Shared>>) -> Option<Finished> {
        let (site, span) = (self.site?, self.span?);
        let mut log = mem::take(&mut self.log);
        let handle = handle.filter(|handle| handle.span_id == span.span_id);
        if handle.is_some_and(|handle| !handle.end(&mut log)) {
            return None;
        }
        Some(unfinished(
            Finished {
                site,
                trace_id: span.trace_id,
                span_id: span.span_id,
                parent: self.parent,
                remote_parent: self.remote_parent,
                started: wall(span.anchor, self.started),
                duration: now.nanos_since(self.started.unwrap_or(now)),
                agent: self.agent,
                conversation: self.conversation,
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
