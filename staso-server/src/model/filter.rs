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
    /// Its names, inputs, outputs and errors contain every word and every phrase in quotation marks of this text, without
    /// regard to case, accents and width. Where there is nothing to search for in it, no trace matches.
    pub text: Option<String>,
    /// The texts of this kind do; by default, any.
    pub text_in: Option<TextField>,
}

/// What a text of a trace is.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum TextField {
    /// What a person said: what went into an agent or a root, and messages of the role `user`.
    User,
    /// What was answered: what came out of an agent, a root or a model, and messages of the role `assistant`.
    Answers,
    /// What went into tools and retrievers and came out of them.
    Tools,
    /// What spans failed with.
    Errors,
    /// Everything else: names, instructions, what chains hand on.
    Rest,
}

impl TextField {
    /// Every one, in the order in which they are offered.
    pub const ALL: [Self; 5] = [Self::User, Self::Answers, Self::Tools, Self::Errors, Self::Rest];

    /// The lower-case name.
    #[must_use]
    pub const fn as_str(self) -> &'static str {
        match self {
            Self::User => "user",
            Self::Answers => "answers",
            Self::Tools => "tools",
            Self::Errors => "errors",
            Self::Rest => "rest",
        }
    }
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
