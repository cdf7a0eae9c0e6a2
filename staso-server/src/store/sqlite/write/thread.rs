use std::{
    sync::mpsc::{Receiver, RecvTimeoutError},
    time::Duration,
};

use tokio::sync::watch;

use super::{
    session::{Finish, Session, Writing},
    settle::{self, settle_some},
};
use crate::{
    model::Timestamp,
    store::{Revision, StoreError},
};

/// A job, and how to tell who waits for it what became of the commit. The flag says that the job failed.
pub(super) type Task = Box<dyn FnOnce(&mut Session<'_>) -> (Finish, bool) + Send>;

/// At most so many jobs are committed together: those behind them wait as long.
const GROUP: usize = 256;

/// How often the thread looks for what other processes wrote, and for what has to be settled.
const TICK: Duration = Duration::from_millis(250);

/// Receipts outlive every client that may send a batch again.
const RECEIPTS_KEPT: Duration = Duration::from_secs(48 * 3600);

/// Takes jobs until there is nobody left to send one.
pub(super) fn run(
    mut writing: Writing,
    tasks: &Receiver<Task>,
    revision: &watch::Sender<Revision>,
    settles: bool,
) {
    let mut cleaned = Timestamp::now();
    let mut more_to_settle = false;
    loop {
        let wait = if more_to_settle { Duration::ZERO } else { TICK };
        match tasks.recv_timeout(wait) {
            Ok(first) => {
                commit_group(&mut writing, first, tasks, revision);
                more_to_settle = settles && settle::is_far_behind(&writing);
            }
            Err(RecvTimeoutError::Timeout) => {
                notice(&mut writing, revision);
                more_to_settle = settles && settle_slice(&mut writing, false);
                if settles && cleaned < Timestamp::now().before(Duration::from_secs(60)) {
                    cleaned = Timestamp::now();
                    forget_receipts(&mut writing);
                }
            }
            Err(RecvTimeoutError::Disconnected) => break,
        }
        // Under load nothing times out; what is far behind is caught up with between two groups.
        if more_to_settle {
            more_to_settle = settle_slice(&mut writing, false);
        }
    }
    while writing.wrote() && settle_slice(&mut writing, true) {}
    let _ = writing.connection.query_row("PRAGMA wal_checkpoint(TRUNCATE)", [], |_| Ok(()));
}

fn commit_group(
    writing: &mut Writing,
    first: Task,
    tasks: &Receiver<Task>,
    revision: &watch::Sender<Revision>,
) {
    let mut finishes = Vec::new();
    let outcome = writing.transaction(|session| {
        let mut next = Some(first);
        while let Some(task) = next {
            let (finish, failed) = task(session);
            finishes.push(finish);
            // Some failures, a full disk among them, end the whole transaction.
            if failed && session.is_lost() {
                return Err(StoreError::Full);
            }
            next = if finishes.len() < GROUP { tasks.try_recv().ok() } else { None };
        }
        Ok(session.revision())
    });
    let commit = match outcome {
        Ok(number) => {
            if let Some(number) = number {
                revision.send_replace(number);
            }
            Ok(())
        }
        Err(error) => Err(error),
    };
    for finish in finishes {
        finish(again(&commit));
    }
}

/// The outcome for one of several that share it.
fn again(commit: &Result<(), StoreError>) -> Result<(), StoreError> {
    match commit {
        Ok(()) => Ok(()),
        Err(StoreError::Full) => Err(StoreError::Full),
        Err(StoreError::Overloaded { retry_after }) => {
            Err(StoreError::Overloaded { retry_after: *retry_after })
        }
        Err(error) => Err(StoreError::Engine(error.to_string())),
    }
}

/// Settles some traces. Whether there may be more.
fn settle_slice(writing: &mut Writing, all: bool) -> bool {
    match writing.transaction(|session| settle_some(session, all)) {
        Ok(more) => more,
        Err(error) => {
            tracing::warn!(%error, "traces could not be made searchable; their text is read instead");
            false
        }
    }
}

fn forget_receipts(writing: &mut Writing) {
    let before = Timestamp::now().before(RECEIPTS_KEPT).as_micros();
    let forgotten = writing.transaction(|session| {
        let mut delete = session.connection.prepare_cached("DELETE FROM receipt WHERE received_at < ?")?;
        Ok(delete.execute([before])?)
    });
    if let Err(error) = forgotten {
        tracing::warn!(%error, "old receipts could not be deleted");
    }
}

/// Tells who watches what this or another process has written.
fn notice(writing: &mut Writing, revision: &watch::Sender<Revision>) {
    if let Ok(number) = writing.current_revision() {
        revision.send_if_modified(|known| {
            let changed = *known != number;
            *known = number;
            changed
        });
    }
}
