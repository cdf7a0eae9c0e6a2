//! Whether a batch is tried again and after what wait; wire contract, section 11.

use std::time::Duration;

use crate::{
    export::{ExportError, FailureKind, Retry},
    record::clock::Tick,
};

pub(super) const MOST_ATTEMPTS: u32 = 3;

/// The wait before the next attempt. `None` when there is none.
///
/// The fixed waits are made up to a fifth longer at random, so that many programs do not come back at
/// the same moment; a wait that the backend asked for is kept to the letter.
pub(super) fn wait_after(error: &ExportError, attempt: u32, random: u64) -> Option<Duration> {
    if attempt >= MOST_ATTEMPTS {
        return None;
    }
    match error.retry_advice() {
        Retry::Never | Retry::Split => None,
        Retry::After(wait) => Some(wait),
        Retry::Backoff => {
            let wait = Duration::from_millis(500) * (1 << attempt.saturating_sub(1));
            Some(wait + wait / 5 * u32::try_from(random % 1_000).unwrap_or(0) / 1_000)
        }
    }
}

/// Keeps new batches back after one was lost to an outage, so that the queue absorbs it.
#[derive(Debug, Default)]
pub(super) struct CoolDown {
    wait: Duration,
    until: Option<Tick>,
}

const SHORTEST: Duration = Duration::from_secs(1);
const LONGEST: Duration = Duration::from_secs(30);

impl CoolDown {
    pub(super) fn failed(&mut self, kind: FailureKind, now: Tick) {
        let outage = matches!(
            kind,
            FailureKind::NetworkUnavailable | FailureKind::BackendUnavailable | FailureKind::Timeout
        );
        if outage {
            self.wait = (self.wait * 2).clamp(SHORTEST, LONGEST);
            self.until = Some(now.after(self.wait));
        }
    }

    pub(super) fn succeeded(&mut self) {
        *self = Self::default();
    }

    /// Until when no new batch is started.
    pub(super) fn until(&self, now: Tick) -> Option<Tick> {
        self.until.filter(|until| *until > now)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn error(retry: Retry) -> ExportError {
        ExportError::new(FailureKind::BackendUnavailable, "").retry(retry)
    }

    #[test]
    fn the_fixed_waits_are_half_a_second_and_one_second_and_at_most_a_fifth_more() {
        let wait = |attempt, random| wait_after(&error(Retry::Backoff), attempt, random);
        assert_eq!(wait(1, 0), Some(Duration::from_millis(500)));
        assert_eq!(wait(2, 0), Some(Duration::from_secs(1)));
        assert_eq!(wait(3, 0), None);
        for random in [1, 500, 999, u64::MAX] {
            assert!((500..=600).contains(&wait(1, random).unwrap().as_millis()));
            assert!((1_000..=1_200).contains(&wait(2, random).unwrap().as_millis()));
        }
        assert_ne!(wait(1, 0), wait(1, 999));
    }

    #[test]
    fn a_wait_that_the_backend_asks_for_is_kept_to_the_letter() {
        let asked = Duration::from_millis(250);
        assert_eq!(wait_after(&error(Retry::After(asked)), 1, 999), Some(asked));
        assert_eq!(wait_after(&error(Retry::Never), 1, 0), None);
    }

    #[test]
    fn outages_keep_new_batches_back_for_longer_each_time() {
        let mut cool_down = CoolDown::default();
        let mut waits = Vec::new();
        for _ in 0..7 {
            cool_down.failed(FailureKind::Timeout, Tick(0));
            waits.push(cool_down.until(Tick(0)).unwrap().since(Tick(0)).as_secs());
        }
        assert_eq!(waits, [1, 2, 4, 8, 16, 30, 30]);
        cool_down.succeeded();
        assert_eq!(cool_down.until(Tick(0)), None);
        cool_down.failed(FailureKind::InvalidKey, Tick(0));
        assert_eq!(cool_down.until(Tick(0)), None, "waiting does not mend a wrong key");
    }
}
