use std::time::Duration;

use rusqlite::{ErrorCode, ffi};

use super::readers;
use crate::store::StoreError;

impl From<rusqlite::Error> for StoreError {
    fn from(error: rusqlite::Error) -> Self {
        if let Some(error) = readers::was_interrupted(&error) {
            return error;
        }
        let code = error.sqlite_error().map(|error| (error.code, error.extended_code));
        match code {
            // Beside its own code, a full disk or a limit on the file's size shows as one of these, depending on
            // which file and which step meets it.
            Some(
                (ErrorCode::DiskFull, _)
                | (
                    _,
                    ffi::SQLITE_IOERR_WRITE
                    | ffi::SQLITE_IOERR_FSYNC
                    | ffi::SQLITE_IOERR_DIR_FSYNC
                    | ffi::SQLITE_IOERR_TRUNCATE
                    | ffi::SQLITE_IOERR_SHMSIZE,
                ),
            ) => Self::Full,
            Some((ErrorCode::DatabaseCorrupt | ErrorCode::NotADatabase, _)) => Self::Engine(format!(
                "the database is damaged ({error}); stop the server, keep a copy, and try `sqlite3 staso.db .recover`"
            )),
            Some((ErrorCode::DatabaseBusy | ErrorCode::DatabaseLocked, _)) => {
                Self::Overloaded { retry_after: Duration::from_secs(1) }
            }
            _ => Self::Engine(error.to_string()),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn every_face_of_a_full_disk_is_one() {
        for code in [
            ffi::SQLITE_FULL,
            ffi::SQLITE_IOERR_WRITE,
            ffi::SQLITE_IOERR_FSYNC,
            ffi::SQLITE_IOERR_DIR_FSYNC,
            ffi::SQLITE_IOERR_TRUNCATE,
            ffi::SQLITE_IOERR_SHMSIZE,
        ] {
            let error = rusqlite::Error::SqliteFailure(ffi::Error::new(code), None);
            assert!(matches!(StoreError::from(error), StoreError::Full), "{code}");
        }
        let error = rusqlite::Error::SqliteFailure(ffi::Error::new(ffi::SQLITE_IOERR_READ), None);
        assert!(matches!(StoreError::from(error), StoreError::Engine(_)));
    }

    #[test]
    fn damage_comes_with_a_way_out() {
        let error = rusqlite::Error::SqliteFailure(ffi::Error::new(ffi::SQLITE_CORRUPT), None);
        assert!(StoreError::from(error).to_string().contains(".recover"));
    }
}
