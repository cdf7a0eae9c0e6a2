use super::{SpanHead, Timestamp};

/// Whether a version of a span that arrives takes the place of the one that stands.
///
/// A final version takes that of any other, a provisional one that of another provisional one: the newest stands. What
/// arrives again as it stands changes nothing.
#[must_use]
pub fn supersedes(arriving: (&SpanHead, &str), standing: (&SpanHead, &str)) -> bool {
    Rank::of(arriving.0).supersedes(Rank::of(standing.0)).unwrap_or_else(|| arriving.1 != standing.1)
}

/// What versions of a span are told apart by before their records are looked at.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Rank {
    provisional: bool,
    ended_at: Timestamp,
}

impl Rank {
    /// That of a version.
    #[must_use]
    pub fn of(head: &SpanHead) -> Self {
        Self { provisional: head.provisional, ended_at: head.ended_at() }
    }

    /// That of a version of which only this is at hand.
    #[must_use]
    pub fn from_parts(provisional: bool, started_at: Timestamp, duration_micros: u64) -> Self {
        let lasts = i64::try_from(duration_micros).unwrap_or(i64::MAX);
        Self { provisional, ended_at: started_at.plus_micros(lasts) }
    }

    /// The answer of [`supersedes`]; `None` when it depends on whether the records differ.
    #[must_use]
    pub fn supersedes(self, standing: Self) -> Option<bool> {
        if self.provisional != standing.provisional {
            return Some(standing.provisional);
        }
        (self.ended_at != standing.ended_at).then_some(true)
    }
}
