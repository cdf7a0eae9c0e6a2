mod annotations;
#[cfg(test)]
mod tests;

use annotations::annotations;
use maud::{Markup, html};

use super::{
    chat::{self, Message, ToolCall},
    payload::Payload,
    record::{Known, Record},
    text::Texts,
};
use crate::{
    model::{Annotation, SpanRow, StoredSpan, Timestamp, TraceId, TraceStatus},
    web::{Link, PageContext, format},
};

/// Where a span is in its trace.
pub(in crate::web) struct Place<'a> {
    pub(in crate::web) trace_id: &'a TraceId,
    /// When the trace began.
    pub(in crate::web) trace_start: Timestamp,
    /// How long the trace took.
    pub(in crate::web) trace_micros: u64,
    /// How the trace stands.
    pub(in crate::web) trace_status: TraceStatus,
    /// What was said of the trace and its spans.
    pub(in crate::web) annotations: &'a [Annotation],
}

impl Place<'_> {
    /// How a span stands that has not ended.
    fn standing(&self) -> TraceStatus {
        if self.trace_status == TraceStatus::Unfinished { self.trace_status } else { TraceStatus::Running }
    }
}

/// More of a text than this is not put into a page, in bytes; the rest is one click away. Browsers take seconds to lay
/// out some tens of kilobytes without a space.
const SHOWN: usize = 10 << 10;

/// JSON and pictures up to this size are fetched without being asked for, in bytes.
const FETCHED: usize = 1 << 20;

/// Everything that is known of a span.
pub(in crate::web) fn panel(context: &PageContext, place: &Place<'_>, span: &StoredSpan) -> Markup {
    let row = &span.row;
    let record = Record::of(span.record.get());
    let known = record.known();
    let texts = Texts { context, trace_id: place.trace_id, span_id: &row.span_id };
    let raw = context
        .link(Link::to("/v1/traces").part(place.trace_id.as_str()).part("spans").part(row.span_id.as_str()));
    html! {
        article.span data-span=(row.span_id) {
            header.span-head {
                div.span-title {
                    (format::kind(row.kind))
                    h2 { (row.name) }
                    @if row.provisional { (format::trace_status(place.standing())) }
                    @else { (format::span_status(row.status)) }
                }
                div.span-actions {
                    a.permalink href=(permalink(context, place.trace_id, row)) { "Link to this step" }
                    button.ghost type="button" data-copy-text=(row.span_id) { "Copy ID" }
                }
            }
            @if row.status.is_failure() || !record.error_message.is_empty() {
                (failure(&texts, &record, &known, row.status.is_failure()))
            }
            (facts(context, place, row, &record, &known))
            (payload("Input", "input", &record.input, &texts))
            (payload("Output", "output", &record.output, &texts))
            @if !["", "{}"].contains(&record.attributes.as_str()) {
                details.payload open[known.others] {
                    summary { h3 { "Metadata" } }
                    (shown("attributes", &record.attributes, Look::Json, &texts))
                }
            }
            (annotations(place, row))
            details.payload {
                summary { h3 { "Record as it came" } }
                (on_demand("record", &texts))
                p.muted { a href=(raw) { "Open as JSON" } }
            }
        }
    }
}

/// The address of the trace's page with this span selected.
fn permalink(context: &PageContext, trace_id: &TraceId, row: &SpanRow) -> Link {
    context.link(Link::to("/traces").part(trace_id.as_str()).with("span", row.span_id.as_str()))
}

fn failure(texts: &Texts<'_>, record: &Record, known: &Known, failed: bool) -> Markup {
    html! {
        div.span-failure {
            strong {
                @if !known.exception.is_empty() { (known.exception) }
                @else if failed { "Failed" }
                @else { "Error text" }
            }
            @if record.error_message.is_empty() { p.muted { "Without a message" } }
            @else { (shown("error", &record.error_message, Look::Text, texts)) }
        }
    }
}

