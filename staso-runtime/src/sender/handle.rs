use std::{
    io,
    sync::{
        Arc, Mutex, PoisonError,
        atomic::{AtomicBool, Ordering},
    },
    thread,
    time::Duration,
};

use crossbeam_channel::{Receiver, Sender, bounded, unbounded};

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

/// What came of a wait for the sender.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Waited {
    Done,
    TimedOut,
}

impl SenderHandle {
    /// Starts the thread. If the system has none to give, the next flush tries again.
    pub(crate) fn start(
        recorder: &'static Recorder,
        intake: &'static Intake,
        exporter: Box<dyn Export>,
        schedule: Schedule,
        (waker, wake): (Waker, Receiver<()>),
        git: Option<Receiver<()>>,
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
        let handle = Self { recorder, requests, waker, stop, interrupt, idle: Mutex::new(Some(worker)) };
        handle.ensure_thread();
        handle
    }

    /// Waits until everything accepted before the call is settled.
    pub(crate) fn flush(&self, timeout: Duration) -> Waited {
        self.ensure_thread();
        let (answer, answered) = bounded(0);
        self.ask(Request::Flush { answer }, &answered, timeout)
    }

    /// As [`flush`](Self::flush), and ends the sender. When the time is over, whatever the sender still
    /// does is cut short.
    pub(crate) fn shutdown(&self, timeout: Duration) -> Waited {
        self.ensure_thread();
        let (answer, answered) = bounded(0);
        let deadline = self.recorder.clock.tick().after(timeout);
        let waited = self.ask(Request::Shutdown { answer, deadline }, &answered, timeout);
        if waited == Waited::TimedOut && !local::with(local::Local::is_sender).unwrap_or_default() {
            self.stop.abandon();
            self.waker.wake();
            if let Some(interrupt) = &self.interrupt {
                interrupt();
            }
        }
        waited
    }

    fn ask(&self, request: Request, answered: &Receiver<()>, timeout: Duration) -> Waited {
        let on_sender = local::with(local::Local::is_sender).unwrap_or_default();
        // A sender that is gone drops the request, which answers it.
        let asked = self.requests.send(request).is_ok();
        self.waker.wake();
        if !asked {
            return Waited::Done;
        }
        if on_sender {
            // It would wait for itself.
            return Waited::TimedOut;
        }
        match answered.recv_timeout(timeout) {
            Err(crossbeam_channel::RecvTimeoutError::Timeout) => Waited::TimedOut,
            Ok(()) | Err(crossbeam_channel::RecvTimeoutError::Disconnected) => Waited::Done,
        }
    }

    fn ensure_thread(&self) {
        let mut idle = self.idle.lock().unwrap_or_else(PoisonError::into_inner);
        let Some(worker) = idle.take() else { return };
        if let Err((worker, error)) = spawn(worker) {
            diagnostics::no_thread(&error);
            *idle = worker;
        }
    }
}

/// Moves the worker to a thread, or gives it back.
///
/// The thread is never joined: whoever waits for it waits for an answer, with a deadline.
fn spawn(worker: Box<Worker>) -> Result<(), (Option<Box<Worker>>, io::Error)> {
    // A closure that could not be moved to a thread is dropped: the cell keeps the worker.
    let cell = Arc::new(Mutex::new(Some(worker)));
    let take = |cell: &Mutex<Option<Box<Worker>>>| cell.lock().unwrap_or_else(PoisonError::into_inner).take();
    let for_thread = Arc::clone(&cell);
    thread::Builder::new()
        .name("staso-sender".into())
        .spawn(move || {
            if let Some(worker) = take(&for_thread) {
                worker.work();
            }
        })
        .map(drop)
        .map_err(|error| (take(&cell), error))
}
