//! Draws stored spans as the SDK's console draws those of its own process.

use std::{borrow::Cow, time::Duration, time::SystemTime};

use serde_json::{Map, Value};
use staso_runtime::{
    Usage,
    export::console::{Ink, Page, SpanView, Style, render_as, render_late},
};

use crate::{
    model::{
        Annotation, AnnotationValue, PageRequest, SpanKind, SpanRow, SpanStatus, StoredSpan, TraceId,
        TraceStatus, WorkspaceId, topmost,
    },
    store::{Store, StoreError},
};

/// The tree of a trace, with a heading above and an empty line below.
pub(super) fn trace(trace_id: &TraceId, status: TraceStatus, spans: &[StoredSpan], style: &Style) -> String {
    let title = match status {
        TraceStatus::Running => "running trace",
        TraceStatus::Unfinished => "unfinished trace",
        _ => "trace",
    };
    render_as(title, &views(trace_id, status, spans), style)
}

/// The tree of spans that arrived after their trace was drawn.
pub(super) fn late(trace_id: &TraceId, spans: &[StoredSpan], style: &Style) -> String {
    render_late(&views(trace_id, TraceStatus::default(), spans), style)
}

/// A line for what was said of a trace.
pub(super) fn annotation(annotation: &Annotation, style: &Style) -> String {
    let value = match &annotation.value {
        AnnotationValue::Numeric(value) => value.to_string(),
        AnnotationValue::Categorical(value) => value.clone(),
        AnnotationValue::Boolean(value) => value.to_string(),
    };
    let mut page = Page::new(style);
    page.put(Ink::Dim, "annotation  ");
    page.put(Ink::Bold, &annotation.name);
    page.put(Ink::Plain, "  ");
    page.put(Ink::Plain, &value);
    if let Some(span_id) = &annotation.span_id {
        page.put(Ink::Dim, &format!("  of span {span_id}"));
    }
    if let Some(comment) = &annotation.comment {
        page.put(Ink::Dim, "  ");
        page.put(Ink::Dim, comment);
    }
    page.end_line();
    page.into_text()
}

/// All spans of a trace.
pub(super) async fn spans(
    store: &dyn Store,
    workspace: WorkspaceId,
    trace_id: &TraceId,
) -> Result<Vec<StoredSpan>, StoreError> {
    let mut request = PageRequest::first(1_000);
    let mut spans = Vec::new();
    loop {
        let page = store.spans(workspace, trace_id.clone(), request.clone()).await?;
        spans.extend(page.items);
        match page.next {
            Some(next) => request.after = Some(next),
            None => return Ok(spans),
        }
    }
}

fn views<'a>(trace_id: &'a TraceId, status: TraceStatus, spans: &'a [StoredSpan]) -> Vec<View<'a>> {
    let rows: Vec<&SpanRow> = spans.iter().map(|span| &span.row).collect();
    let mut views: Vec<View<'a>> = spans.iter().map(|span| View::of(trace_id, status, span)).collect();
    for place in topmost(&rows) {
        if let Some(view) = views.get_mut(place) {
            view.is_top = true;
        }
    }
    views
}

/// What a picture shows of a stored span.
struct View<'a> {
    trace_id: &'a str,
    row: &'a SpanRow,
    /// How the trace stands.
    status: TraceStatus,
    /// It is one of those that speak for the trace.
    is_top: bool,
    record: Map<String, Value>,
    exception: Option<String>,
    tags: Vec<String>,
    /// What the sender attached beside what every span carries: keys and JSON texts.
    metadata: Vec<(String, String)>,
}

impl<'a> View<'a> {
    fn of(trace_id: &'a TraceId, status: TraceStatus, span: &'a StoredSpan) -> Self {
        let record: Map<String, Value> = serde_json::from_str(span.record.get()).unwrap_or_default();
        let mut attributes: Map<String, Value> = record
            .get("attributes")
            .and_then(|text| serde_json::from_str(text.as_str()?).ok())
            .unwrap_or_default();
        let exception = match attributes.remove("exception.type") {
            Some(Value::String(exception)) => Some(exception),
            _ => None,
        };
        let tags = match attributes.remove("tags") {
            Some(Value::Array(tags)) => {
                tags.iter().filter_map(|tag| Some(tag.as_str()?.to_owned())).collect()
            }
            _ => Vec::new(),
        };
        let metadata = attributes.into_iter().filter(|(key, _)| !is_standard(key));
        let metadata = metadata.map(|(key, value)| (key, value.to_string())).collect();
        let (trace_id, row) = (trace_id.as_str(), &span.row);
        Self { trace_id, row, status, is_top: false, record, exception, tags, metadata }
    }