fn facts(context: &PageContext, place: &Place<'_>, row: &SpanRow, record: &Record, known: &Known) -> Markup {
    let suppressed = record.suppressed();
    html! {
        dl.facts {
            dt { "Started" }
            dd { (format::time(row.started_at)) " " span.muted { (since(place.trace_start, row.started_at)) } }
            dt { "Duration" }
            dd {
                @if row.provisional { @if place.standing() == TraceStatus::Running { "still running" } @else { "unfinished" } }
                @else {
                    (format::duration(row.duration_micros)) " "
                    span.muted { (share(row.duration_micros, place.trace_micros)) }
                }
            }
            @if !record.status.is_empty() && !record.status.eq_ignore_ascii_case(row.status.as_str()) {
                dt { "Status" }
                dd { (record.status) }
            }
            @if !row.agent.is_empty() {
                dt { "Agent" }
                dd {
                    a href=(context.link(Link::to("/agents").part(&row.agent))) { (row.agent) }
                    @if !record.agent_version.is_empty() { " " span.muted { (record.agent_version) } }
                }
            }
            (model(row, record))
            @if !record.user_id.is_empty() {
                dt { "User" }
                dd { a href=(context.link(Link::to("/traces").with("user", &record.user_id))) { (record.user_id) } }
            }
            @if !record.session_id.is_empty() {
                dt { "Conversation" }
                dd.mono {
                    a href=(context.link(Link::to("/conversations").part(&record.session_id))) { (record.session_id) }
                }
            }
            @if !known.tags.is_empty() {
                dt { "Tags" }
                dd.chips {
                    @for tag in &known.tags {
                        a.chip href=(context.link(Link::to("/traces").with("tag", tag))) { (tag) }
                    }
                }
            }
            @if !known.source.is_empty() {
                dt { "Source" }
                dd.mono {
                    (known.source)
                    @if !known.function.is_empty() { " " span.muted { (known.function) } }
                    " " button.ghost.small type="button" data-copy-text=(known.source) { "Copy" }
                }
            }
            (commit(known))
            @if !suppressed.is_empty() { dt { "Not recorded" } dd { (suppressed.join(", ")) } }
            dt { "Span" }
            dd.mono { (row.span_id) }
        }
    }
}

fn model(row: &SpanRow, record: &Record) -> Markup {
    let calls = row.cost.priced + row.cost.unpriced > 0;
    html! {
        @if !row.model.is_empty() {
            dt { "Model" }
            dd {
                (row.model)
                @if !record.provider.is_empty() { " " span.muted { (record.provider) } }
                @if !record.requested_model.is_empty() && record.requested_model != row.model {
                    " " span.muted { "asked for " (record.requested_model) }
                }
            }
        }
        @if !record.reasoning_effort.is_empty() { dt { "Reasoning effort" } dd { (record.reasoning_effort) } }
        @match row.tokens {
            Some(tokens) if tokens.total > 0 => {
                dt { "Tokens" }
                dd {
                    (format::count(tokens.input)) " in, " (format::count(tokens.output)) " out, "
                    (format::count(tokens.total)) " in all"
                }
            }
            _ => @if calls { dt { "Tokens" } dd.muted { "unknown" } }
        }
        @if calls { dt { "Cost" } dd { (format::cost(&row.cost)) } }
    }
}

fn commit(known: &Known) -> Markup {
    let branch = if known.branch.is_empty() { "" } else { " on " };
    html! {
        @if !known.commit.is_empty() {
            dt { "Commit" }
            dd.mono {
                span title=(known.commit) { (known.commit.chars().take(12).collect::<String>()) }
                span.muted { (branch) (known.branch) @if known.dirty { ", with changes" } }
                " " button.ghost.small type="button" data-copy-text=(known.commit) { "Copy" }
            }
        }
        @if !known.repository.is_empty() {
            dt { "Repository" }
            dd {
                @if is_web_address(&known.repository) {
                    a href=(known.repository) rel="noreferrer noopener" target="_blank" { (known.repository) }
                } @else { (known.repository) }
            }
        }
    }
}

/// Whether a text may become a link: a browser would run what other schemes carry.
fn is_web_address(text: &str) -> bool {
    text.starts_with("https://") || text.starts_with("http://")
}

fn payload(title: &str, name: &str, text: &str, texts: &Texts<'_>) -> Markup {
    html! {
        section.payload {
            header.payload-head {
                h3 { (title) }
                @if !text.is_empty() { button.ghost.small type="button" data-copy-from=(texts.link(name)) { "Copy" } }
            }
            @match Payload::of(text) {
                Payload::Empty => p.none { "Nothing recorded" },
                Payload::Text(text) if chat::is_picture(&text) => (picture(&format!("{name}.text"), &text, texts)),
                Payload::Text(text) => (shown(&format!("{name}.text"), &text, Look::Text, texts)),
                Payload::Json(text) => (shown(name, text, Look::Json, texts)),
                Payload::Chat(messages) => {
                    (dialogue(name, &messages, texts))
                    details { summary { "As JSON" } (on_demand(name, texts)) }
                }
            }
        }
    }
}

