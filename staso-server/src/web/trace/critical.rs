use super::tree::Tree;
use crate::model::Timestamp;

/// A stretch of the critical path: while it lasted, the trace waited for this span and for nothing below it.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) struct Segment {
    /// Index of the span's node.
    pub(super) node: usize,
    pub(super) from: Timestamp,
    pub(super) until: Timestamp,
}

/// How much later than its parent a child may end and still be taken for one that the parent awaited: starts
/// are of the wall clock, durations are not, and both are rounded.
const SLACK_MICROS: i64 = 1_000;

/// What the first root waited for: from its end backwards, always the child that ended last before then.
/// The segments do not overlap and come in the order of their nodes.
pub(super) fn critical_path(tree: &Tree<'_>) -> Vec<Segment> {
    let Some(root) = tree.nodes.first() else { return Vec::new() };
    let mut segments = Vec::new();
    let mut open = vec![(0, root.span.started_at, tree.end_of(root.span))];
    while let Some((index, from, until)) = open.pop() {
        let Some(node) = tree.nodes.get(index) else { continue };
        let last_awaited = tree.end_of(node.span).plus_micros(SLACK_MICROS);
        let mut children: Vec<(Timestamp, Timestamp, usize)> = tree
            .children(index)
            .filter_map(|child| tree.nodes.get(child).map(|node| (node.span, child)))
            .map(|(span, child)| (tree.end_of(span), span.started_at, child))
            .filter(|(end, ..)| *end <= last_awaited)
            .map(|(end, start, child)| (end.min(until), start.max(from), child))
            .collect();
        children.sort_unstable();
        let mut cursor = until;
        for (end, start, child) in children.into_iter().rev() {
            if end > cursor || start >= end {
                continue;
            }
            push(&mut segments, index, end, cursor);
            open.push((child, start, end));
            cursor = start;
        }
        push(&mut segments, index, from, cursor);
    }
    segments.sort_unstable_by_key(|segment| (segment.node, segment.from));
    segments
}

/// The part of a path that is of one node.
pub(super) fn of_node(path: &[Segment], node: usize) -> &[Segment] {
    let start = path.partition_point(|segment| segment.node < node);
    let end = path.partition_point(|segment| segment.node <= node);
    path.get(start..end).unwrap_or_default()
}

fn push(segments: &mut Vec<Segment>, node: usize, from: Timestamp, until: Timestamp) {
    if from < until {
        segments.push(Segment { node, from, until });
    }
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;
    use crate::{model::SpanRow, web::span::sample::span};

    #[track_caller]
    fn check(spans: &[SpanRow], expected: &str) {
        let tree = Tree::of(spans);
        let path: Vec<String> = critical_path(&tree)
            .iter()
            .map(|segment| {
                let name = &tree.nodes[segment.node].span.span_id;
                format!("{name} {}-{}", segment.from.as_micros(), segment.until.as_micros())
            })
            .collect();
        assert_eq!(path.join(", "), expected);
    }

    #[test]
    fn a_span_alone_is_its_own_path() {
        check(&[span("root", None, 0, 100)], "root 0-100");
    }

    #[test]
    fn of_parallel_children_the_last_to_end_is_waited_for() {
        check(
            &[
                span("root", None, 0, 10_000),
                span("slow", Some("root"), 1_000, 8_000),
                span("fast", Some("root"), 1_000, 3_000),
            ],
            "root 0-1000, root 9000-10000, slow 1000-9000",
        );
    }

    #[test]
    fn children_in_turn_are_all_waited_for() {
        check(
            &[
                span("root", None, 0, 10_000),
                span("one", Some("root"), 0, 4_000),
                span("two", Some("root"), 5_000, 5_000),
                span("deep", Some("two"), 6_000, 4_000),
            ],
            "root 4000-5000, one 0-4000, two 5000-6000, deep 6000-10000",
        );
    }

    #[test]
    fn a_child_that_outlives_its_parent_was_not_waited_for() {
        check(
            &[span("root", None, 0, 10_000), span("detached", Some("root"), 5_000, 50_000)],
            "root 0-10000",
        );
    }

    #[test]
    fn a_child_may_seem_to_end_a_little_later_than_its_parent() {
        check(
            &[span("root", None, 0, 10_000), span("child", Some("root"), 5_000, 5_010)],
            "root 0-5000, child 5000-10000",
        );
    }

    #[test]
    fn a_running_root_is_followed_up_to_the_last_moment_known() {
        let running = SpanRow { provisional: true, ..span("root", None, 0, 0) };
        check(&[running, span("child", Some("root"), 5_000, 2_000)], "root 0-5000, child 5000-7000");
    }

    proptest! {
        #[test]
        fn the_path_covers_the_root_without_overlap(
            spans in prop::collection::vec((0_usize..20, 0_i64..50_000, 0_u64..50_000), 0..20),
        ) {
            let mut rows = vec![span("0", None, 0, 60_000)];
            rows.extend(spans.iter().enumerate().map(|(index, (parent, start, duration))| {
                let parent = (*parent).min(index).to_string();
                span(&(index + 1).to_string(), Some(&parent), *start, *duration)
            }));
            let mut path = critical_path(&Tree::of(&rows));
            path.sort_unstable_by_key(|segment| segment.from);
            let mut at = Timestamp::default();
            for segment in path {
                prop_assert_eq!(segment.from, at);
                at = segment.until;
            }
            prop_assert_eq!(at.as_micros(), 60_000);
        }
    }
}
