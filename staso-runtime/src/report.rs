use std::fmt;

use crate::{export::FailureKind, queue::Balance};

/// What became of every span that ended: `accepted = delivered + failed + pending`, and `rejected` beside
/// it. The counts are of spans, over the client's whole life; announcements of running roots are not
/// counted.
///
/// ```
/// let report = staso::flush(std::time::Duration::from_secs(2));
/// assert!(report.ok(), "nothing was recorded, so nothing was lost");
/// ```
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
#[non_exhaustive]
#[must_use = "the report says whether spans were lost"]
pub struct DeliveryReport {
    spans: Counts,
    annotations: Counts,
    timed_out: bool,
    disabled: bool,
}

/// The counts of spans, or of annotations.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
#[non_exhaustive]
pub struct Counts {
    /// Taken into the queue.
    pub accepted: u64,
    /// Acknowledged by the exporter.
    pub delivered: u64,
    /// Given up by the exporter.
    pub failed: u64,
    /// Refused by the queue.
    pub rejected: u64,
    last_failure: Option<FailureKind>,
    last_rejection: Option<FailureKind>,
}

impl Counts {
    /// Accepted, and neither delivered nor failed yet.
    #[must_use]
    pub const fn pending(&self) -> u64 {
        self.accepted.saturating_sub(self.delivered).saturating_sub(self.failed)
    }
}

impl From<Balance> for Counts {
    fn from(balance: Balance) -> Self {
        let Balance { accepted, delivered, failed, rejected, last_failure, last_rejection } = balance;
        Self { accepted, delivered, failed, rejected, last_failure, last_rejection }
    }
}

impl DeliveryReport {
    pub(crate) fn new(spans: Balance, annotations: Balance, timed_out: bool) -> Self {
        Self { spans: spans.into(), annotations: annotations.into(), timed_out, ..Self::default() }
    }

    /// What a client reports that records nothing, or nothing any more.
    pub(crate) fn disabled() -> Self {
        Self { disabled: true, ..Self::default() }
    }

    /// Spans taken into the queue, up to the call.
    #[must_use]
    pub const fn accepted(&self) -> u64 {
        self.spans.accepted
    }

    /// Spans that the exporter delivered.
    #[must_use]
    pub const fn delivered(&self) -> u64 {
        self.spans.delivered
    }

    /// Spans that are lost, since the exporter could not deliver them.
    #[must_use]
    pub const fn failed(&self) -> u64 {
        self.spans.failed
    }

    /// Spans that still wait, or are on their way.
    #[must_use]
    pub const fn pending(&self) -> u64 {
        self.spans.pending()
    }

    /// Spans that were refused: the queue was full, or the client shut down.
    #[must_use]
    pub const fn rejected(&self) -> u64 {
        self.spans.rejected
    }

    /// Whether the wait ended before everything was settled.
    #[must_use]
    pub const fn timed_out(&self) -> bool {
        self.timed_out
    }

    /// Why spans were last lost; `timeout` when the wait ended early; else why they were last refused.
    #[must_use]
    pub const fn last_failure(&self) -> Option<FailureKind> {
        if self.disabled {
            return Some(FailureKind::Disabled);
        }
        if self.timed_out && self.pending() > 0 {
            return Some(FailureKind::Timeout);
        }
        match self.spans.last_failure {
            Some(failure) => Some(failure),
            None => self.spans.last_rejection,
        }
    }

    /// Whether a later attempt could succeed, after [`last_failure`](Self::last_failure).
    #[must_use]
    pub fn retryable(&self) -> bool {
        self.last_failure().is_some_and(FailureKind::is_retryable)
    }

    /// Why spans were last refused.
    #[must_use]
    pub const fn last_rejection(&self) -> Option<FailureKind> {
        self.spans.last_rejection
    }

    /// The counts of annotations, which the other methods leave out.
    #[must_use]
    pub const fn annotations(&self) -> Counts {
        self.annotations
    }

    /// Whether nothing was lost, refused or left waiting, annotations included.
    #[must_use]
    pub const fn ok(&self) -> bool {
        !self.timed_out && clean(&self.spans) && clean(&self.annotations)
    }
}

const fn clean(counts: &Counts) -> bool {
    counts.failed == 0 && counts.rejected == 0 && counts.pending() == 0
}

impl fmt::Display for DeliveryReport {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(
            f,
            "{} accepted, {} delivered, {} failed, {} pending, {} rejected",
            self.accepted(),
            self.delivered(),
            self.failed(),
            self.pending(),
            self.rejected()
        )?;
        match self.last_failure() {
            Some(kind) => write!(f, " (last failure: {kind})"),
            None => Ok(()),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn report(accepted: u64, delivered: u64, timed_out: bool) -> DeliveryReport {
        let balance = Balance { accepted, delivered, ..Balance::default() };
        DeliveryReport::new(balance, Balance::default(), timed_out)
    }

    #[test]
    fn what_still_waits_when_the_time_is_over_counts_as_a_timeout() {
        let late = report(3, 1, true);
        assert_eq!(
            (late.pending(), late.last_failure(), late.retryable()),
            (2, Some(FailureKind::Timeout), true)
        );
        assert!(!late.ok());
        assert!(report(3, 3, false).ok());
    }

    #[test]
    fn a_disabled_client_has_lost_nothing() {
        let report = DeliveryReport::disabled();
        assert!(report.ok());
        assert_eq!(report.last_failure(), Some(FailureKind::Disabled));
        assert_eq!(
            report.to_string(),
            "0 accepted, 0 delivered, 0 failed, 0 pending, 0 rejected (last failure: disabled)"
        );
    }
}
