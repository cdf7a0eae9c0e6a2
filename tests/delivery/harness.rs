use std::{
    sync::{Mutex, MutexGuard, PoisonError, mpsc},
    time::Duration,
};

use staso::{
    Builder, Client, DeliveryReport, Export, Span,
    export::{Batch, ExportError, FailureKind, Retry},
    testing::ManualClock,
};

use crate::support::server::WATCHDOG;

/// Never printed, logged or stored: whoever finds it has found a leak.
pub(crate) const CANARY_KEY: &str = "ak_canary_5e1f0d";

/// Longer than any test: these waits end by an event.
pub(crate) const LONG: Duration = WATCHDOG;

static CLIENT: Mutex<()> = Mutex::new(());

/// The process's client, to the caller alone.
pub(crate) fn exclusive() -> MutexGuard<'static, ()> {
    CLIENT.lock().unwrap_or_else(PoisonError::into_inner)
}

pub(crate) fn builder() -> Builder {
    staso::builder().api_key(CANARY_KEY).agent_name("demo-agent").capture_git(false)
}

/// A client whose time stands still, once its sender sleeps.
pub(crate) fn client_at(url: &str, clock: &ManualClock) -> Client {
    let client = builder().base_url(url).clock(clock.clone()).init().expect("valid settings");
    let _ = clock.wait_for_wait(1);
    client
}

/// Ends so many spans, each a trace of its own.
pub(crate) fn record(count: usize) {
    for _ in 0..count {
        Span::builder("step").in_scope(|_| ());
    }
}

/// The law of the ledger, with the counts as a picture.
pub(crate) fn counts(report: &DeliveryReport) -> String {
    assert_eq!(report.accepted(), report.delivered() + report.failed() + report.pending(), "{report}");
    report.to_string()
}

/// What a scripted exporter does with a batch.
pub(crate) enum Turn {
    Fail(FailureKind),
    /// Fails, and asks for another attempt.
    TryAgain,
    Panic,
    /// Says that it was called, and waits.
    Block(mpsc::Sender<()>, mpsc::Receiver<()>),
}

/// An exporter with a script; beyond it, it delivers.
pub(crate) struct Scripted {
    turns: Vec<Turn>,
    seen: mpsc::Sender<Vec<String>>,
}

impl Scripted {
    /// The exporter, and the names of the spans of each batch that it is given.
    pub(crate) fn new(turns: impl IntoIterator<Item = Turn>) -> (Self, mpsc::Receiver<Vec<String>>) {
        let (seen, batches) = mpsc::channel();
        let mut turns: Vec<Turn> = turns.into_iter().collect();
        turns.reverse();
        (Self { turns, seen }, batches)
    }
}

impl Export for Scripted {
    fn export(&mut self, batch: &Batch) -> Result<(), ExportError> {
        let _ = self.seen.send(batch.spans().iter().map(|span| span.name().to_owned()).collect());
        match self.turns.pop() {
            None => Ok(()),
            Some(Turn::Fail(kind)) => Err(ExportError::new(kind, "as the script says")),
            Some(Turn::TryAgain) => {
                let error = ExportError::new(FailureKind::BackendUnavailable, "as the script says");
                Err(error.retry(Retry::Backoff))
            }
            Some(Turn::Panic) => panic!("as the script says"),
            Some(Turn::Block(entered, go_on)) => {
                let _ = entered.send(());
                let _ = go_on.recv();
                Ok(())
            }
        }
    }
}
