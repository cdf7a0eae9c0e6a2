use std::{
    sync::{
        Arc,
        atomic::{AtomicUsize, Ordering},
        mpsc::{self, SyncSender, TrySendError},
    },
    time::Duration,
};

use rusqlite::Connection;
use tokio::sync::{oneshot, watch};

use super::{
    super::lock::FolderLock,
    session::{Session, Writing},
    thread::{self, Job},
};
use crate::store::{Revision, StoreError};

/// So many jobs may wait, and so many bytes of records with them. What comes on top is refused at once: senders
/// wait better than a server that runs out of memory.
const MAX_JOBS: usize = 1024;
const MAX_BYTES: usize = 64 << 20;

/// How long those who are refused are asked to wait.
const RETRY_AFTER: Duration = Duration::from_secs(1);

/// The callers' side of the writing thread.
pub(in super::super) struct Writer {
    jobs: SyncSender<Box<dyn Job>>,
    bytes: Arc<AtomicUsize>,
    revision: watch::Receiver<Revision>,
    ended: watch::Receiver<bool>,
}

impl Writer {
    /// Starts the thread. If it holds the folder it does so until its last write, and makes traces searchable
    /// whenever it has nothing else to do.
    pub(in super::super) fn start(
        connection: Connection,
        lock: Option<FolderLock>,
    ) -> Result<Self, StoreError> {
        let (jobs, queued) = mpsc::sync_channel(MAX_JOBS);
        let writing = Writing::new(connection);
        // Whoever follows from now on is not told of what has long been there.
        let (revision, watched) = watch::channel(writing.current_revision()?);
        let (end, ended) = watch::channel(false);
        std::thread::Builder::new()
            .name("staso-writer".to_owned())
            .spawn(move || {
                thread::run(writing, &queued, &revision, lock.is_some());
                drop(lock);
                let _ = end.send(true);
            })
            .map_err(|error| StoreError::Engine(format!("the writing thread does not start: {error}")))?;
        Ok(Self { jobs, bytes: Arc::default(), revision: watched, ended })
    }

    /// Runs a job on the writing thread, all of it or nothing, and returns when it is on disk. `bytes` is what it
    /// keeps in memory until then. It may be run again when others with which it was committed fail.
    ///
    /// # Errors
    ///
    /// [`StoreError::Overloaded`] at once when too much waits; else what the job or the commit failed with.
    pub(in super::super) async fn write<T: Send + 'static>(
        &self,
        bytes: usize,
        work: impl FnMut(&mut Session<'_>) -> Result<T, StoreError> + Send + 'static,
    ) -> Result<T, StoreError> {
        let room =
            Room::take(&self.bytes, bytes).ok_or(StoreError::Overloaded { retry_after: RETRY_AFTER })?;
        let (answer, answered) = oneshot::channel();
        let job = Box::new(Request { work, done: None, answer, _room: room });
        self.jobs.try_send(job).map_err(|error| match error {
            TrySendError::Full(_) => StoreError::Overloaded { retry_after: RETRY_AFTER },
            TrySendError::Disconnected(_) => StoreError::Closed,
        })?;
        answered.await.map_err(|_| StoreError::Closed)?
    }

    pub(in super::super) fn revision(&self) -> watch::Receiver<Revision> {
        self.revision.clone()
    }

    /// Ends the thread after what is queued, and waits for it as long as that.
    pub(in super::super) async fn close(self: Arc<Self>, within: Duration) {
        let mut ended = self.ended.clone();
        // Jobs that are being handed over keep it alive until they have been.
        drop(self);
        let _ = tokio::time::timeout(within, ended.wait_for(|ended| *ended)).await;
    }
}

/// A job and who waits for it.
struct Request<T, W> {
    work: W,
    done: Option<T>,
    answer: oneshot::Sender<Result<T, StoreError>>,
    _room: Room,
}

impl<T, W> Job for Request<T, W>
where
    T: Send,
    W: FnMut(&mut Session<'_>) -> Result<T, StoreError> + Send,
{
    fn run(&mut self, session: &mut Session<'_>) -> Result<(), StoreError> {
        self.done = Some((self.work)(session)?);
        Ok(())
    }

    fn finish(self: Box<Self>, commit: Result<(), StoreError>) {
        let Self { done, answer, .. } = *self;
        // Who waited may have left.
        let _ = answer.send(commit.and_then(|()| done.ok_or(StoreError::Closed)));
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
