use std::{
    env,
    io::Write as _,
    path::{Path, PathBuf},
};

/// Says that a test did not run, past the capture of output by the test harness: it must be seen.
///
/// # Panics
///
/// Where `STASO_TEST_NO_SKIP` is set, as on the machine that decides.
pub(crate) fn skip(reason: &str) {
    assert!(env::var_os("STASO_TEST_NO_SKIP").is_none(), "{reason}, and nothing may be skipped here");
    let test = std::thread::current().name().unwrap_or("a test").to_owned();
    let _ = writeln!(std::io::stderr(), "skipped: {test}: {reason}");
}

/// Where a program is, if it is installed.
pub(crate) fn program(name: &str) -> Option<PathBuf> {
    let at = Path::new(name);
    if at.components().count() > 1 {
        return at.is_file().then(|| at.to_owned());
    }
    env::split_paths(&env::var_os("PATH")?).map(|folder| folder.join(name)).find(|path| path.is_file())
}
