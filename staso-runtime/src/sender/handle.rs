use std::{
    io,
    sync::{
        Arc, Mutex, PoisonError,
        atomic::{AtomicBool, Ordering},
    },
    thread,
    time::Duration,
};

use crossbeam_channel::{Receiver, RecvTimeoutError, Sender, bounded, unbounded};

use super::{
    request::Request,
    worker::{Schedule, State, Worker},
};
use crate::{
    context::local,
    diagnostics,
    export::{Export, Interrupt},
    queue::Waker,
    recorder::{Intake, Recorder},
};

/// The callers' side of the sender.
pub(crate) struct SenderHandle {
    recorder: &'static Recorder,
    requests: Sender<Request>,
    waker: Waker,
    stop: Arc<Stop>,
    interrupt: Option<Interrupt>,
    /// The worker, until a thread takes it.
    idle: Mutex<Option<Box<Worker>>>,
    intake: &'static Intake,
    spawn: Spawn,
}

/// Runs something on a thread of its own, which is never joined: whoever waits for it waits for an
/// answer, with a deadline.
pub(crate) type Spawn = Box<dyn Fn(Box<dyn FnOnce() + Send>) -> io::Result<()> + Send + Sync>;

/// A thread of the system, if it has one to give.
pub(crate) fn spawn_thread(run: Box<dyn FnOnce() + Send>) -> io::Result<()> {
    thread::Builder::new().name("staso-sender".into()).spawn(run).map(drop)
}

/// Tells a sender that nobody waits for it any more.
#[derive(Debug, Default)]
pub(crate) struct Stop(AtomicBool);

impl Stop {
    pub(super) fn is_abandoned(&self) -> bool {
        // Acquire: pairs with `abandon`, whose caller interrupts the exporter next.
        self.0.load(Ordering::Acquire)
    }

    pub(super) fn abandon(&self) {
        self.0.store(true, Ordering::Release);
    }
}

/// What a caller asks of the sender.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Asked {
    /// To settle everything that was accepted before.
    Flush,
    /// The same, and to end.
    Shutdown,
}

/// What came of a wait for the sender.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Waited {
    Done,
    TimedOut,
    /// The caller is the sender itself, which would wait for ever.
    NotAtAll,
}

impl SenderHandle {
    /// Starts the thread. If the system has none to give, spans are rejected, and the next flush tries
    /// again.
    pub(crate) fn start(
        recorder: &'static Recorder,
        intake: &'static Intake,
        exporter: Box<dyn Export>,
        schedule: Schedule,
        (waker, wake): (Waker, Receiver<()>),
        git: Option<Receiver<()>>,
        spawn: Spawn,
    ) -> Self {
        let (requests, asked) = unbounded();
        let stop = Arc::new(Stop::default());
        let interrupt = exporter.interrupt();
        let worker = Box::new(Worker {
            recorder,
            intake,
            exporter,
            schedule,
            requests: asked,
            wake,
            stop: Arc::clone(&stop),
            git,
            state: State::new(schedule.batch, recorder.clock.tick()),
        });
        let idle = Mutex::new(Some(worker));
        let handle = Self { recorder, requests, waker, stop, interrupt, idle, intake, spawn };
        handle.ensure_thread();
        handle
    }

    /// Waits until the sender has done what is asked of it.
    pub(crate) fn ask(&self, asked: Asked, timeout: Duration) -> Waited {
        if !self.ensure_thread() {
            // Nothing was let in that anybody could wait for.
            return Waited::Done;
        }
        let (answer, answered) = bounded(0);
        let deadline = self.recorder.clock.tick().after(timeout);
        // A sender that has ended drops the request, which answers it.
        let sent = self.requests.send(Request::new(asked, deadline, answer)).is_ok();
        self.waker.wake();
        if !sent {
            return Waited::Done;
        }
        if local::with(local::Local::is_sender).unwrap_or_default() {
            return Waited::NotAtAll;
        }
        match answered.recv_timeout(timeout) {
            Err(RecvTimeoutError::Timeout) => Waited::TimedOut,
            Ok(()) | Err(RecvTimeoutError::Disconnected) => Waited::Done,
        }
    }

    /// Cuts short whatever the sender still does, and ends it.
    pub(crate) fn abandon(&self) {
        self.stop.abandon();
        self.waker.wake();
        if let Some(interrupt) = &self.interrupt {
            interrupt();
        }
    }

    /// What was asked and the sender has not heard yet.
    #[cfg(test)]
    pub(crate) fn unheard(&self) -> usize {
        self.requests.len()
    }

    /// Whether a thread has taken the worker.
    fn ensure_thread(&self) -> bool {
        let mut idle = self.idle.lock().unwrap_or_else(PoisonError::into_inner);
        let Some(worker) = idle.take() else { return true };
        let (spans, annotations) = (self.intake.spans.gate(), self.intake.annotations.gate());
        // Before the thread is there, which may itself give up at once.
        spans.attend();
        annotations.attend();
        match self.spawn(worker) {
            Ok(()) => true,
            Err((worker, error)) => {
                *idle = worker;
                spans.leave();
                annotations.leave();
                drop(idle);
                diagnostics::no_thread(&error);
                false
            }
        }
    }

    /// Moves the worker to a thread, or gives it back.
    fn spawn(&self, worker: Box<Worker>) -> Result<(), (Option<Box<Worker>>, io::Error)> {
        // A closure that could not be moved to a thread is dropped: the cell keeps the worker.
        let cell = Arc::new(Mutex::new(Some(worker)));
        let take =
            |cell: &Mutex<Option<Box<Worker>>>| cell.lock().unwrap_or_else(PoisonError::into_inner).take();
        let for_thread = Arc::clone(&cell);
        let run = move || {
            if let Some(worker) = take(&for_thread) {
                worker.work();
            }
        };
        (self.spawn)(Box::new(run)).map_err(|error| (take(&cell), error))
    }
}
