use super::{SpanKind, TimeRange, TraceStatus};

/// Which traces. A trace must match every condition that is set; the empty filter matches all.
#[derive(Clone, Debug, Default, PartialEq)]
pub struct TraceFilter {
    /// It ran in this environment.
    pub environment: Option<String>,
    /// A span of this agent is in it.
    pub agent: Option<String>,
    /// A span of this conversation is in it.
    pub conversation: Option<String>,
    /// A span for this end user is in it.
    pub user: Option<String>,
    /// A span of this kind is in it.
    pub kind: Option<SpanKind>,
    /// It stands so.
    pub status: Option<StatusFilter>,
    /// A span that called this model is in it.
    pub model: Option<String>,
    /// A span with this tag is in it.
    pub tag: Option<String>,
    /// It started in this range.
    pub range: TimeRange,
    /// It lasted at least so long.
    pub min_duration_micros: Option<u64>,
    /// Its names, inputs, outputs and errors contain every word of this text. Words are runs of letters
    /// and digits, compared without regard to case; the last one, unless it is a single ASCII character, also
    /// matches words that begin with it.
    pub text: Option<String>,
}

/// How a trace stands, or that it failed in either way.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum StatusFilter {
    /// In just this way.
    Is(TraceStatus),
    /// By an error or a timeout: see [`TraceStatus::is_failure`].
    Failed,
}

impl StatusFilter {
    /// Every one, in the order in which they are offered.
    pub const ALL: [Self; 7] = [
        Self::Is(TraceStatus::Running),
        Self::Is(TraceStatus::Ok),
        Self::Failed,
        Self::Is(TraceStatus::Error),
        Self::Is(TraceStatus::Timeout),
        Self::Is(TraceStatus::Other),
        Self::Is(TraceStatus::Unfinished),
    ];

    /// The lower-case name.
    #[must_use]
    pub const fn as_str(self) -> &'static str {
        match self {
            Self::Is(status) => status.as_str(),
            Self::Failed => "failed",
        }
    }

    /// Whether a trace that stands so is meant.
    #[must_use]
    pub fn matches(self, status: TraceStatus) -> bool {
        match self {
            Self::Is(wanted) => status == wanted,
            Self::Failed => status.is_failure(),
        }
    }
}

/// In which order.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Hash)]
pub enum TraceSort {
    /// The latest start first.
    #[default]
    Newest,
    /// The longest duration first.
    Slowest,
    /// The highest known cost first.
    Costliest,
    /// The most tokens first.
    MostTokens,
}

/// Which conversations: those with a trace that matches.
#[derive(Clone, Debug, Default, PartialEq)]
pub struct ConversationFilter {
    /// In this environment.
    pub environment: Option<String>,
    /// With a span of this agent.
    pub agent: Option<String>,
    /// With a span for this end user.
    pub user: Option<String>,
    /// With at least one failed trace.
    pub failed_only: bool,
    /// Last active in this range.
    pub range: TimeRange,
}

/// Which runs and model calls the metrics are of.
#[derive(Clone, Debug, Default, PartialEq)]
pub struct MetricsFilter {
    /// In this environment.
    pub environment: Option<String>,
    /// Of this agent.
    pub agent: Option<String>,
    /// For this end user.
    pub user: Option<String>,
    /// Of this model.
    pub model: Option<String>,
    /// Started in this range.
    pub range: TimeRange,
}
