mod awaited;
mod ending;
mod process;
#[cfg(test)]
mod tests;

use std::{
    mem,
    sync::{Arc, Mutex, MutexGuard, PoisonError},
    thread,
    time::Duration,
};

use crossbeam_channel::{Receiver, bounded};
use crossbeam_queue::SegQueue;

use crate::{
    capture::{RedactHook, guarded},
    config::{Builder, GitSource, InitError, Settings},
    diagnostics,
    export::{self, Export},
    queue::{Load, Queue, Waker},
    record::{Resource, clock::Clock, fork_generation},
    recorder::{self, Intake, Recorder, Sink},
    report::DeliveryReport,
    sender::{Asked, Schedule, SenderHandle, Spawn, Waited, spawn_thread},
};
use awaited::Awaited;
use ending::Ending;
pub(crate) use process::register as register_handlers;

/// What one request may hold, as the queue counts: on the wire, where every span grows by some hundred
/// bytes and texts are escaped, it stays below 4 MiB as a rule, and the http exporter sees to it.
const BATCH_BYTES: u64 = 3 * 1024 * 1024;

/// Annotations are few and small: they have a queue of their own, so that neither displaces the other.
const ANNOTATIONS: Load = Load { spans: 10_000, bytes: 4 * 1024 * 1024 };

/// Starts recording, with everything from the `STASO_*` variables.
///
/// A second call retires the first client. A backend that is down is not an error.
///
/// # Errors
///
/// When a setting is missing or wrong. The error names it, its variable and the fix.
///
/// # Examples
///
/// ```no_run
/// // Bind the client to a name: `let _ = …` would drop it at once, and dropping it shuts it down.
/// let _staso = staso::init()?;
/// # Ok::<(), staso::InitError>(())
/// ```
pub fn init() -> Result<Client, InitError> {
    builder().init()
}

/// Settings that win over the environment.
pub fn builder() -> Builder {
    Builder::default()
}

/// Waits until the current client has delivered what was accepted before the call.
///
/// Returns after `timeout` at the latest. Without a client the report is empty and `ok`.
pub fn flush(timeout: Duration) -> DeliveryReport {
    current().map_or_else(DeliveryReport::disabled, |active| active.flush(timeout))
}

/// As [`flush`], and ends the current client: spans that end later are rejected.
pub fn shutdown(timeout: Duration) -> DeliveryReport {
    current().map_or_else(DeliveryReport::disabled, |active| active.shutdown(timeout))
}

/// As [`flush`], for a thread that must not block, such as one that runs the tasks of a runtime.
///
/// See [`Client::flush_async`].
pub fn flush_async(timeout: Duration) -> impl Future<Output = DeliveryReport> + Send + 'static {
    Awaited::new(current(), Asked::Flush, timeout)
}

/// As [`shutdown`], for a thread that must not block, such as one that runs the tasks of a runtime.
///
/// See [`Client::shutdown_async`].
pub fn shutdown_async(timeout: Duration) -> impl Future<Output = DeliveryReport> + Send + 'static {
    Awaited::new(current(), Asked::Shutdown, timeout)
}

/// Keeps recording on while it lives; dropping it shuts it down, and waits for delivery for as long as
/// [`Builder::shutdown_timeout`] says.
#[must_use = "dropping the client shuts it down: bind it with `let _staso = …`, not `let _ = …`"]
#[derive(Debug)]
pub struct Client {
    /// `None` when recording is switched off.
    active: Option<Arc<Active>>,
    shutdown_timeout: Duration,
    replaced: Option<DeliveryReport>,
}

/// A client that was started, and perhaps retired since.
struct Active {
    recorder: &'static Recorder,
    intake: &'static Intake,
    sender: SenderHandle,
    ending: Ending,
    /// The recorder, which lives for ever, does not keep it.
    redact: Option<RedactHook>,
}

/// The client of the process. The lock is held for a few instructions, and never across a fork.
type Current = Option<Arc<Active>>;

static CURRENT: Mutex<Current> = Mutex::new(None);

fn lock() -> MutexGuard<'static, Current> {
    process::register();
    CURRENT.lock().unwrap_or_else(PoisonError::into_inner)
}

#[cfg(unix)]
fn try_lock() -> Option<MutexGuard<'static, Current>> {
    CURRENT.try_lock().ok()
}

fn current() -> Option<Arc<Active>> {
    lock().clone()
}

impl Client {
    /// Waits until everything accepted before the call is delivered or lost, for at most `timeout`.
    ///
    /// Nothing is lost when the time is over: the sender goes on, and a later report counts it. After a
    /// shutdown the report is empty, `ok`, and its last failure is `disabled`.
    pub fn flush(&self, timeout: Duration) -> DeliveryReport {
        self.active.as_ref().map_or_else(DeliveryReport::disabled, |active| active.flush(timeout))
    }

