use std::{
    fs::{self, DirBuilder, OpenOptions, Permissions},
    io,
    os::unix::fs::{DirBuilderExt as _, OpenOptionsExt as _, PermissionsExt as _},
    path::{Path, PathBuf},
};

/// The database in the store's folder.
pub(super) const DATABASE: &str = "staso.db";

/// Says which server has the folder.
pub(super) const LOCK: &str = "lock";

/// What the engine keeps beside the database while it is open.
const BESIDE: [&str; 2] = ["staso.db-wal", "staso.db-shm"];

/// Makes the folder, and those above it, for nobody but their owner. One that is there stays as it is.
pub(super) fn make_folder(folder: &Path) -> io::Result<()> {
    DirBuilder::new().recursive(true).mode(0o700).create(folder)
}

/// Takes away what others may do with the files of the folder: prompts and what users said are in them. The engine
/// makes its own files like the database, so this holds for those that come later.
///
/// A file is not opened for it: closing it again would give up the engine's locks on it, of the whole process.
pub(super) fn keep_private(folder: &Path) {
    for name in [DATABASE, LOCK].iter().chain(&BESIDE) {
        let path = folder.join(name);
        let Ok(about) = fs::metadata(&path) else { continue };
        if about.is_file() && about.permissions().mode() & 0o077 != 0 {
            // Who may not change it does not own it: then it is for others to say who reads it.
            let _ = fs::set_permissions(&path, Permissions::from_mode(0o600));
        }
    }
}

/// Makes the database where there is none: `fill` writes it under another name. So it appears whole or not at all,
/// and one that is empty has lost what was in it.
pub(super) fn make_database<E>(
    folder: &Path,
    fill: impl FnOnce(&Path) -> Result<(), E>,
) -> Result<(), MakeError<E>> {
    let file = folder.join(DATABASE);
    if file.try_exists().map_err(MakeError::Io)? {
        return Ok(());
    }
    let draft = Draft(folder.join(format!("{DATABASE}.{}", uuid::Uuid::new_v4())));
    OpenOptions::new().write(true).create_new(true).mode(0o600).open(&draft.0).map_err(MakeError::Io)?;
    fill(&draft.0).map_err(MakeError::Fill)?;
    match fs::hard_link(&draft.0, &file) {
        // Another process came first.
        Err(error) if error.kind() == io::ErrorKind::AlreadyExists => Ok(()),
        Ok(()) => Ok(()),
        // Not every file system has links.
        Err(_) => fs::rename(&draft.0, &file).map_err(MakeError::Io),
    }
}

/// Why there is no database.
#[derive(Debug)]
pub(super) enum MakeError<E> {
    /// The file cannot be made.
    Io(io::Error),
    /// It cannot be filled.
    Fill(E),
}

/// A file that is in the making, and goes whatever becomes of it.
struct Draft(PathBuf);

impl Drop for Draft {
    fn drop(&mut self) {
        for suffix in ["", "-journal", "-wal", "-shm"] {
            let mut path = self.0.clone().into_os_string();
            path.push(suffix);
            // What is not there need not go.
            let _ = fs::remove_file(path);
        }
    }
}
