use std::{fmt, marker::PhantomData};

use serde::de::{Deserialize, DeserializeSeed, Deserializer, MapAccess, Visitor};
use serde_json::value::RawValue;

use super::{
    array::Left,
    error::ParseError,
    field::{Field, next_key, twice},
    inherit::{Inherited, MAX_INHERITED},
    mend::or_mended,
    span,
};
use crate::{
    model::{IncomingSpan, Timestamp, TraceId},
    pricing::Prices,
};

/// A trace object of the wire, checked, before it is known which workspace it goes to.
#[derive(Clone, Debug)]
pub struct ParsedTrace {
    /// Its workspace, where it names one: one that exists, or a [`Slug`](crate::model::Slug).
    pub workspace_slug: Option<String>,
    /// As its sender wrote it; made up where there is none.
    pub trace_id: TraceId,
    /// Where it ran; `default` where it does not say.
    pub environment: String,
    /// At least one.
    pub spans: Vec<IncomingSpan>,
}

/// How many trace objects and spans a request may have. SDKs send some hundreds of spans at once.
const MAX_TRACES: usize = 10_000;
const MAX_SPANS: usize = 50_000;

/// Reads the body of an ingest request.
///
/// What a sender may leave out gets its default, and values of its own (kinds, statuses, identifiers of any
/// form) are kept; what is of a wrong type, or twice in one object, is an error. Text that serializers write and no
/// parser reads, such as half of a surrogate pair, is mended.
///
/// # Errors
///
/// The first fault and its path.
pub fn parse_request(body: &str, prices: &Prices) -> Result<Vec<ParsedTrace>, ParseError> {
    or_mended(body, |body| read_request(body, prices))
}

fn read_request(body: &str, prices: &Prices) -> Result<Vec<ParsedTrace>, ParseError> {
    let request: Request<'_> =
        serde_json::from_str(body).map_err(|error| ParseError::of_json(&error, body))?;
    let traces = request.traces.ok_or_else(|| missing("traces"))?;
    let mut left = MAX_INHERITED;
    let parsed = traces.into_iter().enumerate().map(|(index, trace)| {
        trace.check(prices, &mut left).map_err(|error| error.within(&format!("traces[{index}]")))
    });
    parsed.collect()
}

/// Reads one trace object, such as a line that the file exporter wrote.
///
/// # Errors
///
/// The first fault and its path in the object.
pub fn parse_trace(json: &str, prices: &Prices) -> Result<ParsedTrace, ParseError> {
    or_mended(json, |json| read_trace(json, prices))
}

fn read_trace(json: &str, prices: &Prices) -> Result<ParsedTrace, ParseError> {
    let spans = Left::new(usize::MAX, "spans");
    let mut text = serde_json::Deserializer::from_str(json);
    let trace = TraceSeed { spans: &spans }.deserialize(&mut text);
    let trace = trace.and_then(|trace| text.end().map(|()| trace));
    trace.map_err(|error| ParseError::of_json(&error, json))?.check(prices, &mut { MAX_INHERITED })
}

/// The first pass: the request with its spans still as text.
struct Request<'a> {
    traces: Option<Vec<TraceObject<'a>>>,
}

#[derive(Default)]
pub(super) struct TraceObject<'a> {
    trace_id: Field<'a>,
    timestamp: Field<'a>,
    environment: Field<'a>,
    workspace_slug: Field<'a>,
    pub(super) session_id: Field<'a>,
    pub(super) user_id: Field<'a>,
    pub(super) agent_name: Field<'a>,
    pub(super) agent_id: Field<'a>,
    pub(super) root_span_name: Field<'a>,
    pub(super) status: Field<'a>,
    pub(super) duration_ms: Field<'a>,
    pub(super) model: Field<'a>,
    pub(super) input_tokens: Field<'a>,
    pub(super) output_tokens: Field<'a>,
    pub(super) total_tokens: Field<'a>,
    pub(super) attributes: Field<'a>,
    spans: Option<Vec<&'a RawValue>>,
}

impl TraceObject<'_> {
    /// The second pass, span by span, which may get so many bytes more from their trace.
    fn check(mut self, prices: &Prices, left: &mut usize) -> Result<ParsedTrace, ParseError> {
        let inherited = Inherited::of(&mut self)?;
        timestamp(self.timestamp)?;
        let trace_id = self.trace_id.id("trace_id")?;
        let environment = match self.environment {
            Field::Absent | Field::Null => "default".to_owned(),
            environment => environment.name("environment")?,
        };
        let workspace_slug = self.workspace_slug.id("workspace_slug")?;
        let spans = self.spans.ok_or_else(|| missing("spans"))?;
        if spans.is_empty() {
            return Err(ParseError::invalid("spans", "expected at least one span"));
        }
        let filled = inherited.fill(&spans, left)?;
        let spans = match &filled {
            Some(filled) => filled.iter().map(|record| &**record).collect(),
            None => spans,
        };
        let spans = spans.into_iter().enumerate().map(|(index, record)| {
            span::parse(record, prices).map_err(|error| error.within(&format!("spans[{index}]")))
        });
        Ok(ParsedTrace {
            workspace_slug,
            trace_id: TraceId::new(trace_id.unwrap_or_else(new_id)),
            environment,
            spans: spans.collect::<Result<_, _>>()?,
        })
    }
}

