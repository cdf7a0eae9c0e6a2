use serde::{Deserialize, Serialize};

use super::{Annotation, Cost, SpanRow, Timestamp, Tokens, TraceId};

/// How a trace stands.
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
    /// Its root has not ended, or has not arrived. One that stays so was killed or dropped.
    #[default]
    Running,
    /// Its root ended as intended.
    Ok,
    /// Its root ended with an error.
    Error,
    /// Its root ended by a deadline.
    Timeout,
    /// Its root ended with a status of its sender's own, which says neither success nor failure.
    Other,
}

impl TraceStatus {
    /// Every status, in the order in which lists show them.
    pub const ALL: [Self; 5] = [Self::Running, Self::Ok, Self::Error, Self::Timeout, Self::Other];

    /// The lower-case name.
    #[must_use]
    pub const fn as_str(self) -> &'static str {
        match self {
            Self::Running => "running",
            Self::Ok => "ok",
            Self::Error => "error",
            Self::Timeout => "timeout",
            Self::Other => "other",
        }
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
    /// The root's name; until it arrives, that of the span that began first.
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
    /// When its first span began.
    pub started_at: Timestamp,
    /// From the first start to the last end that is known, in microseconds; once the root has ended, how
    /// long the root ran.
    pub duration_micros: u64,
    /// How many spans it has so far.
    pub spans: u64,
    /// How many of them failed.
    pub errors: u64,
    /// Over its spans.
    pub tokens: Tokens,
    /// Over its spans.
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