    /// A text of the record that is there and not empty.
    fn text(&self, key: &str) -> Option<&str> {
        self.record.get(key).and_then(Value::as_str).filter(|text| !text.is_empty())
    }
}

/// Whether SDKs attach the attribute to every span of a kind.
fn is_standard(key: &str) -> bool {
    matches!(key, "tool_name" | "staso.provisional_root")
        || key.starts_with("code.")
        || key.starts_with("vcs.")
}

impl<'a> SpanView for View<'a> {
    type Id = &'a str;

    fn trace_id(&self) -> Cow<'_, str> {
        self.trace_id.into()
    }

    fn span_id(&self) -> &'a str {
        self.row.span_id.as_str()
    }

    fn parent_span_id(&self) -> Option<&'a str> {
        self.row.parent_span_id.as_ref().map(|id| id.as_str())
    }

    fn is_local_root(&self) -> bool {
        self.is_top
    }

    fn is_provisional(&self) -> bool {
        self.row.provisional
    }

    fn name(&self) -> &str {
        &self.row.name
    }

    fn kind(&self) -> SpanKind {
        self.row.kind
    }

    fn started_at(&self) -> SystemTime {
        let micros = self.row.started_at.as_micros();
        let distance = Duration::from_micros(micros.unsigned_abs());
        let moment = match micros {
            0.. => SystemTime::UNIX_EPOCH.checked_add(distance),
            _ => SystemTime::UNIX_EPOCH.checked_sub(distance),
        };
        moment.unwrap_or(SystemTime::UNIX_EPOCH)
    }

    fn duration(&self) -> Duration {
        Duration::from_micros(self.row.duration_micros)
    }

    fn failure(&self) -> Option<&str> {
        self.row.status.is_failure().then(|| self.row.status.as_str())
    }

    fn standing(&self) -> &str {
        match self.row.status {
            _ if self.row.provisional && self.status == TraceStatus::Unfinished => self.status.as_str(),
            _ if self.row.provisional => TraceStatus::Running.as_str(),
            SpanStatus::Other => self.text("status").unwrap_or_default(),
            _ => "ok",
        }
    }

    fn error_message(&self) -> Option<&str> {
        self.text("error_message")
    }

    fn exception_type(&self) -> Option<&str> {
        self.exception.as_deref()
    }

    fn input(&self) -> Option<Cow<'_, str>> {
        self.text("input").map(Cow::Borrowed)
    }

    fn output(&self) -> Option<Cow<'_, str>> {
        self.text("output").map(Cow::Borrowed)
    }

    fn metadata(&self) -> impl Iterator<Item = (&str, &str)> {
        self.metadata.iter().map(|(key, json)| (key.as_str(), json.as_str()))
    }

    fn tags(&self) -> impl Iterator<Item = &str> {
        self.tags.iter().map(String::as_str)
    }

    fn model(&self) -> Option<&str> {
        Some(self.row.model.as_str())
            .filter(|model| !model.is_empty())
            .or_else(|| self.text("requested_model"))
    }

    fn usage(&self) -> Option<Usage> {
        let tokens = self.row.tokens?;
        Some(Usage::new(tokens.input, tokens.output).with_total(tokens.total))
    }

    fn agent_name(&self) -> &str {
        &self.row.agent
    }

    fn conversation_id(&self) -> Option<&str> {
        self.text("session_id")
    }

    fn user_id(&self) -> Option<&str> {
        self.text("user_id")
    }
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;
    use crate::{ingest::parse_trace, pricing::Prices};

    const PLAIN: Style = Style { color: false, width: 100 };

    fn draw(spans: Value) -> String {
        draw_as(TraceStatus::Ok, spans)
    }

    fn draw_as(status: TraceStatus, spans: Value) -> String {
        let line = json!({ "trace_id": "t\u{1b}[2J", "timestamp": "2026-01-02T03:04:05Z", "spans": spans });
        let parsed = parse_trace(&line.to_string(), &Prices::embedded()).unwrap();
        let spans = parsed.spans.into_iter().map(|span| StoredSpan {
            row: SpanRow::from(&span.head),
            record: std::sync::Arc::from(span.record),
        });
        trace(&parsed.trace_id, status, &spans.collect::<Vec<_>>(), &PLAIN)
    }

    #[test]
    fn a_stored_trace_looks_as_in_the_sdk() {
        let picture = draw(json!([
            {
                "span_id": "1", "name": "support_agent", "kind": "agent", "timestamp": "2026-01-02T03:04:05Z",
                "duration_ms": 1240.0, "status": "ok", "session_id": "conv-42", "user_id": "alice",
                "agent_name": "support-bot", "input": "{\"agent_name\":\"support_agent\",\"message\":\"hi\"}",
                "output": "{\"result\":\"Friday\"}",
            },
            {
                "span_id": "2", "parent_span_id": "1", "name": "chat", "kind": "llm",
                "timestamp": "2026-01-02T03:04:05.1Z", "duration_ms": 840.0, "model": "claude-sonnet-4",
                "usage_available": true, "input_tokens": 1187, "output_tokens": 345, "total_tokens": 1532,
            },
            {
                "span_id": "3", "parent_span_id": "1", "name": "refund", "kind": "tool",
                "timestamp": "2026-01-02T03:04:05.9Z", "duration_ms": 12.0, "status": "error",
                "error_message": "card expired",
                "attributes": "{\"tool_name\":\"refund\",\"code.lineno\":7,\"tags\":[\"tier-1\"],\"attempt\":2,\"exception.type\":\"PaymentError\"}",
            },
        ]));
        assert_eq!(
            picture,
            "\
trace t\\u{1b}[2J · conversation conv-42 · user alice · agent support-bot · 3 spans · 1 error
  1,532 tokens
  1.24 s  ● support_agent  agent  ok
          │  in   {\"message\":\"hi\"}
          │  out  \"Friday\"
  840 ms  ├─ ◇ chat  llm  claude-sonnet-4  1,187 → 345 tokens
 12.0 ms  └─ ✗ refund  tool  error  #tier-1
                meta attempt 2
                ✗ PaymentError: card expired

"
        );
    }

    #[test]
    fn as_many_errors_are_counted_as_spans_failed() {
        let failed = |id: &str, parent: Option<&str>| {
            json!({
                "span_id": id, "parent_span_id": parent, "name": id, "timestamp": "2026-01-02T03:04:05Z",
                "duration_ms": 1, "status": "error", "error_message": "boom",
            })
        };
        let picture = draw(json!([failed("outer", None), failed("inner", Some("outer"))]));
        assert!(picture.contains(" · 2 spans · 2 errors\n"), "{picture}");
    }

    #[test]
    fn a_span_that_no_longer_runs_and_a_status_of_the_senders_own_have_their_words() {
        let announced = json!([{
            "span_id": "1", "parent_span_id": "elsewhere", "name": "run", "timestamp": "2026-01-02T03:04:05Z",
            "attributes": "{\"staso.provisional_root\":true}",
        }, {
            "span_id": "2", "parent_span_id": "1", "name": "review", "kind": "tool", "status": "needs review",
            "timestamp": "2026-01-02T03:04:06Z", "duration_ms": 2,
        }]);
        assert_eq!(
            draw_as(TraceStatus::Unfinished, announced),
            "\
unfinished trace t\\u{1b}[2J · 2 spans
       …  ○ run  chain  unfinished
 2.00 ms  └─ ■ review  tool  needs review

"
        );
    }

    #[test]
    fn what_would_command_the_terminal_is_shown_as_text() {
        let hostile = "\u{1b}]8;;http://evil\u{7}x\r\u{202e}\u{9b}2J";
        let picture = draw(json!([{
            "span_id": "1", "name": hostile, "kind": hostile, "timestamp": "2026-01-02T03:04:05Z", "status": hostile,
            "model": hostile, "session_id": hostile, "user_id": hostile, "agent_name": hostile, "input": hostile,
            "output": hostile, "error_message": hostile,
            "attributes": json!({ "tags": [hostile], hostile: hostile, "exception.type": hostile }).to_string(),
        }]));
        let is_hostile = |char: char| (char.is_control() && char != '\n') || char == '\u{202e}';
        assert!(!picture.contains(is_hostile), "{picture:?}");
        assert!(picture.matches("\\u{202e}").count() >= 8, "{picture}");
    }
}
