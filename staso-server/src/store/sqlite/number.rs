//! The numbers that stand for words of the model in the database. They never change.

use rusqlite::Row;

use crate::model::{Cost, SpanKind, SpanStatus, StatusFilter, Tokens, TraceStatus};

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

pub(super) const fn kind_number(kind: SpanKind) -> u8 {
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

pub(super) fn kind_of(number: u8) -> SpanKind {
    SpanKind::ALL.into_iter().find(|kind| kind_number(*kind) == number).unwrap_or(SpanKind::Custom)
}

/// A running trace is one that is unfinished, too, once nothing of it has arrived for long.
pub(super) const fn status_number(status: TraceStatus) -> i64 {
    match status {
        TraceStatus::Running | TraceStatus::Unfinished => 0,
        TraceStatus::Ok => 1,
        TraceStatus::Error => 2,
        TraceStatus::Timeout => 3,
        TraceStatus::Other => 5,
    }
}

pub(super) const fn status_filter_number(filter: StatusFilter) -> i64 {
    match filter {
        StatusFilter::Is(status) => status_number(status),
        StatusFilter::Failed => 4,
    }
}

pub(super) fn status_of(number: i64) -> TraceStatus {
    TraceStatus::ALL.into_iter().find(|status| status_number(*status) == number).unwrap_or_default()
}

pub(super) const fn span_status_number(status: SpanStatus) -> u8 {
    match status {
        SpanStatus::Ok => 0,
        SpanStatus::Error => 1,
        SpanStatus::Timeout => 2,
        SpanStatus::Other => 3,
    }
}

pub(super) const fn span_status_of(number: u8) -> SpanStatus {
    match number {
        0 => SpanStatus::Ok,
        1 => SpanStatus::Error,
        2 => SpanStatus::Timeout,
        _ => SpanStatus::Other,
    }
}

/// What a fact is about.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
#[repr(u8)]
pub(super) enum Subject {
    /// A whole trace.
    Trace = 0,
    /// An agent's run in one.
    Run = 1,
    /// An agent's calls of a model in one.
    Calls = 2,
}

impl Subject {
    pub(super) const ALL: [Self; 3] = [Self::Trace, Self::Run, Self::Calls];
}

/// The type of an annotation's value.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
#[repr(u8)]
pub(super) enum DataType {
    Numeric = 0,
    Categorical = 1,
    Boolean = 2,
}

pub(super) const fn data_type_of(number: u8) -> DataType {
    match number {
        1 => DataType::Categorical,
        2 => DataType::Boolean,
        _ => DataType::Numeric,
    }
}

/// A count as SQLite keeps it: one too large for that is held to the largest.
pub(super) fn stored(count: u64) -> i64 {
    i64::try_from(count).unwrap_or(i64::MAX)
}

/// Reads what [`stored`] wrote.
pub(super) fn count(row: &Row<'_>, column: usize) -> rusqlite::Result<u64> {
    row.get::<_, i64>(column).map(|count| u64::try_from(count).unwrap_or(0))
}

/// Tokens in three columns.
pub(super) fn tokens(row: &Row<'_>, first: usize) -> rusqlite::Result<Tokens> {
    Ok(Tokens { input: count(row, first)?, output: count(row, first + 1)?, total: count(row, first + 2)? })
}

/// A cost in three columns.
pub(super) fn cost(row: &Row<'_>, first: usize) -> rusqlite::Result<Cost> {
    Ok(Cost {
        nano_usd: count(row, first)?,
        priced: count(row, first + 1)?,
        unpriced: count(row, first + 2)?,
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn numbers_are_read_back() {
        for kind in SpanKind::ALL {
            assert_eq!(kind_of(kind_number(kind)), kind);
        }
        for status in TraceStatus::ALL.into_iter().filter(|status| *status != TraceStatus::Unfinished) {
            assert_eq!(status_of(status_number(status)), status);
        }
        for status in [SpanStatus::Ok, SpanStatus::Error, SpanStatus::Timeout, SpanStatus::Other] {
            assert_eq!(span_status_of(span_status_number(status)), status);
        }
    }
}