    /// As [`flush`](Self::flush), and ends the client: spans that end later are rejected and counted.
    ///
    /// Spans that still run are delivered as far as they got, with the metadata `staso.unfinished` and the
    /// duration so far; they count as accepted, and their end as rejected.
    ///
    /// When the time is over a request under way is cut short; what is left stays `pending`.
    ///
    /// Whoever stops or flushes the client while it stops already (another `shutdown` or `flush`, its
    /// drop, the `init` of a successor, the exit of the process) waits for the same end, each for as long
    /// as its own timeout says, and reports the same numbers. A request is cut short when the last of
    /// them runs out of time.
    pub fn shutdown(&self, timeout: Duration) -> DeliveryReport {
        self.active.as_ref().map_or_else(DeliveryReport::disabled, |active| active.shutdown(timeout))
    }

    /// As [`flush`](Self::flush), for a thread that must not block: on a runtime with a single thread the
    /// backend, a proxy or a test server may be a task beside the one that flushes.
    ///
    /// It begins with the first poll, and a thread of its own waits: any executor will do, and the timeout
    /// needs none. If the system has no thread to give, that poll waits as [`flush`](Self::flush) does.
    ///
    /// ```
    /// # use std::time::Duration;
    /// # async fn end_of_request(client: &staso::Client) {
    /// let report = client.flush_async(Duration::from_secs(2)).await;
    /// assert_eq!(report.pending(), 0);
    /// # }
    /// ```
    pub fn flush_async(
        &self,
        timeout: Duration,
    ) -> impl Future<Output = DeliveryReport> + Send + 'static + use<> {
        Awaited::new(self.active.clone(), Asked::Flush, timeout)
    }

    /// As [`shutdown`](Self::shutdown), for a thread that must not block; see
    /// [`flush_async`](Self::flush_async).
    ///
    /// Once begun it goes on when the future is dropped. Await it before the client is dropped, whose
    /// drop blocks until the end.
    pub fn shutdown_async(
        &self,
        timeout: Duration,
    ) -> impl Future<Output = DeliveryReport> + Send + 'static + use<> {
        Awaited::new(self.active.clone(), Asked::Shutdown, timeout)
    }

    /// The counts as they stand, without waiting; also after a shutdown, or after another client took
    /// this one's place.
    pub fn report(&self) -> DeliveryReport {
        self.active.as_ref().map_or_else(DeliveryReport::disabled, |active| active.report(0, false))
    }

    /// The last report of the client that this one replaced.
    #[must_use]
    pub fn previous_shutdown_report(&self) -> Option<DeliveryReport> {
        self.replaced
    }
}

impl Drop for Client {
    fn drop(&mut self) {
        // Losses were logged, and the counts are gone with the client.
        let _ = self.shutdown(self.shutdown_timeout);
        // A forked child leaves what it copied as it is: a channel's end takes a lock that another thread
        // of the parent may have held.
        if self.active.as_ref().is_some_and(|active| active.recorder.is_inherited()) {
            mem::forget(self.active.take());
        }
    }
}

impl Active {
    fn flush(&self, timeout: Duration) -> DeliveryReport {
        self.wait(Asked::Flush, timeout)
    }

    fn shutdown(&self, timeout: Duration) -> DeliveryReport {
        self.wait(Asked::Shutdown, timeout)
    }

    fn wait(&self, asked: Asked, timeout: Duration) -> DeliveryReport {
        // A forked child has a copy of the client, and no sender.
        if self.recorder.is_inherited() {
            return DeliveryReport::disabled();
        }
        let Some(mut wait) = self.ending.join(asked == Asked::Shutdown) else {
            return DeliveryReport::disabled();
        };
        if wait.is_for_end() {
            self.intake.spans.gate().close();
            self.intake.annotations.gate().close();
        }
        let accepted = if wait.is_for_end() { 0 } else { self.intake.spans.ledger().accepted() };
        let last = match self.sender.ask(asked, timeout) {
            Waited::Done if wait.is_for_end() => wait.over(|| self.final_report()),
            Waited::TimedOut if wait.leave() => {
                self.sender.abandon();
                wait.over(|| self.report(0, true))
            }
            waited => return self.report(accepted, waited != Waited::Done),
        };
        if last.pending() > 0 {
            diagnostics::spans_left(last.pending());
        }
        last
    }

    /// Spans that ended and were not delivered, so far.
    fn lost(&self) -> u64 {
        let report = self.report(0, false);
        report.failed() + report.rejected() + report.pending()
    }

    /// The counts once the sender has ended, which left behind what it had no time for.
    fn final_report(&self) -> DeliveryReport {
        let report = self.report(0, false);
        if report.pending() > 0 { self.report(0, true) } else { report }
    }

