use crate::{
    export::FailureKind,
    sync::{AtomicU8, AtomicU64, Ordering},
};

/// What became of everything that ended: `accepted = delivered + failed + pending`, and `rejected` beside it.
///
/// The counters only grow. Pending is never stored: it is what is accepted and not yet settled.
#[derive(Debug)]
pub(crate) struct Ledger {
    accepted: AtomicU64,
    delivered: AtomicU64,
    failed: AtomicU64,
    rejected: AtomicU64,
    last_failure: AtomicU8,
    last_rejection: AtomicU8,
}

/// The ledger at one moment.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub(crate) struct Balance {
    pub(crate) accepted: u64,
    pub(crate) delivered: u64,
    pub(crate) failed: u64,
    pub(crate) rejected: u64,
    pub(crate) last_failure: Option<FailureKind>,
    pub(crate) last_rejection: Option<FailureKind>,
}

impl Balance {
    #[cfg(all(test, not(loom)))]
    pub(crate) const fn pending(&self) -> u64 {
        self.accepted.saturating_sub(self.delivered).saturating_sub(self.failed)
    }
}

impl Ledger {
    pub(crate) fn new() -> Self {
        Self {
            accepted: AtomicU64::new(0),
            delivered: AtomicU64::new(0),
            failed: AtomicU64::new(0),
            rejected: AtomicU64::new(0),
            last_failure: AtomicU8::new(0),
            last_rejection: AtomicU8::new(0),
        }
    }

    /// Called before the push, so that no flush can miss a span that has ended.
    #[inline]
    pub(crate) fn accept(&self) {
        // Release: pairs with the Acquire in `balance`.
        self.accepted.fetch_add(1, Ordering::Release);
    }

    pub(crate) fn accepted(&self) -> u64 {
        self.accepted.load(Ordering::Acquire)
    }

    pub(crate) fn reject(&self, why: FailureKind) {
        self.last_rejection.store(code(why), Ordering::Relaxed);
        self.rejected.fetch_add(1, Ordering::Relaxed);
    }

    pub(crate) fn deliver(&self, spans: u64) {
        // Release: whoever reads this count also reads the acceptance that came before it.
        self.delivered.fetch_add(spans, Ordering::Release);
    }

    pub(crate) fn fail(&self, spans: u64, why: FailureKind) {
        self.last_failure.store(code(why), Ordering::Relaxed);
        // Release: as in `deliver`, and it publishes `last_failure`.
        self.failed.fetch_add(spans, Ordering::Release);
    }

    pub(crate) fn balance(&self) -> Balance {
        // The settled counts are read before the accepted one: what they count was accepted earlier, so
        // the difference never goes below zero.
        let delivered = self.delivered.load(Ordering::Acquire);
        let failed = self.failed.load(Ordering::Acquire);
        Balance {
            delivered,
            failed,
            accepted: self.accepted.load(Ordering::Acquire),
            rejected: self.rejected.load(Ordering::Relaxed),
            last_failure: kind(self.last_failure.load(Ordering::Relaxed)),
            last_rejection: kind(self.last_rejection.load(Ordering::Relaxed)),
        }
    }
}

const KINDS: [FailureKind; 14] = [
    FailureKind::Disabled,
    FailureKind::Shutdown,
    FailureKind::QueueFull,
    FailureKind::InvalidKey,
    FailureKind::PlanExpired,
    FailureKind::Forbidden,
    FailureKind::RateLimited,
    FailureKind::MalformedResponse,
    FailureKind::BackendUnavailable,
    FailureKind::NetworkUnavailable,
    FailureKind::Timeout,
    FailureKind::Io,
    FailureKind::Exporter,
    FailureKind::SenderUnavailable,
];

/// Zero stands for none.
const fn code(kind: FailureKind) -> u8 {
    kind as u8 + 1
}

fn kind(code: u8) -> Option<FailureKind> {
    KINDS.get(usize::from(code).checked_sub(1)?).copied()
}

#[cfg(all(test, not(loom)))]
mod tests {
    use super::*;

    #[test]
    fn every_kind_survives_its_code() {
        for known in KINDS {
            assert_eq!(kind(code(known)), Some(known));
        }
        assert_eq!(kind(0), None);
    }

    proptest::proptest! {
        #[test]
        fn accepted_is_the_sum_of_its_parts_after_any_events(events in proptest::collection::vec(0..4_u8, 0..200)) {
            let ledger = Ledger::new();
            for event in events {
                let pending = ledger.balance().pending();
                match event {
                    0 => ledger.accept(),
                    1 => ledger.reject(FailureKind::QueueFull),
                    2 => ledger.deliver(pending.min(3)),
                    _ => ledger.fail(pending.min(2), FailureKind::Timeout),
                }
                let balance = ledger.balance();
                proptest::prop_assert_eq!(
                    balance.accepted,
                    balance.delivered + balance.failed + balance.pending()
                );
            }
        }
    }
}
