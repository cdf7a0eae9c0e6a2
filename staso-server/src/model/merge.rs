use std::cmp::Ordering;

use super::SpanHead;

/// Whether, of two versions of one span, the candidate takes the place of the known one.
///
/// A final version beats a provisional one, a later end an earlier one, and of two that end alike the one
/// whose record is greater byte by byte. This is an order, so a trace comes to the same state whatever
/// the order in which its records arrive, and however often each does.
#[must_use]
pub fn supersedes(candidate: (&SpanHead, &str), known: (&SpanHead, &str)) -> bool {
    let (new, new_record) = candidate;
    let (old, old_record) = known;
    (!new.provisional)
        .cmp(&!old.provisional)
        .then_with(|| new.ended_at().cmp(&old.ended_at()))
        .then_with(|| new_record.cmp(old_record))
        == Ordering::Greater
}
