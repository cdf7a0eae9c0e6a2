use std::{path::PathBuf, time::Duration};

use super::MAX_ANNOTATIONS;

/// Why a store could not be opened.
#[derive(Debug, thiserror::Error)]
#[non_exhaustive]
pub enum OpenError {
    /// Another server writes to the folder.
    #[error("{} is in use by {holder}; stop it, or give this one another folder with --data", folder.display())]
    Held {
        /// The folder.
        folder: PathBuf,
        /// Who holds it, in words: its process and address.
        holder: String,
    },
    /// An earlier version wrote the file, and a server of that version still uses it.
    #[error("{} was written by an earlier version of staso and is in use by {holder}; stop it, or start it again with this version, then try again", folder.display())]
    HeldByOlder {
        /// The folder.
        folder: PathBuf,
        /// Who holds it, in words: its process and address.
        holder: String,
    },
    /// The file is not a store, or is damaged. It was left as it is.
    #[error("{} is damaged and was left as it is: {reason}; keep a copy, then try `sqlite3 {} .recover`", file.display(), file.display())]
    Damaged {
        /// The file.
        file: PathBuf,
        /// What the engine says.
        reason: String,
    },
    /// A newer version wrote the file.
    #[error("{} was written by a newer version of staso (schema {found}, this one knows {known}); update staso", file.display())]
    Newer {
        /// The file.
        file: PathBuf,
        /// The schema's version in the file.
        found: i64,
        /// The greatest version that this program knows.
        known: i64,
    },
    /// The folder or file cannot be used.
    #[error("cannot open the store in {}: {reason}", folder.display())]
    Unusable {
        /// The folder.
        folder: PathBuf,
        /// What the system says.
        reason: String,
    },
}

/// Why a store could not take or give something.
#[derive(Debug, thiserror::Error)]
#[non_exhaustive]
pub enum StoreError {
    /// More arrives than can be written. Nothing was stored.
    #[error("the store is overloaded; try again in {} s", retry_after.as_secs())]
    Overloaded {
        /// When to try again.
        retry_after: Duration,
    },
    /// No space is left. Nothing was stored; it recovers by itself once there is space.
    #[error("no space is left for the store")]
    Full,
    /// A cursor that this store did not give.
    #[error("the cursor is not one of this list")]
    BadCursor,
    /// A trace has as many annotations as it may.
    #[error("the trace has {MAX_ANNOTATIONS} annotations, and takes no more")]
    TooManyAnnotations,
    /// A workspace with this slug exists.
    #[error("the workspace `{0}` exists")]
    WorkspaceExists(String),
    /// There is no such workspace.
    #[error("there is no workspace `{0}`")]
    NoSuchWorkspace(String),
    /// The store is closing.
    #[error("the store is closing")]
    Closed,
    /// The engine failed.
    #[error("the store failed: {0}")]
    Engine(String),
}
