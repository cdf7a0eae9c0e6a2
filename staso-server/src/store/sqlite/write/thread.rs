use std::{
    sync::mpsc::{Receiver, RecvTimeoutError},
    time::Duration,
};

use tokio::sync::watch;

use super::{
    session::{Session, Writing},
    settle::{self, Patience},
    sums::Sums,
    trace::Known,
};
use crate::{
    model::Timestamp,
    store::{Revision, StoreError},
};

/// Work for the thread.
pub(super) trait Job: Send {
    /// Does it in a transaction, of which nothing stays when it fails.
    fn run(&mut self, session: &mut Session<'_>) -> Result<(), StoreError>;

    /// Tells who waits for it what became of the transaction.
    fn finish(self: Box<Self>, commit: Result<(), StoreError>);
}

/// At most so many jobs are committed together: those behind them wait as long.
const GROUP: usize = 256;

/// How often the thread looks for what other processes wrote, and for what has to be settled.
const TICK: Duration = Duration::from_millis(250);

/// How long the row of a large trace may fall behind its spans.
const OUTDATED: Duration = Duration::from_secs(1);

/// Receipts outlive every client that may send a batch again.
const RECEIPTS_KEPT: Duration = Duration::from_secs(48 * 3600);

/// Between two looks for receipts that are older.
const RECEIPTS_CHECKED: Duration = Duration::from_secs(60);

/// After a failure of its own, such as a full disk, the thread leaves what is not urgent alone for so long.
const PAUSE: Duration = Duration::from_secs(10);

/// Takes jobs until there is nobody left to send one.
pub(super) fn run(
    mut writing: Writing,
    jobs: &Receiver<Box<dyn Job>>,
    revision: &watch::Sender<Revision>,
    settles: bool,
) {
    let mut chores = Chores::default();
    let mut more_to_settle = false;
    loop {
        let wait = if more_to_settle { Duration::ZERO } else { TICK };
        let idle = match jobs.recv_timeout(wait) {
            Ok(first) => {
                commit_group(&mut writing, first, jobs, revision);
                false
            }
            Err(RecvTimeoutError::Timeout) => true,
            Err(RecvTimeoutError::Disconnected) => break,
        };
        let done = chores.run(&mut writing, settles, idle);
        if idle {
            notice(&writing, revision);
        }
        more_to_settle = done.unwrap_or_else(|error| {
            tracing::warn!(%error, "the store could not be tidied up; it will be tried again");
            chores.paused = Some(Timestamp::now());
            false
        });
    }
    if let Err(error) = close(&mut writing, settles) {
        tracing::warn!(%error, "the store was closed before it was tidied up; nothing is lost");
    }
}

fn close(writing: &mut Writing, settles: bool) -> Result<(), StoreError> {
    refresh(writing)?;
    if settles {
        writing.connection.query_row("PRAGMA wal_checkpoint(TRUNCATE)", [], |_| Ok(()))?;
    } else if writing.wrote() {
        // What a command has written may be read long before a server comes by.
        while writing.transaction(|session| settle::settle_some(session, Patience::None))? {}
    }
    Ok(())
}

fn commit_group(
    writing: &mut Writing,
    first: Box<dyn Job>,
    queued: &Receiver<Box<dyn Job>>,
    revision: &watch::Sender<Revision>,
) {
    let mut jobs = vec![first];
    let committed = writing.transaction(|session| {
        let mut next = 0;
        while let Some(job) = jobs.get_mut(next) {
            job.run(session)?;
            next += 1;
            if next < GROUP {
                jobs.extend(queued.try_recv());
            }
        }
        Ok(session.revision())
    });
    match committed {
        Ok(number) => {
            announce(number, revision);
            jobs.into_iter().for_each(|job| job.finish(Ok(())));
        }
        // One of them failed, or together they were too much. Each by itself, it does not harm the others.
        Err(_) if jobs.len() > 1 => jobs.into_iter().for_each(|job| commit_one(writing, job, revision)),
        Err(error) => {
            if let Some(job) = jobs.pop() {
                job.finish(Err(error));
            }
        }
    }
}

fn commit_one(writing: &mut Writing, mut job: Box<dyn Job>, revision: &watch::Sender<Revision>) {
    let committed = writing.transaction(|session| {
        job.run(session)?;
        Ok(session.revision())
    });
    job.finish(committed.map(|number| announce(number, revision)));
}

/// Tells who watches that a commit changed something.
fn announce(number: Option<Revision>, revision: &watch::Sender<Revision>) {
    if let Some(number) = number {
        revision.send_replace(number);
    }
}

/// Tells who watches what another process has written, or the thread by itself.
fn notice(writing: &Writing, revision: &watch::Sender<Revision>) {
    if let Ok(number) = writing.current_revision() {
        revision.send_if_modified(|known| {
            let changed = *known != number;
            *known = number;
            changed
        });
    }
}

/// What the thread does when nobody asks for it.
#[derive(Default)]
struct Chores {
    refreshed: Timestamp,
    cleaned: Timestamp,
    looked: Timestamp,
    /// Whether so much waits to be settled that jobs have to wait for some of it.
    behind: bool,
    paused: Option<Timestamp>,
}

impl Chores {
    /// Does what is due. Whether there is more to settle.
    fn run(&mut self, writing: &mut Writing, settles: bool, idle: bool) -> Result<bool, StoreError> {
        let now = Timestamp::now();
        if self.paused.is_some_and(|since| since > now.before(PAUSE)) {
            return Ok(false);
        }
        self.paused = None;
        if self.refreshed < now.before(OUTDATED) {
            self.refreshed = now;
            refresh(writing)?;
        }
        if !settles {
            return Ok(false);
        }
        if self.cleaned < now.before(RECEIPTS_CHECKED) {
            self.cleaned = now;
            forget_receipts(writing, now.before(RECEIPTS_KEPT))?;
        }
        if self.looked < now.before(TICK) {
            self.looked = now;
            self.behind = settle::is_far_behind(writing)?;
        }
        // Under load nothing is idle; what is far behind is caught up with between two groups.
        if idle || self.behind {
            return writing.transaction(|session| settle::settle_some(session, Patience::UntilQuiet));
        }
        Ok(false)
    }
}

/// Works out what large traces come to that have grown.
fn refresh(writing: &mut Writing) -> Result<(), StoreError> {
    for trace in writing.outdated() {
        writing.transaction(|session| {
            let mut sums = Sums::default();
            if let Some(known) = Known::get(session, trace)? {
                known.catch_up(session, &mut sums)?;
            }
            session.outdated.remove(&trace);
            sums.write(session)
        })?;
    }
    Ok(())
}

fn forget_receipts(writing: &mut Writing, before: Timestamp) -> Result<(), StoreError> {
    writing.transaction(|session| {
        let mut delete = session.connection.prepare_cached("DELETE FROM receipt WHERE received_at < ?")?;
        delete.execute([before.as_micros()])?;
        Ok(())
    })
}
