//! The numbers that stand for words of the model in the database. They never change.

use crate::model::{SpanKind, SpanStatus, TraceStatus};

/// What a trace can be found by.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, PartialOrd, Ord)]
#[repr(u8)]
pub(super) enum Dimension {
    Agent = 0,
    Conversation = 1,
    User = 2,
    Kind = 3,
    Model = 4,
    Tag = 5,
    Environment = 6,
    Status = 7,
}

impl Dimension {
    pub(super) const ALL: [Self; 8] = [
        Self::Agent,
        Self::Conversation,
        Self::User,
        Self::Kind,
        Self::Model,
        Self::Tag,
        Self::Environment,
        Self::Status,
    ];
}

/// Set in a span's status while the span is provisional.
const PROVISIONAL: i64 = 16;

pub(super) const fn kind_number(kind: SpanKind) -> i64 {
    match kind {
        SpanKind::Agent => 0,
        SpanKind::Tool => 1,
        SpanKind::Llm => 2,
        SpanKind::Retriever => 3,
        SpanKind::Chain => 4,
        // A kind that a later version of the runtime knows is shown as custom.
        _ => 5,
    }
}

pub(super) fn kind_of(number: i64) -> SpanKind {
    SpanKind::ALL.into_iter().find(|kind| kind_number(*kind) == number).unwrap_or(SpanKind::Custom)
}

pub(super) const fn status_number(status: TraceStatus) -> i64 {
    match status {
        TraceStatus::Running => 0,
        TraceStatus::Ok => 1,
        TraceStatus::Error => 2,
        TraceStatus::Timeout => 3,
    }
}

pub(super) fn status_of(number: i64) -> TraceStatus {
    TraceStatus::ALL.into_iter().find(|status| status_number(*status) == number).unwrap_or_default()
}

pub(super) const fn span_status_number(status: SpanStatus, provisional: bool) -> i64 {
    let number = match status {
        SpanStatus::Ok => 0,
        SpanStatus::Error => 1,
        SpanStatus::Timeout => 2,
        SpanStatus::Other => 3,
    };
    if provisional { number + PROVISIONAL } else { number }
}

/// A span's status, and whether the span is provisional.
pub(super) const fn span_status_of(number: i64) -> (SpanStatus, bool) {
    let status = match number % PROVISIONAL {
        0 => SpanStatus::Ok,
        1 => SpanStatus::Error,
        2 => SpanStatus::Timeout,
        _ => SpanStatus::Other,
    };
    (status, number >= PROVISIONAL)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn numbers_are_read_back() {
        for kind in SpanKind::ALL {
            assert_eq!(kind_of(kind_number(kind)), kind);
        }
        for status in TraceStatus::ALL {
            assert_eq!(status_of(status_number(status)), status);
        }
        for status in [SpanStatus::Ok, SpanStatus::Error, SpanStatus::Timeout, SpanStatus::Other] {
            for provisional in [false, true] {
                assert_eq!(span_status_of(span_status_number(status, provisional)), (status, provisional));
            }
        }
    }
}
