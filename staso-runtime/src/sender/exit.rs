//! The end of the process by `std::process::exit`, and its beginning by `fork`.

use std::time::Duration;

/// What delivery at the exit of a process may take.
const EXIT_TIMEOUT: Duration = Duration::from_secs(2);

/// Registers the handlers of this process, once.
#[cfg(unix)]
pub(crate) fn register() {
    use std::sync::Once;

    static REGISTERED: Once = Once::new();
    REGISTERED.call_once(|| {
        // SAFETY: `atexit` keeps a pointer to a function that lives as long as the program. The handler
        // neither unwinds, as a panic in it is caught, nor touches thread-locals that may be gone without
        // `try_with`.
        #[expect(unsafe_code, reason = "destructors do not run at `exit`; an exit handler does")]
        unsafe {
            libc::atexit(at_exit);
        }
        // SAFETY: as above; the handler runs in the child between `fork` and whatever it does next, and
        // only stores to atomics and tries a lock.
        #[expect(unsafe_code, reason = "the child of a fork has no sender, and must not wait for one")]
        unsafe {
            libc::pthread_atfork(None, None, Some(in_child));
        }
    });
}

#[cfg(not(unix))]
pub(crate) fn register() {}

#[cfg(unix)]
extern "C" fn at_exit() {
    let _ = crate::capture::guarded(|| crate::client::flush_at_exit(EXIT_TIMEOUT));
}

#[cfg(unix)]
extern "C" fn in_child() {
    crate::record::forked();
    crate::recorder::switch_off_in_child();
}

#[cfg(not(unix))]
const _: Duration = EXIT_TIMEOUT;
