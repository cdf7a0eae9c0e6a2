//! JSON lines as the SDK's file exporter writes them: a trace object or an annotation a line.

use std::borrow::Cow;

use serde::{Deserialize, Serialize};
use serde_json::value::RawValue;

use crate::{
    ingest::{ParsedTrace, parse_annotation, parse_trace},
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

/// The identifiers of a trace object. Where the ingest API makes one up, a line would be new whenever it is
/// imported.
#[derive(Deserialize)]
struct Identified<'a> {
    #[serde(borrow)]
    trace_id: Option<Cow<'a, str>>,
    #[serde(borrow)]
    spans: Vec<IdentifiedSpan<'a>>,
}

#[derive(Deserialize)]
struct IdentifiedSpan<'a> {
    #[serde(borrow)]
    span_id: Option<Cow<'a, str>>,
}

impl Line {
    /// Reads a line.
    ///
    /// # Errors
    ///
    /// The first fault and its path in the line's object.
    pub(super) fn parse(json: &str, prices: &Prices, now: Timestamp) -> Result<Self, String> {
        if let Ok(annotated) = serde_json::from_str::<Annotated<'_>>(json) {
            let json = annotated.annotation.get();
            // An export says when it arrived first, the SDK's file does not.
            let received_at =
                serde_json::from_str(json).map_or(now, |received: Received| received.received_at);
            let annotation = parse_annotation(json, received_at).map_err(|error| error.to_string())?;
            return Ok(Self::Annotation(annotated.trace_id, annotation));
        }
        let trace = parse_trace(json, prices).map_err(|error| error.to_string())?;
        let ids: Identified<'_> = serde_json::from_str(json).map_err(|error| error.to_string())?;
        let is_missing = |id: &Option<Cow<'_, str>>| id.as_ref().is_none_or(|id| id.is_empty());
        if is_missing(&ids.trace_id) {
            return Err("trace_id: expected an identifier, found nothing".to_owned());
        }
        match ids.spans.iter().position(|span| is_missing(&span.span_id)) {
            Some(index) => Err(format!("spans[{index}].span_id: expected an identifier, found nothing")),
            None => Ok(Self::Trace(trace)),
        }
    }
}
