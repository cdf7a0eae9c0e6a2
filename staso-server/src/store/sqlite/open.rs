use std::{
    fmt, fs,
    path::{Path, PathBuf},
    sync::Arc,
    time::Duration,
};

use rusqlite::{Connection, ErrorCode, OpenFlags};
use serde_json::value::RawValue;

use super::{
    files::{self, DATABASE, MakeError},
    lock::{FolderLock, LockError},
    upgrade,
};
use crate::{model::SpanHead, store::OpenError};

/// No database is shorter.
const HEADER_BYTES: u64 = 100;

/// A file up to this size is checked page by page before a server starts on it: it takes some 30 ms. Damage
/// in a larger one shows when it is read.
const CHECKED_SIZE: u64 = 8 << 20;

/// How long a writer waits for another process that writes. Clients stop waiting for an answer after ten seconds.
pub(super) const BUSY: Duration = Duration::from_secs(5);

/// Takes out of a span's record what the store is to find, sort and sum it by. `None` when it cannot be read.
pub(super) type Derive = Arc<dyn Fn(&RawValue) -> Option<SpanHead> + Send + Sync>;

/// How a store is opened.
#[derive(Clone)]
pub struct OpenOptions {
    server: Option<String>,
    derive: Option<Derive>,
}

impl fmt::Debug for OpenOptions {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("OpenOptions").field("server", &self.server).finish_non_exhaustive()
    }
}

impl OpenOptions {
    /// For the one server of a folder, which says where it is. No other server can open the folder meanwhile.
    #[must_use]
    pub fn server(url: impl Into<String>) -> Self {
        Self { server: Some(url.into()), derive: None }
    }

    /// For a command that reads, or writes a little, beside a server or without one.
    #[must_use]
    pub const fn tool() -> Self {
        Self { server: None, derive: None }
    }

    /// How spans are read that an earlier version wrote and that this one reads otherwise. Without it, they stay as
    /// they were read then, until the folder is opened with it.
    #[must_use]
    pub fn deriving(self, derive: impl Fn(&RawValue) -> Option<SpanHead> + Send + Sync + 'static) -> Self {
        Self { derive: Some(Arc::new(derive)), ..self }
    }

    pub(super) const fn is_server(&self) -> bool {
        self.server.is_some()
    }
}

/// An open folder.
pub(super) struct Opened {
    pub(super) writer: Connection,
    pub(super) file: PathBuf,
    pub(super) lock: Option<FolderLock>,
    pub(super) derive: Option<Derive>,
}

