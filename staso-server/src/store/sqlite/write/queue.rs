use std::{
    sync::{
        Arc,
        atomic::{AtomicU8, AtomicUsize, Ordering},
        mpsc::{self, SyncSender, TrySendError},
    },
    time::Duration,
};

use rusqlite::Connection;
use tokio::{
    sync::{oneshot, watch},
    time::timeout,
};

use super::{
    super::{lock::FolderLock, open::Derive},
    again::Upgrade,
    session::{Session, Writing},
    thread::{self, Job},
};
use crate::store::{Revision, StoreError};

/// So many jobs may wait, and so many bytes of records with them. What comes on top is refused at once: senders
/// wait better than a server that runs out of memory.
const MAX_JOBS: usize = 1024;
const MAX_BYTES: usize = 64 << 20;

/// How long a job may wait for its turn. Clients stop waiting for an answer after ten seconds, and one that comes later
/// tells nobody when to try again.
const PATIENCE: Duration = Duration::from_secs(6);

/// How long those who are refused are asked to wait.
const RETRY_AFTER: Duration = Duration::from_secs(1);

/// The callers' side of the writing thread.
pub(in super::super) struct Writer {
    jobs: SyncSender<Box<dyn Job>>,
    bytes: Arc<AtomicUsize>,
    revision: watch::Receiver<Revision>,
    upgrade: watch::Receiver<Upgrade>,
    ended: watch::Receiver<bool>,
}

impl Writer {
    /// Starts the thread. If it holds the folder it does so until its last write, and makes traces searchable
    /// whenever it has nothing else to do.
    pub(in super::super) fn start(
        connection: Connection,
        lock: Option<FolderLock>,
        derive: Option<Derive>,
    ) -> Result<Self, StoreError> {
        let (jobs, queued) = mpsc::sync_channel(MAX_JOBS);
        let writing = Writing::new(connection, derive);
        // Whoever follows from now on is not told of what has long been there.
        let (revision, watched) = watch::channel(writing.current_revision()?);
        let (tell, upgrade) = watch::channel(Upgrade::left(&writing)?);
        let (end, ended) = watch::channel(false);
        std::thread::Builder::new()
            .name("staso-writer".to_owned())
            .spawn(move || {
                thread::run(writing, &queued, &revision, tell, lock.is_some());
                drop(lock);
                let _ = end.send(true);
            })
            .map_err(|error| StoreError::Engine(format!("the writing thread does not start: {error}")))?;
        Ok(Self { jobs, bytes: Arc::default(), revision: watched, upgrade, ended })
    }

    /// Runs a job on the writing thread, all of it or nothing, and returns when it is on disk. `bytes` is what it
    /// keeps in memory until then. It may be run again when others with which it was committed fail.
    ///
    /// # Errors
    ///
    /// [`StoreError::Overloaded`] at once when too much waits, and when the job was not begun in time; else what the job
    /// or the commit failed with.
    pub(in super::super) async fn write<T: Send + 'static>(
        &self,
        bytes: usize,
        work: impl FnMut(&mut Session<'_>) -> Result<T, StoreError> + Send + 'static,
    ) -> Result<T, StoreError> {
        let room =
            Room::take(&self.bytes, bytes).ok_or(StoreError::Overloaded { retry_after: RETRY_AFTER })?;
        let (answer, mut answered) = oneshot::channel();
        let turn = Turn::default();
        let job = Box::new(Request { work, done: None, turn: turn.clone(), answer, room });
        self.jobs.try_send(job).map_err(|error| match error {
            TrySendError::Full(_) => StoreError::Overloaded { retry_after: RETRY_AFTER },
            TrySendError::Disconnected(_) => StoreError::Closed,
        })?;
        let answer = match timeout(PATIENCE, &mut answered).await {
            Ok(answer) => answer,
            Err(_) if turn.give_up() => return Err(StoreError::Overloaded { retry_after: RETRY_AFTER }),
            // What is being written is on disk soon: then that is the answer.
            Err(_) => answered.await,
        };
        answer.map_err(|_| StoreError::Closed)?
    }