fn dialogue(name: &str, messages: &[Message], texts: &Texts<'_>) -> Markup {
    html! {
        ol.chat {
            @for (number, message) in messages.iter().enumerate() {
                @let part = |of: &str| format!("{name}.{number}.{of}");
                li.message.{ "by-" (speaker(&message.role)) } {
                    p.role {
                        (message.role)
                        @if !message.name.is_empty() { " " (message.name) }
                        @if !message.answers.is_empty() { " " span.muted { "answers " code { (message.answers) } } }
                        @if message.failed { " " span.failed { "✗ error" } }
                    }
                    @if !message.thoughts.is_empty() {
                        details.thoughts open {
                            summary { "Thoughts" }
                            (shown(&part("thoughts"), &message.thoughts, Look::Text, texts))
                        }
                    }
                    @if !message.refusal.is_empty() {
                        p.failed { "Refused" }
                        (shown(&part("refusal"), &message.refusal, Look::Text, texts))
                    }
                    @if !message.text.is_empty() { (shown(&part("text"), &message.text, Look::Text, texts)) }
                    @for (number, address) in message.pictures.iter().enumerate() {
                        (picture(&part(&format!("picture.{number}")), address, texts))
                    }
                    @for (number, ToolCall { id, name, arguments }) in message.calls.iter().enumerate() {
                        div.call {
                            p { "calls " code { (name) } @if !id.is_empty() { " " span.muted { "as " code { (id) } } } }
                            @if !arguments.is_empty() {
                                (shown(&part(&format!("call.{number}")), arguments, Look::Json, texts))
                            }
                        }
                    }
                    @if !message.others.is_empty() {
                        p.muted { "Not shown here: " (message.others.join(", ")) }
                    }
                }
            }
        }
    }
}

/// The class of a role: one of a few that have a look.
fn speaker(role: &str) -> &'static str {
    match role {
        "user" | "human" => "user",
        "assistant" | "model" | "ai" => "assistant",
        "system" | "developer" => "system",
        "tool" | "function" => "tool",
        _ => "other",
    }
}

/// How a text looks.
#[derive(Clone, Copy, PartialEq, Eq)]
enum Look {
    Text,
    /// A script folds it.
    Json,
}

/// A text, or the beginning of a long one.
fn shown(part: &str, text: &str, look: Look, texts: &Texts<'_>) -> Markup {
    let is_json = look == Look::Json || text.trim_start().starts_with(['{', '[']);
    let class = if look == Look::Json { "json" } else { "text" };
    let start = text.get(..text.floor_char_boundary(SHOWN)).unwrap_or_default();
    if start.len() == text.len() {
        return html! { pre.(class) data-json[is_json] { (text) } };
    }
    let whole = texts.link(part);
    html! {
        div.long data-whole=(whole) data-fetch[is_json && text.len() <= FETCHED] {
            pre.(class) data-json[is_json] { (start) }
            p.muted {
                "The first 10 KB of " (format::bytes(text.len())) ". "
                button.ghost.small type="button" data-show-whole { "Show all of it" }
                " " a href=(whole) { "Open as text" }
            }
        }
    }
}

/// JSON that a script fetches once it is unfolded, as the page has what it says already.
fn on_demand(part: &str, texts: &Texts<'_>) -> Markup {
    let whole = texts.link(part);
    html! {
        div.long data-whole=(whole) data-fetch {
            pre.json data-json {}
            p.muted { a href=(whole) { "Open as text" } }
        }
    }
}

/// A picture that is in its own address: a script shows it.
fn picture(part: &str, address: &str, texts: &Texts<'_>) -> Markup {
    let kind =
        address.strip_prefix("data:").and_then(|rest| rest.split_once(';')).map_or("", |(kind, _)| kind);
    let whole = texts.link(part);
    html! {
        div.long data-whole=(whole) data-picture data-fetch[address.len() <= FETCHED] {
            p.muted {
                (kind) ", " (format::bytes(address.len())) " as text "
                button.ghost.small type="button" data-show-whole { "Show the picture" }
                " " a href=(whole) { "Open as text" }
            }
        }
    }
}

/// How much later than the trace a step began, or earlier, by a clock that is behind.
fn since(start: Timestamp, moment: Timestamp) -> String {
    let micros = moment.as_micros().saturating_sub(start.as_micros());
    let distance = format::duration(micros.unsigned_abs());
    if micros < 0 { format!("{distance} before the trace") } else { format!("+{distance}") }
}

/// How much of the trace a step took: work in the background may go on after the trace's root has ended.
#[expect(clippy::cast_precision_loss, reason = "a percentage that people read")]
fn share(micros: u64, of: u64) -> String {
    match (micros, of) {
        (0, 0) => String::new(),
        _ if micros > of => "longer than the trace".to_owned(),
        _ => format!("{} of the trace", format::percent(micros as f64 / of as f64)),
    }
}
