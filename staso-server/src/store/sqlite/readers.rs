use std::{
    path::PathBuf,
    sync::{
        Arc, Mutex, PoisonError,
        atomic::{AtomicBool, Ordering},
    },
    time::Duration,
};

use rusqlite::{Connection, ErrorCode};
use tokio::sync::Semaphore;

use super::{
    open,
    until::{Until, took_too_long},
};
use crate::store::StoreError;

/// More queries than this at once would not be faster: each keeps a core busy.
pub(super) const QUERIES: usize = 4;

/// So many look-ups of keys and workspaces at once.
pub(super) const LOOK_UPS: usize = 2;

/// A query that takes longer is ended: whoever asked has given up long before.
const DEADLINE: Duration = Duration::from_secs(30);

/// After so many steps of the engine, some microseconds, it is looked whether a query is to go on.
const STEPS: i32 = 100;

/// Connections that only read, each used by one query at a time.
#[derive(Clone)]
pub(super) struct Readers {
    file: Arc<PathBuf>,
    idle: Arc<Mutex<Vec<Connection>>>,
    free: Arc<Semaphore>,
    deadline: Duration,
}

impl Readers {
    pub(super) fn new(file: PathBuf, at_once: usize) -> Self {
        let free = Arc::new(Semaphore::new(at_once));
        Self { file: Arc::new(file), idle: Arc::default(), free, deadline: DEADLINE }
    }

    /// Runs a query, which sees the store as it is when it begins, and never waits for a writer. It ends early when
    /// the caller no longer waits.
    pub(super) async fn read<T: Send + 'static>(
        &self,
        query: impl FnOnce(&Connection) -> Result<T, StoreError> + Send + 'static,
    ) -> Result<T, StoreError> {
        self.read_until(|connection, _| query(connection)).await
    }

    /// As [`Self::read`], for a query that may take long without the engine and so has to look itself whether it is to
    /// go on.
    pub(super) async fn read_until<T: Send + 'static>(
        &self,
        query: impl FnOnce(&Connection, &Until) -> Result<T, StoreError> + Send + 'static,
    ) -> Result<T, StoreError> {
        let permit = Arc::clone(&self.free).acquire_owned().await.map_err(|_| StoreError::Closed)?;
        let this = self.clone();
        let (waiting, left) = Waiting::new();
        let work = tokio::task::spawn_blocking(move || {
            let _permit = permit;
            let mut connection = this.take()?;
            let until = Until::after(this.deadline, left);
            let end = until.clone();
            connection.progress_handler(STEPS, Some(move || end.is_over()))?;
            connection.execute_batch("BEGIN")?;
            let found = query(&connection, &until);
            connection.progress_handler(0, None::<fn() -> bool>)?;
            connection.execute_batch("ROLLBACK")?;
            this.idle().push(connection);
            found
        });
        let found = work.await.map_err(|error| StoreError::Engine(error.to_string()))?;
        drop(waiting);
        found
    }

    fn take(&self) -> Result<Connection, StoreError> {
        let idle = self.idle().pop();
        match idle {
            Some(connection) => Ok(connection),
            None => Ok(open::reader(&self.file)?),
        }
    }

    fn idle(&self) -> std::sync::MutexGuard<'_, Vec<Connection>> {
        self.idle.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

/// Whether an error is the end of a query that took too long or that nobody waits for.
pub(super) fn was_interrupted(error: &rusqlite::Error) -> Option<StoreError> {
    (error.sqlite_error_code() == Some(ErrorCode::OperationInterrupted)).then_some(took_too_long())
}

/// Says, when it is dropped, that nobody waits any more.
struct Waiting {
    left: Arc<AtomicBool>,
}

impl Waiting {
    fn new() -> (Self, Arc<AtomicBool>) {
        let left = Arc::new(AtomicBool::new(false));
        (Self { left: Arc::clone(&left) }, left)
    }
}

impl Drop for Waiting {
    fn drop(&mut self) {
        self.left.store(true, Ordering::Relaxed);
    }
}

#[cfg(test)]
mod tests {
    use tokio::sync::oneshot;

    use super::*;

    const ENDLESS: &str =
        "WITH RECURSIVE n(i) AS (SELECT 1 UNION ALL SELECT i + 1 FROM n) SELECT max(i) FROM n";

    /// Readers of a small file, one query at a time.
    fn readers() -> (tempfile::TempDir, Readers) {
        let folder = tempfile::tempdir().unwrap();
        let file = folder.path().join("staso.db");
        Connection::open(&file).unwrap().execute_batch("CREATE TABLE t (a)").unwrap();
        let readers = Readers::new(file, 1);
        (folder, readers)
    }

    #[tokio::test]
    async fn a_query_that_takes_too_long_is_ended_and_whoever_asked_is_told() {
        let (_folder, readers) = readers();
        assert_eq!(readers.deadline, DEADLINE);
        let readers = Readers { deadline: Duration::from_millis(1), ..readers };
        let endless =
            |connection: &Connection| Ok(connection.query_row(ENDLESS, [], |row| row.get::<_, i64>(0))?);
        let found = tokio::time::timeout(DEADLINE, readers.read(endless)).await;
        assert!(matches!(found, Ok(Err(StoreError::Overloaded { .. }))), "{found:?}");
    }

    #[tokio::test]
    async fn a_query_that_nobody_waits_for_ends_and_makes_room() {
        let (_folder, readers) = readers();
        let (begun, has_begun) = oneshot::channel();
        let asking = tokio::spawn({
            let readers = readers.clone();
            async move {
                let endless = move |connection: &Connection| {
                    begun.send(()).unwrap();
                    Ok(connection.query_row(ENDLESS, [], |row| row.get::<_, i64>(0))?)
                };
                readers.read(endless).await
            }
        });
        has_begun.await.unwrap();
        asking.abort();
        let count = |connection: &Connection| Ok(connection.query_row("SELECT 7", [], |row| row.get(0))?);
        let found: i64 = tokio::time::timeout(DEADLINE / 2, readers.read(count)).await.unwrap().unwrap();
        assert_eq!(found, 7);
    }
}