    /// The counts now, of which spans accepted after `accepted` and not settled yet are left out; zero
    /// leaves nothing out.
    fn report(&self, accepted: u64, timed_out: bool) -> DeliveryReport {
        let mut spans = self.intake.spans.ledger().balance();
        if accepted > 0 {
            spans.accepted = accepted.max(spans.delivered + spans.failed);
        }
        DeliveryReport::new(spans, self.intake.annotations.ledger().balance(), timed_out)
    }
}

impl Drop for Active {
    fn drop(&mut self) {
        // The user's code, as everything that the hook holds is.
        let _ = guarded(|| drop(self.redact.take()));
    }
}

impl std::fmt::Debug for Active {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("Active").field("recorder", self.recorder).finish_non_exhaustive()
    }
}

/// Starts a client from settings that were checked.
pub(crate) fn start(settings: Settings) -> Result<Client, InitError> {
    start_with(settings, Box::new(spawn_thread))
}

fn start_with(mut settings: Settings, spawn: Spawn) -> Result<Client, InitError> {
    let misspelt = settings.misspelt.take();
    if let Some(told) = &misspelt {
        diagnostics::misspelt(told);
    }
    diagnostics::prepare(settings.quiet, misspelt);
    let shutdown_timeout = settings.shutdown_timeout;
    let active = if settings.enabled { Some(Arc::new(activate(settings, spawn)?)) } else { None };
    let replaced = {
        let mut current = lock();
        recorder::install(active.as_ref().map(|active| active.recorder));
        mem::replace(&mut *current, active.clone())
    };
    let replaced = replaced.map(|replaced| {
        let report = replaced.shutdown(shutdown_timeout);
        diagnostics::lost_by_retired(replaced.lost());
        replaced.ending.report().unwrap_or(report)
    });
    Ok(Client { active, shutdown_timeout, replaced })
}

fn activate(mut settings: Settings, spawn: Spawn) -> Result<Active, InitError> {
    let exporter: Box<dyn Export> = export::build(&mut settings)?;
    let (waker, wake) = Waker::new();
    let schedule = Schedule {
        batch: Load { spans: settings.batch_size as u64, bytes: BATCH_BYTES },
        interval: settings.flush_interval,
    };
    let capacity = Load { spans: settings.max_queue_size as u64, bytes: settings.max_queue_bytes as u64 };
    let resource = Arc::new(Resource {
        agent_name: settings.agent_name,
        agent_version: settings.agent_version,
        environment: settings.environment,
        workspace: settings.workspace,
        session_id: settings.session_id,
        git: std::sync::OnceLock::new(),
    });
    let git = find_git(settings.git, &resource);
    let intake: &'static Intake = Box::leak(Box::new(Intake {
        spans: Queue::new(capacity, schedule.batch, waker.clone()),
        annotations: Queue::new(ANNOTATIONS, ANNOTATIONS, waker.clone()),
        roots: SegQueue::new(),
        open_slots: SegQueue::new(),
        idle_slots: SegQueue::new(),
    }));
    let recorder: &'static Recorder = Box::leak(Box::new(Recorder {
        clock: settings.clock.unwrap_or_else(Clock::system),
        policy: settings.policy,
        limits: settings.limits,
        redact: settings.redact.as_ref().map(Arc::downgrade),
        resource,
        sink: Sink::Sender(intake),
        generation: fork_generation(),
    }));
    let sender = SenderHandle::start(recorder, intake, exporter, schedule, (waker, wake), git, spawn);
    Ok(Active { recorder, intake, sender, ending: Ending::default(), redact: settings.redact })
}

/// Fills in the facts of the repository: known ones at once, others on a thread of their own. What is
/// returned disconnects when the search is over.
fn find_git(source: GitSource, resource: &Arc<Resource>) -> Option<Receiver<()>> {
    match source {
        GitSource::Off => None,
        GitSource::Known(facts) => {
            let _ = resource.git.set(facts);
            None
        }
        GitSource::Discover(search) => {
            let (searching, over) = bounded(0);
            let resource = Arc::clone(resource);
            let spawned = thread::Builder::new().name("staso-git".into()).spawn(move || {
                let _searching = searching;
                let _suspended = crate::context::Suspension::begin();
                if let Some(facts) = search() {
                    let _ = resource.git.set(facts);
                }
            });
            spawned.is_ok().then_some(over)
        }
    }
}

/// Delivers what is left when the process exits without dropping its client.
#[cfg(unix)]
pub(crate) fn flush_at_exit(timeout: Duration) {
    let clock = Clock::system();
    let deadline = clock.tick().after(timeout);
    loop {
        match try_lock() {
            Some(current) => {
                let active = current.clone();
                drop(current);
                if let Some(active) = active.filter(|active| !active.recorder.is_inherited()) {
                    let _ = active.shutdown(deadline.since(clock.tick()));
                    diagnostics::say(active.lost());
                }
                return;
            }
            // Held by another thread for a moment, or for ever by the code that a signal handler interrupted
            // to exit.
            None if clock.tick() < deadline => thread::yield_now(),
            None => return,
        }
    }
}
