//! How texts of traces are numbered in the index: by trace, and by what they are.

use crate::model::TextField;

/// More than there are fields.
const FIELDS: i64 = 8;

/// The row of the texts of a trace that are this.
pub(super) fn row(trace: i64, field: TextField) -> i64 {
    trace * FIELDS + field as i64
}

/// The trace of a row.
pub(super) fn trace_of(row: i64) -> i64 {
    row.div_euclid(FIELDS)
}

/// Whether the texts of a row are this.
pub(super) fn is_of(row: i64, field: TextField) -> bool {
    row.rem_euclid(FIELDS) == field as i64
}

/// The rows of a trace.
pub(super) fn rows(trace: i64) -> impl Iterator<Item = i64> {
    TextField::ALL.into_iter().map(move |field| row(trace, field))
}
