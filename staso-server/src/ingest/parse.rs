use std::fmt;

use serde::de::{Deserialize, Deserializer, MapAccess, Visitor};
use serde_json::value::RawValue;

use super::{
    error::ParseError,
    field::{Field, next_key, twice},
    span,
};
use crate::{
    model::{IncomingSpan, Timestamp, TraceId},
    pricing::Prices,
};

/// A trace object of the wire, checked, before it is known which workspace it goes to.
#[derive(Clone, Debug)]
pub struct ParsedTrace {
    /// Its workspace, where it names one.
    pub workspace_slug: Option<String>,
    /// As its sender wrote it; made up where there is none.
    pub trace_id: TraceId,
    /// Where it ran; `default` where it does not say.
    pub environment: String,
    /// At least one.
    pub spans: Vec<IncomingSpan>,
}

/// Reads the body of an ingest request.
///
/// What a sender may leave out gets its default, and values of its own (kinds, statuses, identifiers of any
/// form) are kept; what is of a wrong type, or twice in one object, is an error.
///
/// # Errors
///
/// The first fault and its path.
pub fn parse_request(body: &str, prices: &Prices) -> Result<Vec<ParsedTrace>, ParseError> {
    let request: Request<'_> =
        serde_json::from_str(body).map_err(|error| ParseError::of_json(&error, body))?;
    let traces = request.traces.ok_or_else(|| missing("traces"))?;
    let parsed = traces
        .into_iter()
        .enumerate()
        .map(|(index, trace)| trace.check(prices).map_err(|error| error.within(&format!("traces[{index}]"))));
    parsed.collect()
}

/// Reads one trace object, such as a line that the file exporter wrote.
///
/// # Errors
///
/// The first fault and its path in the object.
pub fn parse_trace(json: &str, prices: &Prices) -> Result<ParsedTrace, ParseError> {
    let trace: TraceObject<'_> =
        serde_json::from_str(json).map_err(|error| ParseError::of_json(&error, json))?;
    trace.check(prices)
}

/// The first pass: the request with its spans still as text.
struct Request<'a> {
    traces: Option<Vec<TraceObject<'a>>>,
}

#[derive(Default)]
struct TraceObject<'a> {
    trace_id: Field<'a>,
    timestamp: Field<'a>,
    environment: Field<'a>,
    workspace_slug: Field<'a>,
    spans: Option<Vec<&'a RawValue>>,
}

