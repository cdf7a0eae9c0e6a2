use std::collections::HashMap;

use serde::Serialize;

use super::{
    axis::micros_between,
    critical::{Segment, critical_path},
    tree::{Node, Tree},
};
use crate::model::{SpanKind, SpanStatus, Timestamp, TraceStatus, TraceSummary};

/// The rows of a trace as its script reads them.
#[derive(Debug, Serialize)]
pub(super) struct Document<'a> {
    status: &'static str,
    /// Length of the time axis, in microseconds.
    length: u64,
    /// In the order of the tree.
    rows: Vec<Row<'a>>,
}

/// One span. An array in JSON, as a trace may have very many.
#[derive(Debug, Serialize)]
pub(super) struct Row<'a>(
    /// Identifier.
    &'a str,
    /// Depth in the tree.
    usize,
    /// How many rows from here on are it and its descendants.
    usize,
    /// Kind.
    &'static str,
    /// `ok`, `error`, `timeout`, `other`, `running` or `unfinished`.
    &'static str,
    /// Microseconds from the start of the axis.
    u64,
    /// Duration in microseconds.
    u64,
    /// Name.
    &'a str,
    /// What is said beside the name.
    &'a str,
    /// Stretches of the critical path: offset and duration.
    Vec<(u64, u64)>,
);

pub(super) fn document<'a>(summary: &TraceSummary, tree: &Tree<'a>) -> Document<'a> {
    let start = start(summary, tree);
    let mut critical: HashMap<usize, Vec<(u64, u64)>> = HashMap::new();
    for Segment { node, from, until } in critical_path(tree) {
        critical.entry(node).or_default().push((micros_between(start, from), micros_between(from, until)));
    }
    let notes = notes(tree);
    let rows = tree.nodes.iter().zip(notes).enumerate().map(|(index, (node, note))| {
        let span = node.span;
        Row(
            span.span_id.as_str(),
            node.depth,
            node.size,
            span.kind.as_str(),
            state(node, summary.status),
            micros_between(start, span.started_at),
            micros_between(span.started_at, tree.end_of(span)),
            &span.name,
            note,
            critical.remove(&index).unwrap_or_default(),
        )
    });
    Document {
        status: summary.status.as_str(),
        length: micros_between(start, tree.ended_at),
        rows: rows.collect(),
    }
}

/// When the axis begins.
pub(super) fn start(summary: &TraceSummary, tree: &Tree<'_>) -> Timestamp {
    tree.nodes.iter().map(|node| node.span.started_at).min().unwrap_or(summary.started_at)
}

/// How a span of a trace that stands so does, in one word.
pub(in crate::web) fn state(node: &Node<'_>, trace: TraceStatus) -> &'static str {
    if node.span.provisional && node.span.status == SpanStatus::Ok {
        if trace == TraceStatus::Unfinished { trace.as_str() } else { TraceStatus::Running.as_str() }
    } else {
        node.span.status.as_str()
    }
}

/// What is said beside each name: the model of a call, the agent where it changes, a parent that is missing.
pub(in crate::web) fn notes<'a>(tree: &Tree<'a>) -> Vec<&'a str> {
    let mut above: Vec<&str> = Vec::new();
    let note = |node: &Node<'a>| {
        above.truncate(node.depth);
        let span = node.span;
        let changes = above.last().is_none_or(|agent| *agent != span.agent);
        above.push(&span.agent);
        if node.ring {
            "its parent is below it"
        } else if node.orphan {
            "its parent has not arrived"
        } else if span.kind == SpanKind::Llm || !span.model.is_empty() {
            &span.model
        } else if changes && span.agent != span.name {
            &span.agent
        } else {
            ""
        }
    };
    tree.nodes.iter().map(note).collect()
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::{model::SpanRow, web::span::sample::span};

    #[test]
    fn the_agent_is_named_where_it_changes_and_the_model_where_one_is_called() {
        let by = |agent: &str, model: &str, row: SpanRow| SpanRow {
            agent: agent.to_owned(),
            model: model.to_owned(),
            ..row
        };
        let spans = [
            by("desk", "", span("root", None, 0, 9)),
            by("desk", "", span("tool", Some("root"), 1, 1)),
            by("desk", "m-1", span("call", Some("root"), 2, 1)),
            by("courier", "", span("courier", Some("root"), 3, 1)),
            by("courier", "", span("under", Some("courier"), 4, 1)),
            by("desk", "", span("lost", Some("gone"), 5, 1)),
            by("desk", "", span("ring", Some("ring"), 6, 1)),
        ];
        let (lost, ring) = ("its parent has not arrived", "its parent is below it");
        assert_eq!(notes(&Tree::of(&spans)), ["desk", "", "m-1", "", "", lost, ring]);
    }
}
