use crate::model::{SpanRow, Timestamp, parents, tops};

/// The spans of a trace, each followed by its descendants.
#[derive(Debug)]
pub(in crate::web) struct Tree<'a> {
    pub(in crate::web) nodes: Vec<Node<'a>>,
    /// When the last span ended, as far as is known.
    pub(in crate::web) ended_at: Timestamp,
}

/// A span and its place in the tree.
#[derive(Debug)]
pub(in crate::web) struct Node<'a> {
    pub(in crate::web) span: &'a SpanRow,
    /// 0 at the top.
    pub(in crate::web) depth: usize,
    /// How many nodes from this one on are it and its descendants.
    pub(in crate::web) size: usize,
    /// It names a parent that is not there, or not above it.
    pub(in crate::web) orphan: bool,
    /// Its parent is there, but below it.
    pub(in crate::web) ring: bool,
}

impl<'a> Tree<'a> {
    /// Takes the spans in the order of a list, which siblings keep. What names an unknown parent stands at the
    /// top; so does the first span of each ring of spans that name each other.
    pub(in crate::web) fn of(spans: &'a [SpanRow]) -> Self {
        let parents = parents(spans);
        let mut children: Vec<Vec<usize>> = vec![Vec::new(); spans.len()];
        for (index, parent) in parents.iter().enumerate() {
            if let Some(siblings) = parent.and_then(|parent| children.get_mut(parent)) {
                siblings.push(index);
            }
        }
        let mut tree = Self { nodes: Vec::with_capacity(spans.len()), ended_at: last_end(spans) };
        let mut placed = vec![false; spans.len()];
        for top in tops(&parents) {
            let ring = parents.get(top).copied().flatten().is_some();
            tree.place(top, ring, spans, &children, &mut placed);
        }
        tree.measure();
        tree
    }

    /// The indices of a node's children, in order.
    pub(in crate::web) fn children(&self, parent: usize) -> impl Iterator<Item = usize> {
        let end = parent + self.nodes.get(parent).map_or(0, |node| node.size);
        let mut next = parent + 1;
        std::iter::from_fn(move || {
            let child = next;
            next += self.nodes.get(child).filter(|_| child < end)?.size;
            Some(child)
        })
    }

    /// When a span ended; for one that still runs, the last moment that is known of the trace.
    pub(in crate::web) fn end_of(&self, span: &SpanRow) -> Timestamp {
        if span.provisional { self.ended_at.max(span.started_at) } else { span.ended_at() }
    }

    fn place(
        &mut self,
        top: usize,
        ring: bool,
        spans: &'a [SpanRow],
        children: &[Vec<usize>],
        placed: &mut [bool],
    ) {
        let mut open = vec![(top, 0)];
        while let Some((index, depth)) = open.pop() {
            let (Some(span), Some(seen)) = (spans.get(index), placed.get_mut(index)) else { continue };
            if std::mem::replace(seen, true) {
                continue;
            }
            let orphan = depth == 0 && span.parent_span_id.is_some();
            self.nodes.push(Node { span, depth, size: 1, orphan, ring: ring && depth == 0 });
            let below = children.get(index).into_iter().flatten().rev();
            open.extend(below.map(|child| (*child, depth + 1)));
        }
    }

    /// Works out the sizes from the depths: a subtree ends before the next node that is not deeper.
    fn measure(&mut self) {
        let count = self.nodes.len();
        let mut open: Vec<(usize, usize)> = Vec::new();
        for index in 0..=count {
            let depth = self.nodes.get(index).map(|node| node.depth);
            while let Some((start, _)) = open.pop_if(|(_, above)| depth.is_none_or(|depth| depth <= *above)) {
                if let Some(node) = self.nodes.get_mut(start) {
                    node.size = index - start;
                }
            }
            open.extend(depth.map(|depth| (index, depth)));
        }
    }
}

fn last_end(spans: &[SpanRow]) -> Timestamp {
    spans.iter().map(SpanRow::ended_at).max().unwrap_or_default()
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;
    use crate::web::span::sample::span;

    fn outline(spans: &[SpanRow]) -> String {
        let tree = Tree::of(spans);
        let line = |node: &Node<'_>| {
            let mark = if node.orphan { "?" } else { "" };
            format!("{}{}{mark} {}\n", "  ".repeat(node.depth), node.span.span_id, node.size)
        };
        tree.nodes.iter().map(line).collect()
    }

    #[test]
    fn children_follow_their_parent_in_the_order_of_the_list() {
        let spans = [
            span("root", None, 0, 100),
            span("b", Some("root"), 1, 10),
            span("a", Some("root"), 20, 10),
            span("b1", Some("b"), 21, 5),
        ];
        assert_eq!(outline(&spans), "root 4\n  b 2\n    b1 1\n  a 1\n");
    }

    #[test]
    fn a_span_without_its_parent_stands_at_the_top() {
        let spans = [span("lost", Some("gone"), 0, 1), span("below", Some("lost"), 0, 1)];
        assert_eq!(outline(&spans), "lost? 2\n  below 1\n");
    }

    #[test]
    fn rings_of_spans_are_shown_once() {
        let spans = [
            span("self", Some("self"), 0, 1),
            span("x", Some("y"), 1, 1),
            span("y", Some("x"), 2, 1),
            span("leaf", Some("y"), 3, 1),
        ];
        assert_eq!(outline(&spans), "self? 1\nx? 3\n  y 2\n    leaf 1\n");
    }

    #[test]
    fn a_hundred_thousand_nested_spans_are_no_recursion() {
        let names: Vec<String> = (0..100_000).map(|depth| depth.to_string()).collect();
        let spans: Vec<SpanRow> = names
            .iter()
            .enumerate()
            .map(|(depth, name)| {
                let above = depth.checked_sub(1).and_then(|above| names.get(above));
                span(name, above.map(String::as_str), 0, 1)
            })
            .collect();
        let tree = Tree::of(&spans);
        assert_eq!((tree.nodes[0].size, tree.nodes[99_999].depth), (100_000, 99_999));
    }

    proptest! {
        #[test]
        fn every_span_is_placed_once_whatever_the_parents(parents in prop::collection::vec(0_usize..40, 1..30)) {
            let spans: Vec<SpanRow> = parents
                .iter()
                .enumerate()
                .map(|(index, parent)| span(&index.to_string(), Some(&parent.to_string()), 0, 1))
                .collect();
            let tree = Tree::of(&spans);
            let mut ids: Vec<&str> = tree.nodes.iter().map(|node| node.span.span_id.as_str()).collect();
            ids.sort_unstable();
            ids.dedup();
            prop_assert_eq!(ids.len(), spans.len());
            let tops: usize = tree.nodes.iter().filter(|node| node.depth == 0).map(|node| node.size).sum();
            prop_assert_eq!(tops, spans.len());
            for (index, node) in tree.nodes.iter().enumerate() {
                let below: usize = tree.children(index).map(|child| tree.nodes[child].size).sum();
                prop_assert_eq!(node.size, below + 1);
            }
        }
    }
}
