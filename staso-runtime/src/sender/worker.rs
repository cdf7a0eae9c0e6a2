use std::{collections::VecDeque, mem, sync::Arc, time::Duration};

use crossbeam_channel::Receiver;

use super::{
    announce::OpenRoots,
    batching::{Portions, records},
    clock::Waiting,
    handle::Stop,
    request::{self, Request},
    retry::{self, CoolDown},
    unfinished::OpenSlots,
};
use crate::{
    capture::guarded,
    context::{become_sender, local},
    diagnostics,
    export::{Batch, Export, ExportError, FailureKind, Retry},
    queue::{Item, Load},
    record::{Finished, SpanRecord, clock::Tick},
    recorder::{Intake, Recorder},
};

/// How much is sent at once, and how often.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Schedule {
    pub(crate) batch: Load,
    pub(crate) interval: Duration,
}

/// The sender's side of the queue: waits, takes portions, has them delivered, settles them.
pub(crate) struct Worker {
    pub(super) recorder: &'static Recorder,
    pub(super) intake: &'static Intake,
    pub(super) exporter: Box<dyn Export>,
    pub(super) schedule: Schedule,
    pub(super) requests: Receiver<Request>,
    pub(super) wake: Receiver<()>,
    pub(super) stop: Arc<Stop>,
    /// Disconnects once the facts of the repository are known, or will never be.
    pub(super) git: Option<Receiver<()>>,
    pub(super) state: State,
}

/// What the worker remembers between its turns.
pub(super) struct State {
    portions: Portions,
    roots: OpenRoots,
    open: OpenSlots,
    cool_down: CoolDown,
    last_send: Tick,
    waiting: Vec<Request>,
    rejections_logged: u64,
    /// Taken out of the queue, and not settled.
    in_hand: Load,
}

impl State {
    pub(super) fn new(batch: Load, now: Tick) -> Self {
        Self {
            portions: Portions::new(batch),
            roots: OpenRoots::default(),
            open: OpenSlots::default(),
            cool_down: CoolDown::default(),
            last_send: now,
            waiting: Vec::new(),
            rejections_logged: 0,
            in_hand: Load::default(),
        }
    }
}

impl State {
    fn let_go(&mut self, load: Load) {
        let Load { spans, bytes } = self.in_hand;
        self.in_hand =
            Load { spans: spans.saturating_sub(load.spans), bytes: bytes.saturating_sub(load.bytes) };
    }
}

/// Why the worker sends now.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Occasion {
    FullBatch,
    Interval,
    /// A flush or shutdown waits.
    Asked,
}

/// What became of a batch.
enum Outcome {
    Delivered,
    Lost,
    /// A shutdown ran out of time: its spans stay pending.
    GivenUp,
    /// The backend takes it in smaller parts.
    TooLarge(Batch),
}

/// How often the end of a flush looks again for a span that is counted and not yet in the queue.
const LAST_LOOKS: u32 = 1_000;

/// The first batch waits this long for the facts of the repository, which its roots carry.
const GIT_PATIENCE: Duration = Duration::from_millis(500);

/// A worker that panics is restarted this often, with the queue as it was.
const RESTARTS: u32 = 3;

impl Worker {
    /// Works until a shutdown is done, or the worker has panicked too often.
    pub(super) fn work(mut self) {
        become_sender();
        for _ in 0..=RESTARTS {
            match guarded(|| self.turns()) {
                Ok(()) => return self.intake.free_slots(),
                Err(message) => diagnostics::worker_panicked(&message),
            }
            let lost = mem::take(&mut self.state.in_hand);
            self.intake.spans.failed(lost, FailureKind::SenderUnavailable);
        }
        self.intake.annotations.gate().leave();
        let spans = &self.intake.spans;
        spans.gate().leave();
        spans.failed(spans.gate().held(), FailureKind::SenderUnavailable);
        while spans.pop().is_some() {}
        self.intake.free_slots();
    }

    fn turns(&mut self) {
        loop {
            let occasion = self.wait();
            if let Some(occasion) = occasion {
                self.send(occasion);
            }
            self.log_rejections();
            if occasion == Some(Occasion::Asked) && self.answer() || self.stop.is_abandoned() {
                return;
            }
        }
    }

    /// Sleeps until there is something to do; `None` when there was not after all.
    fn wait(&mut self) -> Option<Occasion> {
        let clock = &self.recorder.clock;
        let now = clock.tick();
        let due = self.state.last_send.after(self.schedule.interval);
        let cooling = self.state.cool_down.until(now);
        if self.state.waiting.is_empty() && self.requests.is_empty() {
            let gate = self.intake.spans.gate();
            // Nobody wakes a sender that cools down but a flush or shutdown.
            let asleep = cooling.is_some() || gate.sleep();
            if asleep {
                clock.wait_until(cooling.map_or(due, |until| until.max(due)), &self.wake);
                gate.wake();
            }
        }
        self.state.waiting.extend(self.requests.try_iter());
        let now = clock.tick();
        if !self.state.waiting.is_empty() {
            Some(Occasion::Asked)
        } else if self.state.cool_down.until(now).is_some() {
            None
        } else if now >= due {
            Some(Occasion::Interval)
        } else {
            self.is_batch_full().then_some(Occasion::FullBatch)
        }
    }

