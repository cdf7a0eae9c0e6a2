//! Is recording on, and where do spans go: the one load of the fast path.

use std::{
    cell::Cell,
    fmt,
    sync::{
        Arc, Mutex, MutexGuard, PoisonError,
        atomic::{AtomicUsize, Ordering},
    },
};

use crossbeam_queue::SegQueue;

use crate::{
    annotation::Annotation,
    capture::{ClientsHook, Limits, Policy},
    export::FailureKind,
    queue::Queue,
    record::{Finished, Resource, clock::Clock, fork_generation},
    span::{OpenSlot, RootSlot},
    testing::Tape,
};

/// How many clients and test captures want spans. Zero means off.
static WANTED: AtomicUsize = AtomicUsize::new(0);

/// Changes whenever [`CURRENT`] does, so that threads may keep a copy.
static GENERATION: AtomicUsize = AtomicUsize::new(1);

/// The recorder of the process. The lock is held for a few instructions, and never across a fork.
pub(crate) type Current = Option<&'static Recorder>;

static CURRENT: Mutex<Current> = Mutex::new(None);

pub(crate) fn lock() -> MutexGuard<'static, Current> {
    CURRENT.lock().unwrap_or_else(PoisonError::into_inner)
}

/// Where the spans of one client, or of one capture in a test, are recorded.
///
/// A recorder lives for ever: a span may end on any thread long after its client retired, and a
/// reference that needs no counting keeps the fast path off a cache line that all threads would share.
/// Some kilobytes per `init` are the price, most of them a block of the queue: at most 16 KiB.
pub(crate) struct Recorder {
    pub(crate) clock: Clock,
    pub(crate) policy: Policy,
    pub(crate) limits: Limits,
    pub(crate) redact: Option<ClientsHook>,
    pub(crate) resource: Arc<Resource>,
    pub(crate) sink: Sink,
    /// The generation of the process that made it.
    pub(crate) generation: u64,
}

/// What takes the spans that end.
pub(crate) enum Sink {
    Sender(&'static Intake),
    Tape(Tape),
}

/// What the traced threads hand to a sender.
pub(crate) struct Intake {
    pub(crate) spans: Queue<Finished>,
    pub(crate) annotations: Queue<Annotation>,
    /// Slots that the sender has not seen yet, for roots that it announces while they run.
    pub(crate) roots: SegQueue<Arc<RootSlot>>,
    /// The same for other spans, which it delivers unfinished when it stops.
    pub(crate) open_slots: SegQueue<Arc<OpenSlot>>,
    /// Slots that no span uses just now.
    pub(crate) idle_slots: SegQueue<Arc<OpenSlot>>,
}

impl Intake {
    /// Lets go of the slots of spans that have ended: for a sender that ends, as recorders live for ever.
    pub(crate) fn free_slots(&self) {
        while self.roots.pop().is_some() {}
        while self.open_slots.pop().is_some() {}
        while self.idle_slots.pop().is_some() {}
    }
}

impl Recorder {
    #[inline]
    pub(crate) fn record(&self, finished: Finished) {
        match &self.sink {
            Sink::Sender(intake) => {
                if let Err(why) = intake.spans.push(finished) {
                    crate::diagnostics::rejected(why);
                }
            }
            Sink::Tape(tape) => tape.ended(finished),
        }
    }

    /// Whether spans that start now can still be delivered. Counts the one that cannot.
    #[inline]
    pub(crate) fn admits(&self) -> bool {
        match &self.sink {
            Sink::Sender(intake) => match intake.spans.gate().refusal() {
                None => true,
                Some(refusal) => {
                    let why = FailureKind::from(refusal);
                    intake.spans.reject(why);
                    crate::diagnostics::rejected(why);
                    false
                }
            },
            Sink::Tape(_) => true,
        }
    }

    /// Whether this process is a child that was forked since, and must not touch what it copied: a thread
    /// of the parent may have been caught in the middle of a push.
    #[inline]
    pub(crate) fn is_inherited(&self) -> bool {
        self.generation != fork_generation()
    }

    pub(crate) fn intake(&self) -> Option<&'static Intake> {
        match &self.sink {
            Sink::Sender(intake) => Some(intake),
            Sink::Tape(_) => None,
        }
    }
}

impl fmt::Debug for Recorder {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Recorder").field("agent_name", &self.resource.agent_name).finish_non_exhaustive()
    }
}

/// Whether anybody wants spans.
#[inline]
pub(crate) fn is_wanted() -> bool {
    // Relaxed: a thread that sees the change late starts recording late.
    WANTED.load(Ordering::Relaxed) != 0
}

/// Makes a recorder the one of the process; `None` switches recording off.
pub(crate) fn install(recorder: Option<&'static Recorder>) {
    let mut current = lock();
    match (current.is_some(), recorder.is_some()) {
        (false, true) => WANTED.fetch_add(1, Ordering::Relaxed),
        (true, false) => WANTED.fetch_sub(1, Ordering::Relaxed),
        _ => 0,
    };
    *current = recorder;
    // Release: pairs with the Acquire in `RecorderCache::get`; a thread that sees the new generation and
    // takes the lock sees the new recorder.
    GENERATION.fetch_add(1, Ordering::Release);
}

#[cfg(unix)]
pub(crate) fn try_lock() -> Option<MutexGuard<'static, Current>> {
    CURRENT.try_lock().ok()
}

/// Switches recording off in the child of a fork, whose only thread this is.
#[cfg(unix)]
pub(crate) fn switch_off(current: Option<MutexGuard<'static, Current>>) {
    if let Some(mut current) = current {
        *current = None;
    }
    WANTED.store(0, Ordering::Relaxed);
    GENERATION.fetch_add(1, Ordering::Release);
}

/// Counts one capture in a test while it lives.
pub(crate) struct Wanted {
    generation: u64,
}

impl Wanted {
    pub(crate) fn new() -> Self {
        WANTED.fetch_add(1, Ordering::Relaxed);
        Self { generation: fork_generation() }
    }
}

impl Drop for Wanted {
    fn drop(&mut self) {
        // The child of a fork began to count anew.
        if self.generation == fork_generation() {
            WANTED.fetch_sub(1, Ordering::Relaxed);
        }
    }
}

/// A thread's copy of the process's recorder.
pub(crate) struct RecorderCache(Cell<(usize, Option<&'static Recorder>)>);

impl RecorderCache {
    pub(crate) const fn new() -> Self {
        Self(Cell::new((0, None)))
    }

    #[inline]
    pub(crate) fn get(&self) -> Option<&'static Recorder> {
        let (generation, recorder) = self.0.get();
        if generation == GENERATION.load(Ordering::Acquire) { recorder } else { self.refresh() }
    }

    #[cold]
    fn refresh(&self) -> Option<&'static Recorder> {
        let current = lock();
        self.0.set((GENERATION.load(Ordering::Acquire), *current));
        *current
    }
}

/// The process's recorder, for calls that are not on the fast path.
pub(crate) fn current() -> Option<&'static Recorder> {
    *lock()
}
