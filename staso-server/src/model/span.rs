use std::sync::Arc;

use serde::{Deserialize, Serialize};
use serde_json::value::RawValue;

use super::{Cost, SpanId, SpanKind, Timestamp, Tokens};

/// How a span ended.
///
/// Senders may write any text, which stays in the record. What says neither success nor failure is
/// [`Other`](Self::Other), and no success.
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
pub enum SpanStatus {
    /// As intended.
    #[default]
    Ok,
    /// With an error.
    Error,
    /// By a deadline.
    Timeout,
    /// A status of the sender's own.
    Other,
}

impl SpanStatus {
    /// Reads the text of the wire: the three words of the contract, and those of other senders that say the same. Letter
    /// case, spaces and separators do not matter, nor the prefix of OpenTelemetry's `STATUS_CODE_OK`.
    #[must_use]
    pub fn of_wire(text: &str) -> Self {
        let word: String = text.chars().filter(|char| char.is_alphanumeric()).take(40).collect();
        let word = word.to_ascii_lowercase();
        match word.strip_prefix("statuscode").unwrap_or(&word) {
            "ok" | "success" | "succeeded" | "successful" | "completed" | "complete" | "done"
            | "finished" | "passed" => Self::Ok,
            "error" | "errored" | "failed" | "failure" | "fail" | "fatal" | "exception" | "panic"
            | "panicked" | "cancelled" | "canceled" | "interrupted" | "aborted" | "killed" | "terminated"
            | "crashed" => Self::Error,
            "timeout" | "timedout" | "deadlineexceeded" => Self::Timeout,
            _ => Self::Other,
        }
    }

    /// How a span stands whose sender wrote this word, none if empty, and an error text or not.
    ///
    /// A word decides, as a status that was set after an error stands: `ok` with an error text is `ok`. Without a word
    /// that says it, an error text is that of a failure.
    #[must_use]
    pub fn of_span(text: &str, has_error_text: bool) -> Self {
        let left_out = text.trim().is_empty() || text.eq_ignore_ascii_case("unset");
        match if left_out { Self::Ok } else { Self::of_wire(text) } {
            Self::Ok if left_out && has_error_text => Self::Error,
            Self::Other if has_error_text => Self::Error,
            status => status,
        }
    }