impl TraceObject<'_> {
    /// The second pass, span by span.
    fn check(self, prices: &Prices) -> Result<ParsedTrace, ParseError> {
        timestamp(self.timestamp)?;
        let trace_id = self.trace_id.text("trace_id")?;
        let environment = self.environment.text("environment")?;
        let slug = self.workspace_slug.text("workspace_slug")?;
        let spans = self.spans.ok_or_else(|| missing("spans"))?;
        if spans.is_empty() {
            return Err(ParseError::invalid("spans", "expected at least one span"));
        }
        let spans = spans.into_iter().enumerate().map(|(index, record)| {
            span::parse(record, prices).map_err(|error| error.within(&format!("spans[{index}]")))
        });
        Ok(ParsedTrace {
            workspace_slug: slug.filter(|slug| !slug.is_empty()).map(Into::into),
            trace_id: TraceId::new(trace_id.filter(|id| !id.is_empty()).map_or_else(new_id, Into::into)),
            environment: environment.map_or_else(|| "default".to_owned(), Into::into),
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
    text.parse().map_err(|error| {
        let shown: String = text.chars().take(40).collect();
        ParseError::invalid("timestamp", format_args!("`{shown}` is not a time in RFC 3339: {error}"))
    })
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
                let mut traces = None;
                while let Some(key) = next_key(&mut map)? {
                    if key == "traces" {
                        once(&traces, &key)?;
                        traces = Some(map.next_value()?);
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

impl<'de: 'a, 'a> Deserialize<'de> for TraceObject<'a> {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        struct Object;

        impl<'de> Visitor<'de> for Object {
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
                        "spans" => {
                            once(&trace.spans, &key)?;
                            trace.spans = Some(map.next_value()?);
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

        deserializer.deserialize_map(Object)
    }
}

fn once<T, E: serde::de::Error>(value: &Option<T>, key: &str) -> Result<(), E> {
    match value {
        Some(_) => Err(twice(key)),
        None => Ok(()),
    }
}

#[cfg(test)]
mod tests {
    use serde_json::{Value, json};

    use super::*;
    use crate::model::{SpanKind, SpanStatus, Tokens};

    const AT: &str = "2026-01-02T03:04:05.678901+00:00";

    fn request(span: Value) -> String {
        let trace = json!({ "trace_id": "t", "timestamp": AT, "spans": [span] });
        json!({ "traces": [trace] }).to_string()
    }

    fn parse(body: &str) -> Result<Vec<ParsedTrace>, ParseError> {
        parse_request(body, &Prices::embedded())
    }

    fn one(span: Value) -> IncomingSpan {
        let mut traces = parse(&request(span)).unwrap();
        traces.remove(0).spans.remove(0)
    }

    /// The error of a body, as `path: message`.
    fn fault(body: &str) -> String {
        parse(body).unwrap_err().to_string()
    }

    #[test]
    fn what_is_left_out_has_its_default() {
        let mut traces = parse(&request(json!({ "span_id": "s", "timestamp": AT }))).unwrap();
        let trace = traces.remove(0);
        assert_eq!((trace.workspace_slug, &*trace.environment), (None, "default"));
        let head = &trace.spans[0].head;
        assert_eq!((head.kind, head.status, head.tokens), (SpanKind::Chain, SpanStatus::Ok, None));
        assert!(head.is_root() && head.name.is_empty() && !head.provisional);
    }

    #[test]
    fn the_record_stays_as_it_came() {
        let span = format!(
            r#"{{ "timestamp" : "{AT}",  "span_id":"odd id", "own":[1.50, {{}}], "kind":"THOUGHT", "status":"meh", "input":"{{\"a\": NaN}}" }}"#
        );
        let body = format!(r#"{{"traces":[{{"timestamp":"{AT}","spans":[{span}]}}]}}"#);
        let parsed = parse(&body).unwrap().remove(0).spans.remove(0);
        assert_eq!(parsed.record.get(), span);
        assert_eq!((parsed.head.kind, parsed.head.status), (SpanKind::Custom, SpanStatus::Other));
    }

    #[test]
    fn identifiers_that_are_missing_are_made() {
        let body = format!(
            r#"{{"traces":[{{"trace_id":null,"timestamp":"{AT}","spans":[{{"timestamp":"{AT}"}},{{"span_id":null,"timestamp":"{AT}"}}]}}]}}"#
        );
        let trace = parse(&body).unwrap().remove(0);
        let ids: Vec<&str> = trace.spans.iter().map(|span| span.head.span_id.as_str()).collect();
        assert_eq!([trace.trace_id.as_str(), ids[0], ids[1]].map(str::len), [36; 3]);
        assert_ne!(ids[0], ids[1]);
        for span in &trace.spans {
            let record: Value = serde_json::from_str(span.record.get()).unwrap();
            assert_eq!(record, json!({ "span_id": span.head.span_id.as_str(), "timestamp": AT }));
        }
    }

    #[test]
    fn tokens_are_known_when_the_sender_says_so_or_counts_some() {
        let tokens = |usage: Value, input: u64| {
            let span = json!({ "timestamp": AT, "usage_available": usage, "input_tokens": input });
            one(span).head.tokens.map(|tokens| tokens.total)
        };
        assert_eq!(tokens(json!(true), 0), Some(0));
        assert_eq!(tokens(json!(null), 0), None);
        assert_eq!(tokens(json!(null), 3), Some(3));
        assert_eq!(tokens(json!(false), 3), None);
    }

    #[test]
    fn a_call_has_a_price_where_model_and_tokens_are_known() {
        let cost = |model: &str, usage: Value| {
            let span = json!({
                "timestamp": AT, "kind": "llm", "model": model, "usage_available": usage,
                "input_tokens": 1_000_000, "output_tokens": 0, "total_tokens": 1_000_000,
                "attributes": r#"{"cache_read_input_tokens": 1000000}"#,
            });
            one(span).head.cost
        };
        assert_eq!(cost("gpt-4o", json!(true)).usd(), Some(1.25));
        assert_eq!((cost("gpt-4o", json!(false)).usd(), cost("gpt-4o", json!(false)).unpriced), (None, 1));
        assert_eq!(cost("mystery", json!(true)).usd(), None);
        assert_eq!(one(json!({ "timestamp": AT, "kind": "tool" })).head.cost.usd(), Some(0.0));
    }

    #[test]
    fn odd_numbers_are_held_to_their_range() {
        let head = one(json!({
            "timestamp": AT, "duration_ms": -5.0, "input_tokens": -3, "output_tokens": 2.9, "total_tokens": 1e300,
        }))
        .head;
        assert_eq!(head.duration_micros, 0);
        assert_eq!(head.tokens, Some(Tokens { input: 0, output: 2, total: u64::MAX }));
    }

    #[test]
    fn a_fault_of_structure_names_its_path() {
        for (body, expected) in [
            ("[]", "$: invalid type: sequence, expected an object with the key `traces`"),
            ("{}", "traces: expected an array, found nothing"),
            (r#"{"traces":{}}"#, "traces: invalid type: map, expected a sequence"),
            (r#"{"traces":[[]]}"#, "traces[0]: invalid type: sequence, expected a trace object"),
            (r#"{"traces":[{}]}"#, "traces[0].timestamp: expected a time such as"),
            (r#"{"traces":[],"traces":[]}"#, "traces: the key `traces` occurs twice"),
        ] {
            assert!(fault(body).starts_with(expected), "{body}: {}", fault(body));
        }
        let body = json!({ "traces": [{ "timestamp": AT, "spans": [] }] }).to_string();
        assert_eq!(fault(&body), "traces[0].spans: expected at least one span");
    }

    #[test]
    fn a_fault_in_a_span_names_its_path() {
        for (span, expected) in [
            (json!([]), ": invalid type: sequence, expected a span object"),
            (json!({}), ".timestamp: expected a time such as `2026-01-02T03:04:05.678+00:00`, found nothing"),
            (json!({ "timestamp": 5 }), ".timestamp: expected a time such as"),
            (json!({ "timestamp": "yesterday" }), ".timestamp: `yesterday` is not a time in RFC 3339"),
            (json!({ "timestamp": AT, "name": 1 }), ".name: expected a string, found a number"),
            (json!({ "timestamp": AT, "span_id": 1 }), ".span_id: expected a string, found a number"),
            (json!({ "timestamp": AT, "attributes": {} }), ".attributes: expected a string, found an object"),
            (
                json!({ "timestamp": AT, "duration_ms": "1" }),
                ".duration_ms: expected a number, found a string",
            ),
            (json!({ "timestamp": AT, "usage_available": 1 }), ".usage_available: expected a boolean"),
        ] {
            let fault = fault(&request(span));
            let rest = fault.strip_prefix("traces[0].spans[0]").unwrap();
            assert!(rest.starts_with(expected), "{fault}");
        }
    }

    #[test]
    fn text_that_is_not_json_is_malformed_where_it_breaks() {
        let body = format!(r#"{{"traces":[{{"timestamp":"{AT}","spans":[{{"a":1}},{{"b":tru}}]}}]}}"#);
        let error = parse(&body).unwrap_err();
        assert!(
            matches!(&error, ParseError::Malformed { path, .. } if path == "traces[0].spans[1].b"),
            "{error}"
        );
    }

    #[test]
    fn text_that_no_parser_can_read_is_refused_even_where_nobody_reads() {
        let body = |input| {
            let span = format!(r#"{{"timestamp":"{AT}","input":"{input}"}}"#);
            format!(r#"{{"traces":[{{"timestamp":"{AT}","spans":[{span}]}}]}}"#)
        };
        assert!(parse(&body(r"\\ud83d \ud83d\ude00 \u00e9")).is_ok());
        for broken in [r"\ud83d", r"\uDE00", r"\uD83D\u0041", r"\x", r"\u12"] {
            assert!(fault(&body(broken)).starts_with("traces[0].spans[0]"), "{broken}");
        }
    }

    #[test]
    fn depth_is_limited_even_where_nobody_reads() {
        let deep = |levels| format!("{}1{}", "[".repeat(levels), "]".repeat(levels));
        let body = |levels| {
            format!(
                r#"{{"traces":[{{"timestamp":"{AT}","spans":[{{"timestamp":"{AT}","x":{}}}]}}]}}"#,
                deep(levels)
            )
        };
        assert!(parse(&body(100)).is_ok());
        assert!(fault(&body(1_000)).contains("recursion limit exceeded"));
        assert!(fault(&deep(100_000)).starts_with('$'));
    }
}
