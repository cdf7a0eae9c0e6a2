//! The body of an ingest request, written from bytes to bytes. Wire contract, sections 3 to 9.

mod agent_id;
mod attributes;
mod object;
mod span;
mod text;
mod time;

use crate::{
    export::{Batch, TraceGroup},
    record::SpanRecord,
};
use agent_id::AgentIds;
pub use agent_id::agent_id;
use object::Object;

#[cfg(feature = "http")]
pub(crate) use text::write_string;

const CLOSING: &[u8] = b"]}";

/// Writes the request that delivers a batch, and says how many traces it holds. `None` when it would be
/// larger than `most` bytes; a single span is never too large.
#[cfg_attr(not(feature = "http"), allow(dead_code, reason = "only the http exporter sends requests"))]
pub(crate) fn write_body(batch: &Batch, most: usize, out: &mut Vec<u8>) -> Option<usize> {
    let traces = batch.traces();
    let most = if batch.spans().len() > 1 { most } else { usize::MAX };
    let mut shared = Shared::default();
    out.extend_from_slice(b"{\"traces\":[");
    for (index, trace) in traces.iter().enumerate() {
        if index > 0 {
            out.push(b',');
        }
        shared.write_trace(trace, most, out);
        if out.len() + CLOSING.len() > most {
            return None;
        }
    }
    out.extend_from_slice(CLOSING);
    Some(traces.len())
}

/// Writes one object of the `traces` array.
pub(crate) fn write_trace(group: &TraceGroup<'_>, out: &mut Vec<u8>) {
    Shared::default().write_trace(group, usize::MAX, out);
}

/// What the spans of one request share.
#[derive(Default)]
struct Shared<'a> {
    agent_ids: AgentIds<'a>,
    /// Room for the attributes of one span, before they are escaped.
    attributes: Vec<u8>,
}

impl<'a> Shared<'a> {
    /// Stops behind the span that makes it larger than `most` bytes.
    fn write_trace(&mut self, group: &TraceGroup<'a>, most: usize, out: &mut Vec<u8>) {
        let spans = group.spans();
        let earliest = spans.iter().map(|span| span.started()).min().unwrap_or_default();
        let environment = spans.first().map_or("", |span| span.environment());
        let workspace = spans.first().map_or("", |span| span.workspace());

        let mut trace = Object::begin(out);
        trace.trace_id("trace_id", group.trace_id());
        trace.timestamp("timestamp", earliest);
        trace.text("environment", environment);
        trace.text("workspace_slug", workspace);
        let out = trace.value("spans");
        out.push(b'[');
        for (index, span) in spans.iter().enumerate() {
            if index > 0 {
                out.push(b',');
            }
            self.write_span(span, out);
            if out.len() > most {
                return;
            }
        }
        out.push(b']');
        trace.end();
    }

    fn write_span(&mut self, record: &'a SpanRecord, out: &mut Vec<u8>) {
        self.attributes.clear();
        attributes::write(record, &mut self.attributes);
        span::write(record, self.agent_ids.of(record.agent_name()), &self.attributes, out);
    }
}

#[cfg(test)]
mod tests;
