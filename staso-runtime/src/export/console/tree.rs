use std::{collections::HashMap, collections::hash_map::Entry};

use super::view::SpanView;

/// A span in the order in which a trace is read, and where it hangs.
#[derive(Debug)]
pub(super) struct Row<'a, S> {
    pub(super) span: &'a S,
    /// 0 for what hangs nowhere.
    pub(super) depth: usize,
    /// Whether nothing follows beside it.
    pub(super) last: bool,
    pub(super) has_children: bool,
    /// Whether it hangs under the root only because its parent is missing.
    pub(super) orphan: bool,
    /// Whether a span inside it failed with the same error, which passed through.
    pub(super) error_from_below: bool,
}

/// Arranges the spans of one trace: a parent before its children, siblings by their start.
///
/// The records may be damaged in any way: of several records of a span one is taken, a final one before
/// an announcement; a ring of parents is opened; what hangs nowhere goes under the root, if there is one.
pub(super) fn rows<S: SpanView>(spans: &[S]) -> Vec<Row<'_, S>> {
    let spans = distinct(spans);
    let mut parents = parents(&spans);
    open_rings(&mut parents);
    let errors_from_below = errors_from_below(&spans, &parents);
    let is_orphan = |span: &S, parent: Option<usize>| parent.is_none() && !span.is_local_root();
    let orphans: Vec<bool> =
        spans.iter().zip(&parents).map(|(span, parent)| is_orphan(span, *parent)).collect();
    if let Some(root) = spans.iter().position(|span| span.is_local_root()) {
        for (parent, _) in parents.iter_mut().zip(&orphans).filter(|(_, orphan)| **orphan) {
            *parent = Some(root);
        }
    }

    let mut children: Vec<Vec<usize>> = vec![Vec::new(); spans.len()];
    let mut top = Vec::new();
    for (index, parent) in parents.iter().enumerate() {
        match parent.and_then(|parent| children.get_mut(parent)) {
            Some(siblings) => siblings.push(index),
            None => top.push(index),
        }
    }

    let mut rows = Vec::with_capacity(spans.len());
    let mut stack = Vec::new();
    descend(&mut stack, &top, 0);
    while let Some(Visit { index, depth, last }) = stack.pop() {
        let (Some(&span), Some(children)) = (spans.get(index), children.get(index)) else { continue };
        let marked = |marks: &[bool]| marks.get(index).copied().unwrap_or_default();
        rows.push(Row {
            span,
            depth,
            last,
            has_children: !children.is_empty(),
            orphan: marked(&orphans),
            error_from_below: marked(&errors_from_below),
        });
        descend(&mut stack, children, depth + 1);
    }
    rows
}

struct Visit {
    index: usize,
    depth: usize,
    last: bool,
}

/// Puts siblings on the stack so that the first is popped first.
fn descend(stack: &mut Vec<Visit>, siblings: &[usize], depth: usize) {
    let visits = siblings.iter().rev().enumerate();
    stack.extend(visits.map(|(from_end, &index)| Visit { index, depth, last: from_end == 0 }));
}

/// One record of each span, by start.
fn distinct<S: SpanView>(spans: &[S]) -> Vec<&S> {
    let mut places = HashMap::new();
    let mut distinct: Vec<&S> = Vec::with_capacity(spans.len());
    for span in spans {
        match places.entry(span.span_id()) {
            Entry::Vacant(place) => {
                place.insert(distinct.len());
                distinct.push(span);
            }
            Entry::Occupied(place) => {
                if let Some(known) = distinct.get_mut(*place.get())
                    && (known.is_provisional() || !span.is_provisional())
                {
                    *known = span;
                }
            }
        }
    }
    distinct.sort_by_key(|span| span.started_at());
    distinct
}

fn parents<S: SpanView>(spans: &[&S]) -> Vec<Option<usize>> {
    let places: HashMap<S::Id, usize> =
        spans.iter().enumerate().map(|(index, span)| (span.span_id(), index)).collect();
    spans.iter().map(|span| places.get(&span.parent_span_id()?).copied()).collect()
}

/// Cuts a link of every ring. Each walk up stops where an earlier one came by.
fn open_rings(parents: &mut [Option<usize>]) {
    let mut walks = vec![usize::MAX; parents.len()];
    for walk in 0..parents.len() {
        let mut at = walk;
        while let (Some(parent), Some(seen)) = (parents.get_mut(at), walks.get_mut(at)) {
            if *seen == walk {
                *parent = None;
            } else if *seen == usize::MAX {
                *seen = walk;
            } else {
                break;
            }
            match *parent {
                Some(parent) => at = parent,
                None => break,
            }
        }
    }
}

