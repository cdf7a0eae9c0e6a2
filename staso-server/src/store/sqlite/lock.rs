use std::{
    fs::{File, OpenOptions, TryLockError},
    io::{self, Read as _, Seek as _, Write as _},
    os::unix::fs::OpenOptionsExt as _,
    path::Path,
};

use super::files::LOCK;

/// Says to other processes that a server writes to a folder. Released when it is dropped, and by the system
/// however the process ends.
#[derive(Debug)]
pub(super) struct FolderLock {
    file: File,
}

/// Why a folder was not locked.
#[derive(Debug)]
pub(super) enum LockError {
    /// Another process has it: who, in its own words.
    Held(String),
    /// The file cannot be used.
    Io(io::Error),
}

impl FolderLock {
    /// Locks the folder and leaves a word on who holds it.
    pub(super) fn take(folder: &Path, holder: &str) -> Result<Self, LockError> {
        let mut file = OpenOptions::new()
            .read(true)
            .write(true)
            .create(true)
            .truncate(false)
            .mode(0o600)
            .open(folder.join(LOCK))
            .map_err(LockError::Io)?;
        match file.try_lock() {
            Ok(()) => {}
            Err(TryLockError::WouldBlock) => return Err(LockError::Held(words(&mut file))),
            Err(TryLockError::Error(error)) => return Err(LockError::Io(error)),
        }
        let written =
            file.set_len(0).and_then(|()| file.rewind()).and_then(|()| file.write_all(holder.as_bytes()));
        written.map_err(LockError::Io)?;
        Ok(Self { file })
    }
}

impl Drop for FolderLock {
    fn drop(&mut self) {
        // Closing the file is not enough: a process that was just forked has it too, until it runs its program.
        let _ = self.file.unlock();
    }
}

/// Who has locked the folder, in its own words. `None` when nobody has.
pub(super) fn holder(folder: &Path) -> Option<String> {
    let mut file = File::open(folder.join(LOCK)).ok()?;
    match file.try_lock_shared() {
        Err(TryLockError::WouldBlock) => Some(words(&mut file)),
        _ => {
            // As when a lock is dropped.
            let _ = file.unlock();
            None
        }
    }
}

/// What the holder left; it may be writing it just now.
fn words(file: &mut File) -> String {
    let mut words = String::new();
    match file.read_to_string(&mut words) {
        Ok(_) if !words.trim().is_empty() => words.trim().to_owned(),
        _ => "another process".to_owned(),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_second_learns_who_holds_the_folder() {
        let folder = tempfile::tempdir().unwrap();
        let first = FolderLock::take(folder.path(), "process 7 at http://127.0.0.1:6999").unwrap();
        let second = FolderLock::take(folder.path(), "process 8").unwrap_err();
        assert!(matches!(second, LockError::Held(who) if who == "process 7 at http://127.0.0.1:6999"));
        assert_eq!(holder(folder.path()).as_deref(), Some("process 7 at http://127.0.0.1:6999"));
        drop(first);
        assert_eq!(holder(folder.path()), None);
        FolderLock::take(folder.path(), "process 8").unwrap();
    }

    #[test]
    fn a_process_that_was_just_forked_does_not_keep_the_folder() {
        let folder = tempfile::tempdir().unwrap();
        let lock = FolderLock::take(folder.path(), "process 7").unwrap();
        let _forked = lock.file.try_clone().unwrap();
        drop(lock);
        FolderLock::take(folder.path(), "process 8").unwrap();
    }
}
