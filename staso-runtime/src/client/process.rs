//! What happens to the process: it ends by `std::process::exit`, or doubles by `fork`.
//!
//! The child of a fork is a copy with one thread, and every lock that another thread of the parent held
//! stays locked in it for ever. So the two locks of the process are taken before a fork and given back
//! after it, on both sides; and what belongs to a client of the parent is left alone in the child, by its
//! [generation](crate::record::fork_generation): neither locked, nor pushed to, nor dropped.

#[cfg(unix)]
pub(crate) use unix::register;

/// There is neither an exit handler nor a fork.
#[cfg(not(unix))]
pub(crate) fn register() {}

#[cfg(unix)]
mod unix {
    use std::{
        cell::RefCell,
        mem,
        sync::{
            MutexGuard,
            atomic::{AtomicBool, Ordering},
        },
        time::Duration,
    };

    use crate::{capture::guarded, client, context::local, record, recorder};

    /// What delivery at the exit of a process may take.
    const EXIT_TIMEOUT: Duration = Duration::from_secs(2);

    /// Registers the handlers of this process, before anybody takes one of its locks.
    pub(crate) fn register() {
        // Not a `Once`, whose first caller a fork could catch inside. The handlers may be registered twice.
        static REGISTERED: AtomicBool = AtomicBool::new(false);
        // Acquire: whoever sees it also sees the handlers.
        if REGISTERED.load(Ordering::Acquire) {
            return;
        }
        // SAFETY: `atexit` keeps a pointer to a function that lives as long as the program. The handler
        // neither unwinds, as a panic in it is caught, nor touches thread-locals that may be gone without
        // `try_with`.
        #[expect(unsafe_code, reason = "destructors do not run at `exit`; an exit handler does")]
        unsafe {
            libc::atexit(at_exit);
        }
        // SAFETY: as above; the handlers run on the thread that forks, before and after it does, and do
        // not panic.
        #[expect(unsafe_code, reason = "the child of a fork has no sender, and must not wait for one")]
        unsafe {
            libc::pthread_atfork(Some(before_fork), Some(in_parent), Some(in_child));
        }
        REGISTERED.store(true, Ordering::Release);
    }

    extern "C" fn at_exit() {
        let _ = guarded(|| client::flush_at_exit(EXIT_TIMEOUT));
    }

    /// The locks of the process, in the order in which they are taken.
    struct Locks {
        client: MutexGuard<'static, client::Current>,
        recorder: MutexGuard<'static, recorder::Current>,
    }

    thread_local! {
        /// Held by a thread while it forks.
        static HELD: RefCell<Option<Locks>> = const { RefCell::new(None) };
    }

    extern "C" fn before_fork() {
        let _ = HELD.try_with(|held| {
            if let Ok(mut held) = held.try_borrow_mut() {
                held.get_or_insert_with(|| {
                    let client = client::lock();
                    Locks { client, recorder: recorder::lock() }
                });
            }
        });
    }

    fn take_held() -> Option<Locks> {
        HELD.try_with(|held| held.try_borrow_mut().ok()?.take()).ok()?
    }

    extern "C" fn in_parent() {
        drop(take_held());
    }

    extern "C" fn in_child() {
        record::forked();
        local::with(|local| local.stack.forget_spans());
        // Without the locks, in a thread that has lost its thread-locals or by a handler that runs twice,
        // the child can only try them.
        let (client, recorder) = match take_held() {
            Some(Locks { client, recorder }) => (Some(client), Some(recorder)),
            None => (client::try_lock(), recorder::try_lock()),
        };
        if let Some(mut client) = client {
            mem::forget(client.take());
        }
        recorder::switch_off(recorder);
    }
}