    /// The lower-case name.
    #[must_use]
    pub const fn as_str(self) -> &'static str {
        match self {
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

/// What the backend takes out of a span to find, sort and sum it. The rest stays in the record as it came.
#[derive(Clone, Debug, PartialEq)]
pub struct SpanHead {
    /// Unique in its trace.
    pub span_id: SpanId,
    /// Absent for a root.
    pub parent_span_id: Option<SpanId>,
    /// The step's name.
    pub name: String,
    /// What it stands for; an unknown text counts as custom.
    pub kind: SpanKind,
    /// When it began.
    pub started_at: Timestamp,
    /// How long it ran, in microseconds. 0 while provisional.
    pub duration_micros: u64,
    /// How it ended.
    pub status: SpanStatus,
    /// Whether it announces a root that still runs (`staso.provisional_root`).
    pub provisional: bool,
    /// The agent that it belongs to; may be empty.
    pub agent: String,
    /// The conversation (`session_id` on the wire); may be empty.
    pub conversation_id: String,
    /// The end user; may be empty.
    pub user_id: String,
    /// The model that answered; may be empty.
    pub model: String,
    /// The labels in its attributes.
    pub tags: Vec<String>,
    /// Absent when the sender did not know them.
    pub tokens: Option<Tokens>,
    /// What the call cost; [`Cost::default`] for a span that called no model.
    pub cost: Cost,
}

impl SpanHead {
    /// Whether it is the outermost span of its trace.
    #[must_use]
    pub fn is_root(&self) -> bool {
        self.parent_span_id.is_none()
    }

    /// When it ended, as far as is known.
    #[must_use]
    pub fn ended_at(&self) -> Timestamp {
        self.started_at.plus_micros(i64::try_from(self.duration_micros).unwrap_or(i64::MAX))
    }

    /// Whether it called a model: of kind `llm`, or with a model's name or tokens on it.
    #[must_use]
    pub fn calls_model(&self) -> bool {
        self.kind == SpanKind::Llm
            || !self.model.is_empty()
            || self.tokens.is_some_and(|tokens| tokens.total > 0)
    }
}

/// A span in a list or a tree: without what went in and out.
#[derive(Clone, Debug, PartialEq, Serialize, utoipa::ToSchema)]
pub struct SpanRow {
    /// Unique in its trace.
    pub span_id: SpanId,
    /// Absent for a root.
    pub parent_span_id: Option<SpanId>,
    /// The step's name.
    pub name: String,
    /// `agent`, `tool`, `llm`, `retriever`, `chain` or `custom`.
    #[serde(serialize_with = "kind_name")]
    #[schema(value_type = String)]
    pub kind: SpanKind,
    /// When it began.
    pub started_at: Timestamp,
    /// How long it ran, in microseconds.
    pub duration_micros: u64,
    /// How it ended.
    pub status: SpanStatus,
    /// Whether it announces a root that still runs.
    pub provisional: bool,
    /// The agent that it belongs to.
    pub agent: String,
    /// The model that answered.
    pub model: String,
    /// Absent when the sender did not know them.
    pub tokens: Option<Tokens>,
    /// What the call cost.
    pub cost: Cost,
}

impl SpanRow {
    /// When it ended, as far as is known.
    #[must_use]
    pub fn ended_at(&self) -> Timestamp {
        self.started_at.plus_micros(i64::try_from(self.duration_micros).unwrap_or(i64::MAX))
    }
}

impl From<&SpanHead> for SpanRow {
    fn from(head: &SpanHead) -> Self {
        Self {
            span_id: head.span_id.clone(),
            parent_span_id: head.parent_span_id.clone(),
            name: head.name.clone(),
            kind: head.kind,
            started_at: head.started_at,
            duration_micros: head.duration_micros,
            status: head.status,
            provisional: head.provisional,
            agent: head.agent.clone(),
            model: head.model.clone(),
            tokens: head.tokens,
            cost: head.cost,
        }
    }
}

fn kind_name<S: serde::Serializer>(kind: &SpanKind, serializer: S) -> Result<S::Ok, S::Error> {
    serializer.serialize_str(kind.as_str())
}

/// A span with everything that its sender wrote.
#[derive(Clone, Debug)]
pub struct StoredSpan {
    /// What the backend took out of it.
    pub row: SpanRow,
    /// The span object of the wire, as it came.
    pub record: Arc<RawValue>,
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn b5_status_words() {
        use SpanStatus::{Error, Ok, Other, Timeout};
        for (word, alone, with_error_text) in [
            ("ok", Ok, Ok),
            ("OK", Ok, Ok),
            ("Success", Ok, Ok),
            ("completed", Ok, Ok),
            ("STATUS_CODE_OK", Ok, Ok),
            ("", Ok, Error),
            ("UNSET", Ok, Error),
            ("error", Error, Error),
            ("ERROR", Error, Error),
            ("failed", Error, Error),
            ("Failure", Error, Error),
            (" exception ", Error, Error),
            ("cancelled", Error, Error),
            ("CANCELED", Error, Error),
            ("interrupted", Error, Error),
            ("STATUS_CODE_ERROR", Error, Error),
            ("timeout", Timeout, Timeout),
            ("timed_out", Timeout, Timeout),
            ("timedOut", Timeout, Timeout),
            ("Deadline Exceeded", Timeout, Timeout),
            ("needs review", Other, Error),
            ("not ok", Other, Error),
            ("失敗", Other, Error),
            ("…", Other, Error),
        ] {
            let found = [false, true].map(|has_error_text| SpanStatus::of_span(word, has_error_text));
            assert_eq!(found, [alone, with_error_text], "{word:?}");
        }
    }
}
