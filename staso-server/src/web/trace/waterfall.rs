use maud::{Markup, html};

use super::{
    axis::{Axis, micros_between},
    critical::{Segment, critical_path, of_node},
    rows::{self, notes, state},
    tree::{Node, Tree},
};
use crate::{
    model::{SpanKind, SpanRow, TraceStatus, TraceSummary},
    web::{Link, PageContext, format},
};

/// So many rows are in the page; a script shows the others where they come into view.
const ROWS: usize = 200;

/// Deeper levels are indented no further.
const DEEPEST: usize = 10;

/// In percent of the axis: a label further right would be cut.
const LAST_LABEL: f64 = 88.0;

/// The tree of spans beside their bars on one time axis.
pub(super) fn waterfall(
    context: &PageContext,
    summary: &TraceSummary,
    tree: &Tree<'_>,
    selected: usize,
) -> Markup {
    let axis = Axis::new(rows::start(summary, tree), tree.ended_at);
    // Rows from shortly above the selected one, so that a link to a span shows it without scripts too.
    let first = selected.saturating_sub(8).min(tree.nodes.len().saturating_sub(ROWS));
    let critical = critical_path(tree);
    let notes = notes(tree);
    let shown = tree.nodes.iter().zip(notes).enumerate().skip(first).take(ROWS);
    html! {
        section.waterfall aria-label="Steps" {
            (toolbar(tree))
            div.time-axis aria-hidden="true" {
                span.time-axis-name { "Step" }
                svg.ticks #ticks {
                    @for tick in axis.ticks(4) {
                        @let x = axis.percent(axis.start().plus_micros(i64::try_from(tick.micros).unwrap_or(i64::MAX)));
                        line x1={ (x) "%" } x2={ (x) "%" } y1="18" y2="28" {}
                        @if x <= LAST_LABEL { text x={ (x) "%" } dx="4" y="18" { (format::duration(tick.micros)) } }
                    }
                }
            }
            div.rows #rows role="tree" aria-label="Steps of the trace" tabindex="0" {
                div.rows-space {
                    @for (index, (node, note)) in shown {
                        @let path = of_node(&critical, index);
                        (row(context, summary, &axis, tree, node, note, index == selected, path))
                    }
                }
            }
            @if tree.nodes.len() > ROWS {
                noscript {
                    p.muted.part { "Steps " (first + 1) " to " (first + ROWS) " of " (format::count(summary.spans)) "." }
                }
            }
            (hatching())
        }
    }
}

fn toolbar(tree: &Tree<'_>) -> Markup {
    let failures = tree.nodes.iter().filter(|node| node.span.status.is_failure()).count();
    html! {
        div.waterfall-tools {
            ul.legend aria-label="Kinds of steps" {
                @for kind in SpanKind::ALL {
                    @let count = tree.nodes.iter().filter(|node| node.span.kind == kind).count();
                    @if count > 0 {
                        li { (format::kind(kind)) " " span.muted { (format::count(count as u64)) } }
                    }
                }
                li { span.kind { span.critical-sample aria-hidden="true" {} " critical path" } }
            }
            div.tools {
                input #find type="search" placeholder="Find a step" aria-label="Find a step by name";
                @if failures > 0 {
                    button #next-error type="button" title="Next error (e)" {
                        span.failed { "✗ " (format::count(failures as u64)) } " Next error"
                    }
                }
                button.ghost #fold type="button" title="Fold or unfold all (f)" { "Fold" }
                button.ghost #zoom type="button" title="Zoom to the selected step (z)" aria-pressed="false" { "Zoom" }
            }
        }
    }
}

#[expect(clippy::too_many_arguments, reason = "a row shows that many things")]
fn row(
    context: &PageContext,
    summary: &TraceSummary,
    axis: &Axis,
    tree: &Tree<'_>,
    node: &Node<'_>,
    note: &str,
    selected: bool,
    path: &[Segment],
) -> Markup {
    let span = node.span;
    let link = Link::to("/traces").part(summary.trace_id.as_str()).with("span", span.span_id.as_str());
    html! {
        a.row.{ "is-" (state(node, summary.status)) } role="treeitem" tabindex="-1" href=(context.link(link))
            aria-level=(node.depth + 1) aria-selected=[selected.then_some("true")]
            aria-expanded=[(node.size > 1).then_some("true")] {
            span.cell {
                span.indent.{ "d" (node.depth.min(DEEPEST)) } {}
                @if node.depth > DEEPEST { span.depth { (node.depth) } }
                span.fold aria-hidden="true" {}
                span.kind.{ "kind-" (span.kind.as_str()) } title=(span.kind.as_str()) {
                    span.sign aria-hidden="true" { (format::kind_glyph(span.kind)) }
                    span.visually-hidden { (span.kind.as_str()) }
                }
                span.name { (span.name) }
                @if !note.is_empty() { span.note { (note) } }
                (mark(node, summary.status))
            }
            (lane(axis, tree, span, path))
        }
    }
}

/// Says in words and a sign that a span failed or runs.
fn mark(node: &Node<'_>, trace: TraceStatus) -> Markup {
    match state(node, trace) {
        "ok" => Markup::default(),
        "running" => format::trace_status(TraceStatus::Running),
        "unfinished" => format::trace_status(TraceStatus::Unfinished),
        _ => format::span_status(node.span.status),
    }
}

fn lane(axis: &Axis, tree: &Tree<'_>, span: &SpanRow, path: &[Segment]) -> Markup {
    let end = tree.end_of(span);
    let (left, right) = (axis.percent(span.started_at), axis.percent(end));
    let (x, dx, anchor) = if right <= 75.0 {
        (right, 6, "start")
    } else if left >= 25.0 {
        (left, -6, "end")
    } else {
        (right, -6, "end")
    };
    let inside = right > 75.0 && left < 25.0;
    html! {
        svg.lane {
            rect.bar.{ "kind-" (span.kind.as_str()) } x={ (percent(left)) "%" } y="8" rx="2" height="12"
                width={ (percent(right - left)) "%" } {}
            @if span.status.is_failure() {
                rect.hatch x={ (percent(left)) "%" } y="8" rx="2" height="12" width={ (percent(right - left)) "%" } {}
            }
            @for segment in path {
                @let (from, until) = (axis.percent(segment.from), axis.percent(segment.until));
                rect.critical x={ (percent(from)) "%" } y="22" height="2" width={ (percent(until - from)) "%" } {}
            }
            text.inside[inside] x={ (percent(x)) "%" } dx=(dx) y="18" text-anchor=(anchor) {
                (format::duration(micros_between(span.started_at, end)))
            }
        }
    }
}

/// The pattern on bars of spans that failed: they differ by more than a colour.
fn hatching() -> Markup {
    html! {
        svg.visually-hidden aria-hidden="true" {
            defs {
                pattern #hatching width="6" height="6" patternUnits="userSpaceOnUse" patternTransform="rotate(45)" {
                    rect width="3" height="6" {}
                }
            }
        }
    }
}

/// Places to a thousandth of a percent.
fn percent(value: f64) -> f64 {
    (value * 1_000.0).round() / 1_000.0
}