    fn is_batch_full(&self) -> bool {
        let held = self.intake.spans.gate().held();
        held.spans >= self.schedule.batch.spans || held.bytes >= self.schedule.batch.bytes
    }

    /// Sends what was accepted before now, of that on a full batch only full ones; then announces roots.
    fn send(&mut self, occasion: Occasion) {
        self.send_annotations();
        self.state.open.gather(self.intake);
        let delivered = self.send_spans(occasion);
        if request::stops_at(&self.state.waiting).is_some() {
            self.send_unfinished();
            return;
        }
        let now = self.recorder.clock.tick();
        let due = occasion != Occasion::FullBatch || self.state.roots.is_due(now, self.schedule.interval);
        if delivered && due && !self.stop.is_abandoned() {
            self.announce(occasion);
        }
    }

    /// Whether nothing of it was lost.
    fn send_spans(&mut self, occasion: Occasion) -> bool {
        let target = self.intake.spans.ledger().accepted();
        self.state.last_send = self.recorder.clock.tick();
        let mut all_delivered = true;
        let mut looks = 0;
        while !self.stop.is_abandoned() {
            let spans = self.state.portions.take(|| self.intake.spans.pop());
            if spans.is_empty() {
                if self.has_taken(target) || looks == LAST_LOOKS {
                    break;
                }
                // Counted, and about to be pushed by a thread that has not finished ending it.
                looks += 1;
                self.recorder.clock.yield_now();
                continue;
            }
            let delivered = self.deliver_in_parts(spans);
            all_delivered &= delivered;
            self.state.last_send = self.recorder.clock.tick();
            let enough = match occasion {
                Occasion::Asked => false,
                Occasion::Interval => !delivered,
                Occasion::FullBatch => !delivered || !self.is_batch_full(),
            };
            if enough || self.has_taken(target) {
                break;
            }
        }
        all_delivered
    }

    /// Delivers what still runs when the sender stops, as far as it got. What ends later is rejected.
    fn send_unfinished(&mut self) {
        if self.stop.is_abandoned() {
            return;
        }
        let now = self.recorder.clock.tick();
        self.state.open.gather(self.intake);
        let (running, handles) = self.state.open.take(now);
        let mut spans: VecDeque<Finished> = self.state.roots.unfinished(self.intake, now, &handles).into();
        spans.extend(running);
        for span in &spans {
            self.intake.spans.accept(span);
        }
        while !self.stop.is_abandoned() {
            let portion = self.state.portions.take(|| spans.pop_front());
            if portion.is_empty() {
                return;
            }
            self.deliver_in_parts(portion);
        }
    }

    /// Delivers spans, halving what the backend finds too large. Whether all were delivered.
    fn deliver_in_parts(&mut self, spans: Vec<Finished>) -> bool {
        self.state.in_hand = Load { spans: spans.len() as u64, bytes: spans.iter().map(Item::size).sum() };
        let mut parts = vec![self.batch(spans)];
        let mut all_delivered = true;
        while let Some(batch) = parts.pop() {
            match self.deliver(batch) {
                Outcome::Delivered => {}
                Outcome::Lost => all_delivered = false,
                Outcome::GivenUp => return false,
                Outcome::TooLarge(batch) => {
                    let [first, second] = batch.split();
                    parts.extend([second, first]);
                }
            }
        }
        all_delivered
    }

    fn batch(&mut self, spans: Vec<Finished>) -> Batch {
        self.await_git();
        Batch::with_new_key(records(spans, &self.recorder.resource, self.recorder.policy))
    }

    /// Whether everything was taken that was accepted when `target` was; of a closed queue, also what is let
    /// in and not counted yet.
    fn has_taken(&self, target: u64) -> bool {
        let gate = self.intake.spans.gate();
        self.state.portions.taken() >= target && (!gate.is_closed() || gate.held().spans == 0)
    }

    /// Tries a batch until it is delivered, lost or given up, and settles it. Given up means pending:
    /// a shutdown ran out of time.
    fn deliver(&mut self, mut batch: Batch) -> Outcome {
        let load = batch.load();
        loop {
            let Err(error) = self.attempt(&batch) else {
                self.state.let_go(load);
                self.intake.spans.delivered(load);
                return Outcome::Delivered;
            };
            if self.stop.is_abandoned() {
                return Outcome::GivenUp;
            }
            if error.retry_advice() == Retry::Split && load.spans > 1 {
                return Outcome::TooLarge(batch);
            }
            let random = local::with(|local| local.ids.span_id().bits()).unwrap_or_default();
            match retry::wait_after(&error, batch.attempt(), random) {
                Some(wait) => {
                    if !self.pause(wait) {
                        return Outcome::GivenUp;
                    }
                    batch.next_attempt();
                }
                None => {
                    diagnostics::batch_lost(&error, load.spans);
                    self.state.let_go(load);
                    self.intake.spans.failed(load, error.kind());
                    self.state.cool_down.failed(error.kind(), self.recorder.clock.tick());
                    return Outcome::Lost;
                }
            }
        }
    }

