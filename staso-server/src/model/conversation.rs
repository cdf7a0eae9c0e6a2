use serde::Serialize;

use super::{Cost, Page, SpanRow, Timestamp, Tokens, TraceSummary};

/// A conversation in a list: all traces with one `session_id`.
#[derive(Clone, Debug, PartialEq, Serialize, utoipa::ToSchema)]
pub struct ConversationSummary {
    /// As its sender wrote it.
    pub conversation_id: String,
    /// The end users in its last 100 traces, in alphabetical order.
    pub users: Vec<String>,
    /// The agents in those.
    pub agents: Vec<String>,
    /// Where those ran.
    pub environments: Vec<String>,
    /// How many traces it has so far.
    pub traces: u64,
    /// How many of them failed.
    pub failed_traces: u64,
    /// When its first trace started.
    pub started_at: Timestamp,
    /// When its last trace started.
    pub last_at: Timestamp,
    /// Over its traces.
    pub tokens: Tokens,
    /// Over its traces.
    pub cost: Cost,
}

/// A conversation with some of its turns.
#[derive(Clone, Debug, PartialEq, Serialize, utoipa::ToSchema)]
pub struct Conversation {
    /// What a list shows of it.
    pub summary: ConversationSummary,
    /// Its turns, the earliest first.
    pub turns: Page<Turn>,
}

/// One trace of a conversation.
#[derive(Clone, Debug, PartialEq, Serialize, utoipa::ToSchema)]
pub struct Turn {
    /// What a list shows of the trace.
    pub trace: TraceSummary,
    /// What went into the root, as its sender wrote it: JSON text, or empty.
    pub input: String,
    /// What came out of the root, as its sender wrote it: JSON text, or empty.
    pub output: String,
    /// What the root failed with.
    pub error_message: Option<String>,
    /// Its spans in order, at most 1,000 of them; [`TraceSummary::spans`] has the true number.
    pub steps: Vec<SpanRow>,
}
