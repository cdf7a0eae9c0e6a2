use std::borrow::Cow;

use uuid::fmt::Hyphenated;

use super::object::Object;
use crate::{
    capture::{Category, Policy},
    record::{SpanKind, SpanRecord, Usage},
};

/// Writes one object of a trace's `spans`: the 25 fields of the wire contract, section 3, in their order.
pub(super) fn write(record: &SpanRecord, agent_id: Hyphenated, attributes: &[u8], out: &mut Vec<u8>) {
    let usage = record.usage().unwrap_or_default();
    let mut span = Object::begin(out);
    span.span_id("span_id", record.span_id());
    match record.parent_span_id() {
        Some(parent) => span.span_id("parent_span_id", parent),
        None => span.raw("parent_span_id", "null"),
    }
    span.text("name", record.name());
    span.text("kind", record.kind().as_str());
    span.timestamp("timestamp", record.started());
    span.milliseconds("duration_ms", record.duration());
    span.text("status", record.status().as_str());
    span.text("model", record.model().unwrap_or_default());
    span.text("provider", &record.provider().unwrap_or_default());
    span.text("requested_model", record.requested_model().unwrap_or_default());
    span.raw("usage_available", usage_available(record));
    span.text("reasoning_effort", record.reasoning_effort().unwrap_or_default());
    write_tokens(usage, &mut span);
    span.json_text("input", value(&record.input()));
    span.json_text("output", value(&record.output()));
    span.json_text("attributes", attributes);
    span.text_or_null("error_message", record.error_message());
    span.text("session_id", record.conversation_id());
    span.text("agent_name", record.agent_name());
    span.text("agent_id", agent_id.encode_lower(&mut [0; Hyphenated::LENGTH]));
    span.text("agent_version", record.agent_version());
    span.text("user_id", record.user_id().unwrap_or_default());
    write_capture(record.policy(), span.value("capture"));
    span.end();
}

fn write_tokens(usage: Usage, span: &mut Object<'_>) {
    span.integer("input_tokens", usage.input_tokens);
    span.integer("output_tokens", usage.output_tokens);
    span.integer("total_tokens", usage.total_tokens);
}

/// Whether token counts are real. `false` says that zeros stand for "unknown".
fn usage_available(record: &SpanRecord) -> &'static str {
    if record.is_provisional() {
        "false"
    } else if record.usage().is_some() {
        "true"
    } else if record.kind() == SpanKind::Llm {
        "false"
    } else {
        "null"
    }
}

/// The text of an input or output, which is empty for values that say nothing. Wire contract, section 6.
fn value<'a>(json: &'a Option<Cow<'_, str>>) -> &'a [u8] {
    match json.as_deref() {
        None | Some("{}" | "[]" | "\"\"" | "null" | "false" | "0" | "-0" | "0.0" | "-0.0") => b"",
        Some(json) => json.as_bytes(),
    }
}

fn write_capture(policy: Policy, out: &mut Vec<u8>) {
    let mut capture = Object::begin(out);
    for category in Category::ALL {
        let captured = policy.capture().contains(category);
        capture.text(category.as_str(), if captured { "captured" } else { "suppressed" });
    }
    capture.end();
}
