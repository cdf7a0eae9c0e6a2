use std::time::Duration;

use serde::{Deserialize, Serialize};

use super::{Annotation, Cost, SpanRow, Timestamp, Tokens, TraceId};

/// A trace that has not ended and of which nothing arrived for so long is [`Unfinished`](TraceStatus::Unfinished).
pub const SILENCE: Duration = Duration::from_secs(15 * 60);

/// How a trace stands: as its root does or, where no root is there, its topmost spans. Of several, the worst says it.
#[derive(
    Clone,
    Copy,
    Debug,
    Default,
    PartialEq,
    Eq,
    Hash,
    PartialOrd,
    Ord,
    Serialize,
    Deserialize,
    utoipa::ToSchema,
)]
#[serde(rename_all = "lowercase")]
pub enum TraceStatus {
    /// It has not ended.
    #[default]
    Running,
    /// It ended as intended.
    Ok,
    /// It ended with an error.
    Error,
    /// It ended by a deadline.
    Timeout,
    /// It ended with a status of its sender's own, which says neither success nor failure.
    Other,
    /// It has not ended, and nothing of it arrived for 15 minutes: it was killed, dropped, or lost its connection. What
    /// arrives later changes that. No store keeps this: it is how a running trace looks after that time.
    Unfinished,
}

impl TraceStatus {
    /// Every status, in the order in which lists show them.
    pub const ALL: [Self; 6] =
        [Self::Running, Self::Ok, Self::Error, Self::Timeout, Self::Other, Self::Unfinished];

    /// The lower-case name.
    #[must_use]
    pub const fn as_str(self) -> &'static str {
        match self {
            Self::Running => "running",
            Self::Ok => "ok",
            Self::Error => "error",
            Self::Timeout => "timeout",
            Self::Other => "other",
            Self::Unfinished => "unfinished",
        }
    }

    /// Whether it has ended, as intended or not.
    #[must_use]
    pub const fn has_ended(self) -> bool {
        !matches!(self, Self::Running | Self::Unfinished)
    }

    /// The same at a moment, of a trace of which something arrived last at another.
    #[must_use]
    pub fn at(self, now: Timestamp, updated_at: Timestamp) -> Self {
        let is_silent = updated_at < now.before(SILENCE);
        if self == Self::Running && is_silent { Self::Unfinished } else { self }
    }

    /// Whether it counts as an error: errors and timeouts do.
    #[must_use]
    pub const fn is_failure(self) -> bool {
        matches!(self, Self::Error | Self::Timeout)
    }
}

/// A trace in a list.
#[derive(Clone, Debug, PartialEq, Serialize, utoipa::ToSchema)]
pub struct TraceSummary {
    /// As its sender wrote it.
    pub trace_id: TraceId,
    /// The root's name; without a root, that of the first of its topmost spans.
    pub name: String,
    /// How it stands.
    pub status: TraceStatus,
    /// Where it ran, such as `prod`.
    pub environment: String,
    /// The agents in it, the root's first.
    pub agents: Vec<String>,
    /// The root's conversation; may be empty.
    pub conversation_id: String,
    /// The root's end user; may be empty.
    pub user_id: String,
    /// The models that were called in it.
    pub models: Vec<String>,
    /// The labels of its spans.
    pub tags: Vec<String>,
    /// When its root began; without a root, the first of its topmost spans. Spans inside may have begun earlier, by
    /// another clock.
    pub started_at: Timestamp,
    /// From then to the end of its root, in microseconds, or of its topmost spans; until it has ended, to the last end
    /// that is known. Spans inside may have ended later.
    pub duration_micros: u64,
    /// How many spans it has so far.
    pub spans: u64,
    /// How many of them failed.
    pub errors: u64,
    /// Over its spans. What a call and its wrapper, or an agent and its calls, both report counts once.
    pub tokens: Tokens,
    /// Over its spans, in the same way.
    pub cost: Cost,
    /// When something of it arrived last.
    pub updated_at: Timestamp,
}

/// A trace with the rows of its spans, but without what went in and out of them.
#[derive(Clone, Debug, PartialEq, Serialize, utoipa::ToSchema)]
pub struct TraceDetail {
    /// What a list shows of it.
    pub summary: TraceSummary,
    /// Its spans, ordered by start, then by identifier.
    pub spans: Vec<SpanRow>,
    /// What was said of it or its spans, in the order of arrival.
    pub annotations: Vec<Annotation>,
}
