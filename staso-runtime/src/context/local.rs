use std::{cell::Cell, sync::Arc};

use super::stack::{Scope, Stack};
use crate::{
    record::IdSource,
    recorder::{Recorder, RecorderCache},
    span::{OpenSlot, RootSlots, Scratch, Shared},
};

/// What a thread keeps for itself: everything here is reached through one thread-local.
pub(crate) struct Local {
    pub(crate) stack: Stack,
    pub(crate) ids: IdSource,
    pub(crate) scratch: Scratch,
    pub(crate) roots: RootSlots,
    recorder: RecorderCache,
    suspended: Cell<u32>,
    is_sender: Cell<bool>,
}

thread_local! {
    static LOCAL: Local = const { Local::new() };
}

impl Local {
    const fn new() -> Self {
        Self {
            stack: Stack::new(),
            ids: IdSource::new(),
            scratch: Scratch::new(),
            roots: RootSlots::new(),
            recorder: RecorderCache::new(),
            suspended: Cell::new(0),
            is_sender: Cell::new(false),
        }
    }

    /// Where a span that starts here and now is recorded, if anywhere.
    #[inline]
    pub(crate) fn recorder(&self) -> Option<&'static Recorder> {
        if self.suspended.get() != 0 {
            return None;
        }
        self.stack.bound_recorder().or_else(|| self.recorder.get())
    }

    /// The shared state of the innermost span, made if this is the first handle.
    pub(crate) fn shared(&self) -> Option<Arc<Shared>> {
        self.stack.top_mut(|scope| {
            let scope = scope?;
            let (span, owner) = (scope.span?, scope.span?.owner?);
            let shared = scope.handle.get_or_insert_with(|| {
                let shared = Arc::new(Shared::new(owner, span.trace_id, span.span_id));
                OpenSlot::attach(&mut scope.slot, &shared);
                shared
            });
            Some(Arc::clone(shared))
        })
    }

    /// The innermost scope, to be entered elsewhere. Both then share the span's state.
    pub(crate) fn copy_scope(&self) -> Scope {
        self.shared();
        self.stack.top(|scope| Scope { slot: None, ..scope.cloned().unwrap_or_default() })
    }

    pub(crate) fn is_sender(&self) -> bool {
        self.is_sender.get()
    }
}

/// Runs `f` with this thread's state; `None` once the thread has destroyed it.
#[inline]
pub(crate) fn with<R>(f: impl FnOnce(&Local) -> R) -> Option<R> {
    LOCAL.try_with(f).ok()
}

/// Runs `f` with recording suspended on this thread: instrumented functions that it calls run as if
/// Staso were off.
///
/// Exporters and loggers that use threads of their own need it, so that what they do to deliver a span
/// does not make another one. The sender thread itself and everything that capture calls is suspended
/// already.
///
/// ```
/// let answer = staso::suspended(|| 6 * 7);
/// assert_eq!(answer, 42);
/// ```
pub fn suspended<R>(f: impl FnOnce() -> R) -> R {
    let _resume = Suspension::begin();
    f()
}

/// Recording is off on this thread while it lives.
pub(crate) struct Suspension(());

impl Suspension {
    #[inline]
    pub(crate) fn begin() -> Self {
        with(|local| local.suspended.set(local.suspended.get().saturating_add(1)));
        Self(())
    }
}

impl Drop for Suspension {
    #[inline]
    fn drop(&mut self) {
        with(|local| local.suspended.set(local.suspended.get().saturating_sub(1)));
    }
}

/// Suspends this thread for good and marks it as one on which a flush cannot wait.
pub(crate) fn become_sender() {
    with(|local| {
        local.suspended.set(1 << 16);
        local.is_sender.set(true);
    });
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn suspensions_nest_and_end_with_a_panic() {
        let depth = || with(|local| local.suspended.get()).unwrap();
        suspended(|| {
            assert_eq!(suspended(depth), 2);
            assert_eq!(depth(), 1);
        });
        let _ = std::panic::catch_unwind(|| suspended(|| panic!("inside")));
        assert_eq!(depth(), 0);
    }
}