    /// One attempt at a batch.
    fn attempt(&mut self, batch: &Batch) -> Result<(), ExportError> {
        let exporter = &mut self.exporter;
        let outcome = guarded(|| exporter.export(batch)).unwrap_or_else(|message| {
            diagnostics::exporter_panicked(&message);
            Err(ExportError::new(FailureKind::Exporter, "the exporter panicked"))
        });
        if outcome.is_ok() {
            self.state.cool_down.succeeded();
        }
        outcome
    }

    /// Announces the roots that run and were not announced, behind the spans that ended. A failure ends
    /// the round: nobody waits for another attempt, which a later round makes.
    fn announce(&mut self, occasion: Occasion) {
        let now = self.recorder.clock.tick();
        if !self.state.roots.begin(self.intake, now, occasion == Occasion::Asked) {
            return;
        }
        let mut parts = Vec::new();
        while !self.stop.is_abandoned() {
            let batch = match parts.pop() {
                Some(batch) => batch,
                None => {
                    let roots = self.state.roots.take(self.schedule.batch);
                    if roots.is_empty() {
                        return;
                    }
                    self.batch(roots)
                }
            };
            let outcome = self.attempt(&batch);
            let roots = batch.spans().iter().map(SpanRecord::span_id);
            match outcome {
                Ok(()) => self.state.roots.delivered(roots),
                Err(error) if error.retry_advice() == Retry::Split && batch.spans().len() > 1 => {
                    let [first, second] = batch.split();
                    parts.extend([second, first]);
                }
                Err(error) => {
                    diagnostics::announcements_failed(&error);
                    self.state.roots.failed(roots, &error, self.recorder.clock.tick());
                    return;
                }
            }
            // Spans that ended and callers that wait go before the rest.
            let others_wait = !self.requests.is_empty();
            if others_wait || occasion != Occasion::Asked && self.is_batch_full() {
                return;
            }
        }
    }

    /// Waits for the next attempt. `false` when a shutdown cannot wait that long.
    fn pause(&mut self, wait: Duration) -> bool {
        let clock = &self.recorder.clock;
        let until = clock.tick().after(wait);
        loop {
            self.state.waiting.extend(self.requests.try_iter());
            let deadline = request::stops_at(&self.state.waiting);
            if self.stop.is_abandoned() || deadline.is_some_and(|deadline| deadline < until) {
                self.stop.abandon();
                return false;
            }
            if clock.wait_until(until, &self.wake) == Waiting::Over {
                return true;
            }
        }
    }

    fn send_annotations(&mut self) {
        while let Some(annotation) = self.intake.annotations.pop() {
            let load = Load { spans: 1, bytes: Item::size(&annotation) };
            let exporter = &mut self.exporter;
            match guarded(|| exporter.annotate(&annotation)) {
                Ok(Ok(())) => self.intake.annotations.delivered(load),
                Ok(Err(error)) => {
                    diagnostics::annotation_lost(&error);
                    self.intake.annotations.failed(load, error.kind());
                    if error.kind() == FailureKind::Timeout {
                        // The others would each wait as long: spans go first.
                        return;
                    }
                }
                Err(message) => {
                    diagnostics::exporter_panicked(&message);
                    self.intake.annotations.failed(load, FailureKind::Exporter);
                }
            }
            if self.stop.is_abandoned() {
                return;
            }
        }
    }

    fn await_git(&mut self) {
        if let Some(git) = self.git.take() {
            // Its only news is the end of the search.
            let _ = git.recv_timeout(GIT_PATIENCE);
        }
    }

    /// Answers who waits. Whether a shutdown was among them.
    fn answer(&mut self) -> bool {
        let exporter = &mut self.exporter;
        match guarded(|| exporter.flush()) {
            Ok(Ok(())) => {}
            Ok(Err(error)) => diagnostics::flush_failed(&error),
            Err(message) => diagnostics::exporter_panicked(&message),
        }
        let shutdown = request::stops_at(&self.state.waiting).is_some();
        self.state.waiting.clear();
        shutdown
    }

    /// The traced threads only count what they reject: their logger may be slow.
    fn log_rejections(&mut self) {
        let balance = self.intake.spans.ledger().balance();
        if balance.rejected > self.state.rejections_logged
            && let Some(why) = balance.last_rejection
            && diagnostics::spans_rejected(balance.rejected - self.state.rejections_logged, why)
        {
            self.state.rejections_logged = balance.rejected;
        }
    }
}
