use std::{
    path::PathBuf,
    sync::{Arc, Mutex, PoisonError},
};

use rusqlite::Connection;
use tokio::sync::Semaphore;

use super::open;
use crate::store::StoreError;

/// More would not be faster: each keeps a core busy.
const MAX: usize = 4;

/// Connections that only read, each used by one query at a time.
#[derive(Clone)]
pub(super) struct Readers {
    file: Arc<PathBuf>,
    idle: Arc<Mutex<Vec<Connection>>>,
    free: Arc<Semaphore>,
}

impl Readers {
    pub(super) fn new(file: PathBuf) -> Self {
        Self { file: Arc::new(file), idle: Arc::default(), free: Arc::new(Semaphore::new(MAX)) }
    }

    /// Runs a query, which sees the store as it is when it begins, and never waits for a writer.
    pub(super) async fn read<T: Send + 'static>(
        &self,
        query: impl FnOnce(&Connection) -> Result<T, StoreError> + Send + 'static,
    ) -> Result<T, StoreError> {
        let permit = Arc::clone(&self.free).acquire_owned().await.map_err(|_| StoreError::Closed)?;
        let this = self.clone();
        let work = tokio::task::spawn_blocking(move || {
            let _permit = permit;
            let connection = this.take()?;
            connection.execute_batch("BEGIN")?;
            let found = query(&connection);
            connection.execute_batch("ROLLBACK")?;
            this.idle().push(connection);
            found
        });
        work.await.map_err(|error| StoreError::Engine(error.to_string()))?
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
