use std::{
    sync::{
        Arc,
        atomic::{AtomicBool, Ordering},
    },
    time::Duration,
};

use tokio::time::Instant;

use crate::store::StoreError;

/// How long those are asked to wait whose query took too long.
const RETRY_AFTER: Duration = Duration::from_secs(5);

/// What ends a query early: its deadline, and that nobody waits for it any more. The engine looks at it between its
/// steps; what takes long without the engine has to look itself.
#[derive(Clone)]
pub(super) struct Until {
    deadline: Instant,
    left: Arc<AtomicBool>,
}

impl Until {
    /// The end of a query that begins now.
    pub(super) fn after(duration: Duration, left: Arc<AtomicBool>) -> Self {
        Self { deadline: Instant::now() + duration, left }
    }

    pub(super) fn is_over(&self) -> bool {
        // Relaxed: a wish that publishes nothing.
        self.left.load(Ordering::Relaxed) || Instant::now() >= self.deadline
    }

    /// # Errors
    ///
    /// [`StoreError::Overloaded`] when it is over.
    pub(super) fn check(&self) -> Result<(), StoreError> {
        if self.is_over() { Err(took_too_long()) } else { Ok(()) }
    }

    #[cfg(test)]
    pub(super) fn of(duration: Duration) -> Self {
        Self::after(duration, Arc::default())
    }
}

/// What is said to whoever asked for something that took too long.
pub(super) const fn took_too_long() -> StoreError {
    StoreError::Overloaded { retry_after: RETRY_AFTER }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn it_is_over_at_the_deadline_or_once_nobody_waits() {
        let left = Arc::<AtomicBool>::default();
        let until = Until::after(Duration::from_secs(3_600), Arc::clone(&left));
        assert!(until.check().is_ok());
        left.store(true, Ordering::Relaxed);
        assert!(matches!(until.check(), Err(StoreError::Overloaded { .. })));
        assert!(Until::of(Duration::ZERO).check().is_err());
    }
}
