//! JSON lines as the SDK's file exporter writes them: a trace object or an annotation a line.

use serde::{Deserialize, Serialize};
use serde_json::value::RawValue;

use crate::{
    ingest::{ParseError, ParsedTrace, parse_annotation, parse_trace},
    model::{Annotation, Timestamp, TraceId},
    pricing::Prices,
};

/// What a line holds.
pub(super) enum Line {
    Trace(ParsedTrace),
    Annotation(TraceId, Annotation),
}

/// Spans of one trace, to be written.
#[derive(Serialize)]
pub(super) struct TraceLine<'a> {
    pub(super) trace_id: &'a TraceId,
    pub(super) timestamp: Timestamp,
    pub(super) environment: &'a str,
    pub(super) workspace_slug: &'a str,
    pub(super) spans: Vec<&'a RawValue>,
}

/// What was said of a trace, to be written.
#[derive(Serialize)]
pub(super) struct AnnotationLine<'a> {
    pub(super) trace_id: &'a TraceId,
    pub(super) annotation: &'a Annotation,
}

#[derive(Deserialize)]
struct Annotated<'a> {
    trace_id: TraceId,
    #[serde(borrow)]
    annotation: &'a RawValue,
}

#[derive(Deserialize)]
struct Received {
    received_at: Timestamp,
}

impl Line {
    /// Reads a line.
    ///
    /// # Errors
    ///
    /// The first fault and its path in the line's object.
    pub(super) fn parse(json: &str, prices: &Prices, now: Timestamp) -> Result<Self, ParseError> {
        if let Ok(annotated) = serde_json::from_str::<Annotated<'_>>(json) {
            let json = annotated.annotation.get();
            // An export says when it arrived first, the SDK's file does not.
            let received_at =
                serde_json::from_str(json).map_or(now, |received: Received| received.received_at);
            return Ok(Self::Annotation(annotated.trace_id, parse_annotation(json, received_at)?));
        }
        parse_trace(json, prices).map(Self::Trace)
    }
}