fn errors_from_below<S: SpanView>(spans: &[&S], parents: &[Option<usize>]) -> Vec<bool> {
    let mut marks = vec![false; spans.len()];
    for (span, parent) in spans.iter().zip(parents) {
        let Some(parent) = *parent else { continue };
        if let (Some(error), Some(outer), Some(mark)) =
            (error(*span), spans.get(parent), marks.get_mut(parent))
            && self::error(*outer) == Some(error)
        {
            *mark = true;
        }
    }
    marks
}

fn error(span: &impl SpanView) -> Option<(Option<&str>, Option<&str>)> {
    let error = (span.exception_type(), span.error_message());
    (span.failure().is_some() && error != (None, None)).then_some(error)
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::{
        super::fixture::{Draft, agent, tool},
        *,
    };
    use crate::record::SpanRecord;

    /// An indented line a row; orphans are marked with `?`.
    fn outline(spans: &[SpanRecord]) -> String {
        rows(spans)
            .iter()
            .map(|row| {
                let mark = if row.orphan { "?" } else { "" };
                format!("{}{}{mark}\n", "  ".repeat(row.depth), row.span.name())
            })
            .collect()
    }

    fn check(drafts: Vec<Draft>, expected: &str) {
        let spans: Vec<_> = drafts.into_iter().map(Draft::record).collect();
        assert_eq!(outline(&spans), expected);
    }

    #[test]
    fn children_stand_under_their_parent_by_start_whatever_the_order_they_ended_in() {
        check(
            vec![
                tool("second").id(3).parent(1).at(20),
                tool("inner").id(4).parent(2).at(12),
                tool("first").id(2).parent(1).at(10),
                agent("root").id(1),
            ],
            "root\n  first\n    inner\n  second\n",
        );
    }

    #[test]
    fn a_span_whose_parent_is_missing_goes_under_the_root_with_its_children() {
        check(
            vec![
                agent("root").id(1),
                tool("lost").id(3).parent(99).at(5),
                tool("inner").id(4).parent(3).at(6),
                tool("known").id(2).parent(1).at(10),
            ],
            "root\n  lost?\n    inner\n  known\n",
        );
    }

    #[test]
    fn without_a_root_what_hangs_nowhere_stands_side_by_side() {
        check(vec![tool("b").id(3).parent(1).at(2), tool("a").id(2).parent(1).at(1)], "a?\nb?\n");
    }

    #[test]
    fn a_ring_of_parents_is_opened_and_nothing_in_it_is_lost() {
        check(
            vec![
                tool("a").id(2).parent(3).at(1),
                tool("b").id(3).parent(2).at(2),
                tool("self").id(4).parent(4).at(3),
            ],
            "a?\n  b\nself?\n",
        );
    }

    #[test]
    fn a_final_record_beats_an_announcement_in_either_order() {
        let announcement = agent("announced").provisional().record();
        let root = agent("ended").record();
        assert_eq!(outline(&[announcement.clone(), root.clone()]), "ended\n");
        assert_eq!(outline(&[root, announcement]), "ended\n");
    }

    #[test]
    fn an_error_that_passes_through_spans_is_known_to_come_from_below() {
        let failing = |draft: Draft| draft.failing("Declined", "card expired");
        let spans = [
            failing(agent("root").id(1)).record(),
            failing(tool("inner").id(2).parent(1)).record(),
            tool("other").id(3).parent(1).at(9).failing("Other", "x").record(),
        ];
        let marks: Vec<_> = rows(&spans).iter().map(|row| row.error_from_below).collect();
        assert_eq!(marks, [true, false, false]);
    }

    #[test]
    fn a_hundred_thousand_nested_spans_do_not_exhaust_the_stack() {
        let spans: Vec<_> = (2..=100_000)
            .map(|id| tool("t").id(id).parent(id - 1).at(id).record())
            .chain([agent("root").record()])
            .collect();
        let rows = rows(&spans);
        assert_eq!(rows.len(), 100_000);
        assert_eq!(rows.last().map(|row| row.depth), Some(99_999));
    }

    proptest! {
        #[test]
        fn every_span_has_one_row_however_the_parents_are_tangled(links in prop::collection::vec((0_u64..12, 0_u64..4), 0..12)) {
            let spans: Vec<_> = links
                .iter()
                .zip(1..)
                .map(|(&(parent, start), id)| {
                    let draft = tool("t").id(id).at(start);
                    if parent == 0 { draft } else { draft.parent(parent) }.record()
                })
                .collect();
            let rows = rows(&spans);
            let mut ids: Vec<_> = rows.iter().map(|row| row.span.span_id()).collect();
            ids.sort_unstable();
            ids.dedup();
            prop_assert_eq!(ids.len(), spans.len());
            prop_assert_eq!(rows.len(), spans.len());
            prop_assert_eq!(rows.first().map(|row| row.depth), (!rows.is_empty()).then_some(0));
        }
    }
}