/// Reads the field `timestamp`, which no trace and no span may lack.
pub(super) fn timestamp(field: Field<'_>) -> Result<Timestamp, ParseError> {
    let text = match field {
        Field::Text(text) => text,
        other => {
            return Err(other.is_not("a time such as `2026-01-02T03:04:05.678+00:00`", "timestamp"));
        }
    };
    text.parse().or_else(|error| without_offset(&text).ok_or(error)).map_err(|error: jiff::Error| {
        let shown: String = text.chars().take(40).collect();
        ParseError::invalid("timestamp", format_args!("`{shown}` is not a time in RFC 3339: {error}"))
    })
}

/// A time without an offset, such as Python writes of a naive `datetime`, is in UTC, as times on the wire are.
fn without_offset(text: &str) -> Option<Timestamp> {
    let (_, time) = text.split_once(['T', 't', ' '])?;
    let is_bare =
        time.contains(':') && time.bytes().all(|byte| byte.is_ascii_digit() || b":.".contains(&byte));
    is_bare.then(|| format!("{text}Z").parse().ok()).flatten()
}

pub(super) fn new_id() -> String {
    uuid::Uuid::new_v4().to_string()
}

fn missing(key: &'static str) -> ParseError {
    ParseError::invalid(key, "expected an array, found nothing")
}

impl<'de: 'a, 'a> Deserialize<'de> for Request<'a> {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        struct Object;

        impl<'de> Visitor<'de> for Object {
            type Value = Request<'de>;

            fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
                f.write_str("an object with the key `traces`")
            }

            fn visit_map<A: MapAccess<'de>>(self, mut map: A) -> Result<Self::Value, A::Error> {
                let spans = Left::new(MAX_SPANS, "spans");
                let mut traces = None;
                while let Some(key) = next_key(&mut map)? {
                    if key == "traces" {
                        once(&traces, &key)?;
                        let each = TraceSeed { spans: &spans };
                        traces = Some(map.next_value_seed(Left::new(MAX_TRACES, "traces").array(each))?);
                    } else {
                        map.next_value::<Field<'_>>()?;
                    }
                }
                Ok(Request { traces })
            }
        }

        deserializer.deserialize_map(Object)
    }
}

/// Reads a trace object with as many spans as the request may still have.
#[derive(Clone, Copy)]
struct TraceSeed<'l> {
    spans: &'l Left,
}

impl<'de> DeserializeSeed<'de> for TraceSeed<'_> {
    type Value = TraceObject<'de>;

    fn deserialize<D: Deserializer<'de>>(self, deserializer: D) -> Result<Self::Value, D::Error> {
        deserializer.deserialize_map(self)
    }
}

impl<'de> Visitor<'de> for TraceSeed<'_> {
    type Value = TraceObject<'de>;

    fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("a trace object")
    }

    fn visit_map<A: MapAccess<'de>>(self, mut map: A) -> Result<Self::Value, A::Error> {
        let mut trace = TraceObject::default();
        while let Some(key) = next_key(&mut map)? {
            let field = match &*key {
                "trace_id" => &mut trace.trace_id,
                "timestamp" => &mut trace.timestamp,
                "environment" => &mut trace.environment,
                "workspace_slug" => &mut trace.workspace_slug,
                "session_id" => &mut trace.session_id,
                "user_id" => &mut trace.user_id,
                "agent_name" => &mut trace.agent_name,
                "agent_id" => &mut trace.agent_id,
                "root_span_name" => &mut trace.root_span_name,
                "status" => &mut trace.status,
                "duration_ms" => &mut trace.duration_ms,
                "model" => &mut trace.model,
                "input_tokens" => &mut trace.input_tokens,
                "output_tokens" => &mut trace.output_tokens,
                "total_tokens" => &mut trace.total_tokens,
                "attributes" => &mut trace.attributes,
                "spans" => {
                    once(&trace.spans, &key)?;
                    trace.spans = Some(map.next_value_seed(self.spans.array(PhantomData))?);
                    continue;
                }
                _ => {
                    map.next_value::<Field<'_>>()?;
                    continue;
                }
            };
            field.read(&key, &mut map)?;
        }
        Ok(trace)
    }
}

fn once<T, E: serde::de::Error>(value: &Option<T>, key: &str) -> Result<(), E> {
    match value {
        Some(_) => Err(twice(key)),
        None => Ok(()),
    }
}

#[cfg(test)]
mod tests;
