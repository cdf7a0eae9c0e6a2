use maud::{Markup, html};

use crate::{
    model::{Annotation, Timestamp, TraceDetail},
    web::{Link, PageContext, format},
};

/// What is known of the trace as a whole.
pub(super) fn heading(context: &PageContext, trace: &TraceDetail) -> Markup {
    let summary = &trace.summary;
    let list = |name, value: &str| context.link(Link::to("/traces").with(name, value));
    html! {
        section.summary.card #summary aria-label="Summary" {
            dl {
                div { dt { "Status" } dd { (format::trace_status(summary.status)) } }
                div { dt { "Duration" } dd.num { (format::duration(summary.duration_micros)) } }
                div { dt { "Started" } dd { (format::time(summary.started_at)) } }
                div {
                    dt { "Steps" }
                    dd.num {
                        (format::count(summary.spans))
                        @if summary.errors > 0 { " " span.failed { (format::count(summary.errors)) " failed" } }
                    }
                }
                div { dt { "Tokens" } dd.num { (format::tokens(&summary.tokens)) } }
                div { dt { "Cost" } dd.num { (format::cost(&summary.cost)) } }
                div { dt { "Environment" } dd { a href=(list("environment", &summary.environment)) { (summary.environment) } } }
                @if !summary.agents.is_empty() {
                    div {
                        dt { @if summary.agents.len() == 1 { "Agent" } @else { "Agents" } }
                        dd {
                            @for (index, agent) in summary.agents.iter().enumerate() {
                                @if index > 0 { ", " }
                                a href=(context.link(Link::to("/agents").part(agent))) { (agent) }
                            }
                        }
                    }
                }
                @if !summary.conversation_id.is_empty() {
                    div {
                        dt { "Conversation" }
                        dd.mono.short {
                            a href=(context.link(Link::to("/conversations").part(&summary.conversation_id)))
                                title=(summary.conversation_id) { (summary.conversation_id) }
                        }
                    }
                }
                @if !summary.user_id.is_empty() {
                    div { dt { "User" } dd.short { a href=(list("user", &summary.user_id)) { (summary.user_id) } } }
                }
                div {
                    dt { "Trace" }
                    dd.mono.short {
                        span title=(summary.trace_id) { (summary.trace_id) }
                        button.ghost.small type="button" data-copy-text=(summary.trace_id) { "Copy" }
                    }
                }
            }
            @if let Some(hint) = outside(trace) { p.notes { (hint) } }
            (notes(&trace.annotations))
        }
    }
}

/// Which steps do not lie in the time that is given for the trace.
fn outside(trace: &TraceDetail) -> Option<String> {
    /// In microseconds: times come in milliseconds, so that ends are off by as much.
    const ROUNDED: i64 = 2_000;
    let summary = &trace.summary;
    let lasts = i64::try_from(summary.duration_micros).unwrap_or(i64::MAX);
    let (start, end) = (summary.started_at, summary.started_at.plus_micros(lasts));
    let apart = |later: Timestamp, earlier: Timestamp| later.as_micros().saturating_sub(earlier.as_micros());
    let said = |micros: i64| format::duration(micros.unsigned_abs());
    let early =
        trace.spans.iter().map(|span| apart(start, span.started_at)).max().filter(|micros| *micros > ROUNDED);
    let late =
        trace.spans.iter().map(|span| apart(span.ended_at(), end)).max().filter(|micros| *micros > ROUNDED);
    let early = early.map(|micros| format!("a step began {} before it, by another clock", said(micros)));
    let late = late.map(|micros| format!("a step ended {} after it", said(micros)));
    let steps: Vec<String> = early.into_iter().chain(late).collect();
    (!steps.is_empty())
        .then(|| format!("Start and duration are those of the root: {}.", steps.join(", and ")))
}

/// How many annotations there are, and on how many steps.
fn notes(annotations: &[Annotation]) -> Markup {
    html! {
        @if !annotations.is_empty() {
            p.notes {
                @for annotation in annotations.iter().filter(|annotation| annotation.span_id.is_none()).take(8) {
                    span.chip title=[annotation.comment.as_deref()] { (annotation.name) }
                }
                @if annotations.len() == 1 { "1 annotation" } @else { (annotations.len()) " annotations" }
            }
        }
    }
}