/// Opens the folder, makes the file when there is none, and brings it to this version's schema.
pub(super) fn open(folder: &Path, options: &OpenOptions) -> Result<Opened, OpenError> {
    let unusable = |reason: String| OpenError::Unusable { folder: folder.to_owned(), reason };
    files::make_folder(folder).map_err(|error| unusable(error.to_string()))?;
    let lock = match &options.server {
        None => None,
        Some(url) => {
            let holder = format!("process {} at {url}", std::process::id());
            Some(FolderLock::take(folder, &holder).map_err(|error| match error {
                LockError::Held(holder) => OpenError::Held { folder: folder.to_owned(), holder },
                LockError::Io(error) => unusable(error.to_string()),
            })?)
        }
    };
    let file = folder.join(DATABASE);
    let damaged = |error: rusqlite::Error| match error.sqlite_error_code() {
        Some(ErrorCode::DatabaseCorrupt | ErrorCode::NotADatabase) => {
            OpenError::Damaged { file: file.clone(), reason: error.to_string() }
        }
        _ => unusable(error.to_string()),
    };
    files::make_database(folder, |draft| {
        let mut connection = Connection::open(draft)?;
        configure_writer(&connection, 0)?;
        upgrade::run(&mut connection)
    })
    .map_err(|error| match error {
        MakeError::Io(error) => unusable(error.to_string()),
        MakeError::Fill(error) => damaged(error),
    })?;
    // The engine would take such a file for a new database.
    if fs::metadata(&file).is_ok_and(|about| about.len() < HEADER_BYTES) {
        return Err(unusable(format!(
            "{DATABASE} is empty, or nearly so, and no database; put a copy in its place, or delete it to begin anew"
        )));
    }
    let mut writer = Connection::open(&file).map_err(damaged)?;
    let version = upgrade::schema(&writer).map_err(damaged)?;
    if !upgrade::is_ours(&writer, version).map_err(damaged)? {
        let reason = format!("{DATABASE} is the database of another program");
        return Err(OpenError::Unusable { folder: folder.to_owned(), reason });
    }
    if version > upgrade::NEWEST {
        return Err(OpenError::Newer { file, found: version, known: upgrade::NEWEST });
    }
    let mut upgrading = None;
    if (1..upgrade::NEWEST).contains(&version) && lock.is_none() {
        // A server of the version that wrote it would not know what it finds afterwards.
        let holder = format!("process {}, which upgrades it", std::process::id());
        upgrading = Some(FolderLock::take(folder, &holder).map_err(|error| match error {
            LockError::Held(holder) => OpenError::HeldByOlder { folder: folder.to_owned(), holder },
            LockError::Io(error) => unusable(error.to_string()),
        })?);
    }
    files::keep_private(folder);
    // Nothing is written to a file before it is known to be sound.
    if version > 0
        && options.is_server()
        && fs::metadata(&file).is_ok_and(|about| about.len() <= CHECKED_SIZE)
    {
        let verdict: String =
            writer.query_row("PRAGMA quick_check(1)", [], |row| row.get(0)).map_err(damaged)?;
        if verdict != "ok" {
            return Err(OpenError::Damaged { file, reason: verdict });
        }
    }
    configure_writer(&writer, version).map_err(damaged)?;
    upgrade::run(&mut writer).map_err(damaged)?;
    drop(upgrading);
    if options.derive.is_some() && options.is_server() {
        // Settled by a process that did not know how to derive them.
        writer.execute_batch("UPDATE trace SET unsettled = 1 WHERE again = 2").map_err(damaged)?;
    }
    Ok(Opened { writer, file, lock, derive: options.derive.clone() })
}

/// A connection that can only read.
pub(super) fn reader(file: &Path) -> rusqlite::Result<Connection> {
    let flags = OpenFlags::SQLITE_OPEN_READ_ONLY | OpenFlags::SQLITE_OPEN_NO_MUTEX;
    let connection = Connection::open_with_flags(file, flags)?;
    connection.busy_timeout(Duration::from_secs(5))?;
    connection.pragma_update(None, "cache_size", -8 * 1024)?;
    connection.set_prepared_statement_cache_capacity(64);
    Ok(connection)
}

fn configure_writer(connection: &Connection, version: i64) -> rusqlite::Result<()> {
    connection.busy_timeout(BUSY)?;
    if version == 0 {
        // So that `prune` can give space back. It cannot be set later.
        connection.pragma_update(None, "auto_vacuum", "INCREMENTAL")?;
    }
    connection.pragma_update(None, "journal_mode", "WAL")?;
    // A commit is on disk when it returns, also when the power fails.
    connection.pragma_update(None, "synchronous", "FULL")?;
    connection.pragma_update(None, "cache_size", -32 * 1024)?;
    connection.pragma_update(None, "temp_store", "MEMORY")?;
    connection.pragma_update(None, "wal_autocheckpoint", 8000)?;
    connection.pragma_update(None, "journal_size_limit", 64 << 20)?;
    connection.set_prepared_statement_cache_capacity(64);
    Ok(())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_commit_is_on_disk_when_it_returns() {
        const FULL: i64 = 2;
        let folder = tempfile::tempdir().unwrap();
        for (what, options) in [
            ("a new file", OpenOptions::server("here")),
            ("one that was there", OpenOptions::server("here")),
            ("a command", OpenOptions::tool()),
        ] {
            let opened = open(folder.path(), &options).unwrap();
            let synchronous: i64 =
                opened.writer.query_row("PRAGMA synchronous", [], |row| row.get(0)).unwrap();
            assert!(synchronous >= FULL, "{what}: synchronous is {synchronous}");
            let journal: String =
                opened.writer.query_row("PRAGMA journal_mode", [], |row| row.get(0)).unwrap();
            assert_eq!(journal, "wal", "{what}");
        }
    }
}