    pub(in super::super) fn revision(&self) -> watch::Receiver<Revision> {
        self.revision.clone()
    }

    pub(in super::super) fn upgrade(&self) -> watch::Receiver<Upgrade> {
        self.upgrade.clone()
    }

    /// Ends the thread after what is queued, and waits for it as long as that.
    pub(in super::super) async fn close(self: Arc<Self>, within: Duration) {
        let mut ended = self.ended.clone();
        // Jobs that are being handed over keep it alive until they have been.
        drop(self);
        let _ = timeout(within, ended.wait_for(|ended| *ended)).await;
    }
}

/// A job and who waits for it.
struct Request<T, W> {
    work: W,
    done: Option<T>,
    turn: Turn,
    answer: oneshot::Sender<Result<T, StoreError>>,
    room: Room,
}

impl<T, W> Job for Request<T, W>
where
    T: Send,
    W: FnMut(&mut Session<'_>) -> Result<T, StoreError> + Send,
{
    fn run(&mut self, session: &mut Session<'_>) -> Result<(), StoreError> {
        if self.turn.begin() {
            self.done = Some((self.work)(session)?);
        }
        Ok(())
    }

    fn finish(self: Box<Self>, commit: Result<(), StoreError>) {
        let Self { done, answer, room, .. } = *self;
        // Whoever hears of it may come with more.
        drop(room);
        // Who waited may have left.
        let _ = answer.send(commit.and_then(|()| done.ok_or(StoreError::Closed)));
    }
}

/// Whether a job has begun, or who waited for it has given up: one of the two, so that nobody is told to try again
/// what is being written.
#[derive(Clone, Default)]
struct Turn(Arc<AtomicU8>);

impl Turn {
    const BEGUN: u8 = 1;
    const GIVEN_UP: u8 = 2;

    /// Whether the job is still wanted. It may begin again when others with which it was committed fail.
    fn begin(&self) -> bool {
        self.take(Self::BEGUN) != Self::GIVEN_UP
    }

    /// Whether the job will not be run.
    fn give_up(&self) -> bool {
        self.take(Self::GIVEN_UP) == Self::GIVEN_UP
    }

    /// What it came to.
    fn take(&self, wanted: u8) -> u8 {
        // Relaxed: the value itself is all that is told.
        match self.0.compare_exchange(0, wanted, Ordering::Relaxed, Ordering::Relaxed) {
            Ok(_) => wanted,
            Err(taken) => taken,
        }
    }
}

/// Part of the bytes that may wait; given back when it is dropped.
struct Room {
    all: Arc<AtomicUsize>,
    bytes: usize,
}

impl Room {
    /// A job that is larger than everything is let in when nothing else waits.
    fn take(all: &Arc<AtomicUsize>, bytes: usize) -> Option<Self> {
        // Relaxed: a count that publishes nothing.
        let fits = |taken: usize| (taken == 0 || taken + bytes <= MAX_BYTES).then_some(taken + bytes);
        all.try_update(Ordering::Relaxed, Ordering::Relaxed, fits).ok()?;
        Some(Self { all: Arc::clone(all), bytes })
    }
}

impl Drop for Room {
    fn drop(&mut self) {
        self.all.fetch_sub(self.bytes, Ordering::Relaxed);
    }
}

#[cfg(test)]
mod tests {
    use std::{sync::mpsc, task::Poll, time::Duration};

    use rusqlite::Connection;
    use tokio::time::Instant;

    use super::{super::super::open, *};
    use crate::store::{
        Store as _,
        sqlite::{OpenOptions, SqliteStore},
    };

    /// What clients allow for an answer, less what the rest of a request takes.
    const CLIENTS_WAIT: Duration = Duration::from_secs(8);

    fn is_overloaded<T>(answer: &Result<T, StoreError>) -> bool {
        matches!(answer, Err(StoreError::Overloaded { retry_after }) if !retry_after.is_zero())
    }

    /// A store whose writing thread is busy until the sender is dropped.
    fn busy(folder: &std::path::Path) -> (SqliteStore, Arc<Writer>, mpsc::Sender<()>) {
        let store = SqliteStore::open(folder, OpenOptions::server("here")).unwrap();
        let writer = store.writer().unwrap();
        let (go_on, wait) = mpsc::channel::<()>();
        let (begin, begun) = mpsc::channel();
        let mut first = Box::pin(writer.write(0, move |_| {
            begin.send(()).unwrap();
            let _ = wait.recv();
            Ok(())
        }));
        // One poll hands the job over.
        let mut context = std::task::Context::from_waker(std::task::Waker::noop());
        assert!(first.as_mut().poll(&mut context).is_pending());
        drop(first);
        begun.recv().unwrap();
        (store, writer, go_on)
    }

    // The clock is one that moves on when nothing else happens, so that nobody waits here.
    #[tokio::test(start_paused = true)]
    async fn b18_who_waits_behind_another_writer_is_answered_while_clients_still_listen() {
        let folder = tempfile::tempdir().unwrap();
        let (store, writer, go_on) = busy(folder.path());
        let begun = Instant::now();
        let (first, second) = tokio::join!(writer.write(0, |_| Ok(1)), writer.write(0, |_| Ok(2)));
        assert!(is_overloaded(&first) && is_overloaded(&second));
        assert!(begun.elapsed() < CLIENTS_WAIT && open::BUSY < CLIENTS_WAIT);
        tokio::time::resume();
        drop(go_on);
        // What was given up is not done afterwards.
        assert_eq!(writer.write(0, |_| Ok(3)).await.unwrap(), 3);
        drop(writer);
        store.close(CLIENTS_WAIT).await;
    }

    #[tokio::test]
    async fn b18_another_process_that_keeps_the_lock_is_waited_for_less_long_than_clients_wait() {
        let folder = tempfile::tempdir().unwrap();
        let store = SqliteStore::open(folder.path(), OpenOptions::server("here")).unwrap();
        let other = Connection::open(folder.path().join("staso.db")).unwrap();
        other.execute_batch("BEGIN IMMEDIATE").unwrap();
        let begun = Instant::now();
        let make = |slug: &str| store.create_workspace(slug.parse().unwrap());
        let answers = tokio::join!(make("a"), make("b"), make("c"));
        assert!(begun.elapsed() < CLIENTS_WAIT, "{:?}", begun.elapsed());
        assert!(is_overloaded(&answers.0) && is_overloaded(&answers.1) && is_overloaded(&answers.2));
        other.execute_batch("COMMIT").unwrap();
        make("b").await.unwrap();
    }

    #[tokio::test]
    async fn more_jobs_than_may_wait_are_refused_at_once() {
        let folder = tempfile::tempdir().unwrap();
        let (_store, writer, go_on) = busy(folder.path());
        let mut waiting: Vec<_> = (0..=MAX_JOBS + 1).map(|_| Box::pin(writer.write(0, |_| Ok(())))).collect();
        let mut context = std::task::Context::from_waker(std::task::Waker::noop());
        let refused = waiting.iter_mut().filter_map(|job| match job.as_mut().poll(&mut context) {
            Poll::Ready(answer) => Some(is_overloaded(&answer)),
            Poll::Pending => None,
        });
        let refused: Vec<bool> = refused.collect();
        assert!(
            (1..=2).contains(&refused.len()) && refused.iter().all(|overloaded| *overloaded),
            "{refused:?}"
        );
        drop(go_on);
    }

    #[tokio::test]
    async fn more_bytes_than_may_wait_are_refused_at_once() {
        let folder = tempfile::tempdir().unwrap();
        let (_store, writer, go_on) = busy(folder.path());
        let mut large = Box::pin(writer.write(MAX_BYTES, |_| Ok(())));
        let mut context = std::task::Context::from_waker(std::task::Waker::noop());
        assert!(large.as_mut().poll(&mut context).is_pending());
        assert!(is_overloaded(&writer.write(1, |_| Ok(())).await));
        drop(go_on);
        large.await.unwrap();
        // Alone, a job may be larger than everything.
        writer.write(MAX_BYTES + 1, |_| Ok(())).await.unwrap();
    }
}
