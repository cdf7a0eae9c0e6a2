use std::{
    sync::mpsc::{Receiver, RecvTimeoutError},
    time::Duration,
};

use tokio::sync::watch;

use super::{
    again::Upgrade,
    chores::{Chores, Load},
    session::{Session, Writing},
};
use crate::store::{Revision, StoreError};

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

/// Takes jobs until there is nobody left to send one.
pub(super) fn run(
    mut writing: Writing,
    jobs: &Receiver<Box<dyn Job>>,
    revision: &watch::Sender<Revision>,
    upgrade: watch::Sender<Upgrade>,
    settles: bool,
) {
    let mut chores = Chores::new(settles, upgrade);
    let mut more = false;
    loop {
        let wait = if more { Duration::ZERO } else { TICK };
        let load = match jobs.recv_timeout(wait) {
            Ok(first) => commit_group(&mut writing, first, jobs, revision),
            Err(RecvTimeoutError::Timeout) => Load::Idle,
            Err(RecvTimeoutError::Disconnected) => break,
        };
        more = chores.run(&mut writing, load);
        if load == Load::Idle {
            notice(&writing, revision);
        }
    }
    chores.end(&mut writing);
}

/// Commits a job together with those that wait behind it.
fn commit_group(
    writing: &mut Writing,
    first: Box<dyn Job>,
    queued: &Receiver<Box<dyn Job>>,
    revision: &watch::Sender<Revision>,
) -> Load {
    let mut load = Load::Busy;
    let mut jobs = vec![first];
    let committed = writing.transaction(|session| {
        let mut next = 0;
        while let Some(job) = jobs.get_mut(next) {
            job.run(session)?;
            next += 1;
            if next < GROUP {
                match queued.try_recv() {
                    Ok(job) => jobs.push(job),
                    Err(_) => load = Load::Light,
                }
            }
        }
        Ok(session.revision())
    });
    match committed {
        Ok(number) => {
            announce(number, revision);
            jobs.into_iter().for_each(|job| job.finish(Ok(())));
        }
        Err(_) if jobs.len() > 1 => commit_apart(writing, jobs, revision),
        Err(error) => {
            if let Some(job) = jobs.pop() {
                job.finish(Err(error));
            }
        }
    }
    load
}

/// Commits jobs of which one failed, or that were too much together, so that it does not harm the others. What this
/// takes is saved where nothing fails: then nobody keeps what pages were like before each job.
fn commit_apart(writing: &mut Writing, mut jobs: Vec<Box<dyn Job>>, revision: &watch::Sender<Revision>) {
    let committed = writing.transaction(|session| {
        let mut outcomes = Vec::with_capacity(jobs.len());
        for job in &mut jobs {
            outcomes.push(session.attempt(|session| job.run(session)));
            if session.is_lost() {
                return Err(StoreError::Full);
            }
        }
        Ok((session.revision(), outcomes))
    });
    match committed {
        Ok((number, outcomes)) => {
            announce(number, revision);
            jobs.into_iter().zip(outcomes).for_each(|(job, outcome)| job.finish(outcome));
        }
        // Another process writes: each of them would wait for it anew.
        Err(StoreError::Overloaded { retry_after }) => {
            jobs.into_iter().for_each(|job| job.finish(Err(StoreError::Overloaded { retry_after })));
        }
        Err(_) => jobs.into_iter().for_each(|job| commit_one(writing, job, revision)),
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

#[cfg(test)]
mod tests {
    use std::sync::mpsc;

    use super::super::create_workspace;
    use crate::{
        model::Slug,
        store::{
            Store as _, StoreError,
            sqlite::{OpenOptions, SqliteStore},
        },
    };

    #[tokio::test]
    async fn a_job_that_panics_or_is_refused_harms_none_that_it_is_committed_with() {
        let folder = tempfile::tempdir().unwrap();
        let store = SqliteStore::open(folder.path(), OpenOptions::server("here")).unwrap();
        let writer = store.writer().unwrap();
        let (go_on, wait) = mpsc::channel::<()>();
        let make = |slug: &str| {
            let slug: Slug = slug.parse().unwrap();
            writer.write(0, move |session| create_workspace(session, &slug))
        };
        let (first, before, refused, panicked, after, ()) = tokio::join!(
            // The others queue up behind it and are committed together with it.
            writer.write(0, move |_| {
                let _ = wait.recv();
                Ok(())
            }),
            make("before"),
            make("default"),
            writer.write(0, |_| -> Result<(), StoreError> { panic!("a fault in a job") }),
            make("after"),
            async { drop(go_on) },
        );
        assert!(first.is_ok() && before.is_ok() && after.is_ok());
        assert!(matches!(refused, Err(StoreError::WorkspaceExists(_))));
        assert!(matches!(panicked, Err(StoreError::Engine(_))));
        let slugs: Vec<String> =
            store.workspaces().await.unwrap().into_iter().map(|workspace| workspace.slug).collect();
        assert_eq!(slugs, ["after", "before", "default"]);
    }
}
