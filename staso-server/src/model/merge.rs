use super::{SpanHead, Timestamp};

/// Whether, of two versions of one span, the candidate takes the place of the known one.
///
/// A final version beats a provisional one, a later end an earlier one, and of two that end alike the one
/// whose record is greater byte by byte. This is an order, so a trace comes to the same state whatever
/// the order in which its records arrive, and however often each does.
#[must_use]
pub fn supersedes(candidate: (&SpanHead, &str), known: (&SpanHead, &str)) -> bool {
    (Rank::of(candidate.0), candidate.1) > (Rank::of(known.0), known.1)
}

/// What versions of a span are told apart by before their records are looked at.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub struct Rank {
    ended: bool,
    ended_at: Timestamp,
}

impl Rank {
    /// That of a version.
    #[must_use]
    pub fn of(head: &SpanHead) -> Self {
        Self { ended: !head.provisional, ended_at: head.ended_at() }
    }

    /// That of a version of which only this is at hand.
    #[must_use]
    pub fn from_parts(provisional: bool, started_at: Timestamp, duration_micros: u64) -> Self {
        let lasts = i64::try_from(duration_micros).unwrap_or(i64::MAX);
        Self { ended: !provisional, ended_at: started_at.plus_micros(lasts) }
    }
}
