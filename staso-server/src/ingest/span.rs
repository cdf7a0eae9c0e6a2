use std::{borrow::Cow, fmt};

use serde::de::{Deserialize, Deserializer, MapAccess, Visitor};
use serde_json::value::RawValue;

use super::{
    attributes::Attributes,
    error::ParseError,
    field::{Field, Mismatch, next_key},
    parse::{new_id, timestamp},
    record,
};
use crate::{
    model::{Cost, IncomingSpan, SpanHead, SpanId, SpanKind, SpanStatus, Tokens},
    pricing::{Prices, Usage},
};

/// Reads a span object and takes out what the backend needs.
pub(super) fn parse(record: &RawValue, prices: &Prices) -> Result<IncomingSpan, ParseError> {
    let json = record.get();
    let span: SpanObject<'_> =
        serde_json::from_str(json).map_err(|error| ParseError::of_json(&error, json))?;
    let tokens = span.tokens()?;
    let text = |key: &'static str, field: Field<'_>| -> Result<String, ParseError> {
        Ok(text(key, field)?.map_or_else(String::new, Cow::into_owned))
    };
    let started_at = timestamp(span.timestamp)?;
    let duration_ms = span.duration_ms.number().map_err(|wrong| ("duration_ms", wrong))?.unwrap_or(0.0);
    let attributes = text_or_empty("attributes", span.attributes)?;
    let attributes = Attributes::of(&attributes);
    let input = text_or_empty("input", span.input)?;
    let output = text_or_empty("output", span.output)?;
    let error_message = text_or_empty("error_message", span.error_message)?;
    let kind = text_or_empty("kind", span.kind)?;
    let status = text_or_empty("status", span.status)?;
    let given_id = self::text("span_id", span.span_id)?.filter(|id| !id.is_empty());
    let (span_id, record) = match given_id {
        Some(id) => (id.into_owned(), record.to_owned()),
        None => {
            let id = new_id();
            let record =
                record::with_span_id(json, &id).map_err(|error| ParseError::of_json(&error, json))?;
            (id, record)
        }
    };
    let mut head = SpanHead {
        span_id: SpanId::new(span_id),
        parent_span_id: self::text("parent_span_id", span.parent_span_id)?
            .filter(|id| !id.is_empty())
            .map(SpanId::new),
        name: text("name", span.name)?,
        kind: if kind.is_empty() { SpanKind::Chain } else { kind.parse().unwrap_or(SpanKind::Custom) },
        started_at,
        #[expect(clippy::cast_possible_truncation, clippy::cast_sign_loss, reason = "it saturates")]
        duration_micros: (duration_ms * 1e3).round() as u64,
        status: if status.is_empty() { SpanStatus::Ok } else { SpanStatus::of_wire(&status) },
        provisional: attributes.provisional,
        agent: text("agent_name", span.agent_name)?,
        conversation_id: text("session_id", span.session_id)?,
        user_id: text("user_id", span.user_id)?,
        model: text("model", span.model)?,
        tags: attributes.tags,
        tokens,
        cost: Cost::default(),
    };
    // The announcement of a call has no usage yet, and is no call of its own.
    if head.calls_model() && !head.provisional {
        let usage = tokens.map(|tokens| Usage { tokens, ..attributes.usage });
        head.cost = Cost::of_call(usage.and_then(|usage| prices.nano_usd(&head.model, usage)));
    }
    let text = [&*head.name, &*input, &*output, &*error_message].join("\n");
    Ok(IncomingSpan { head, record, text })
}

fn text<'a>(key: &'static str, field: Field<'a>) -> Result<Option<Cow<'a, str>>, ParseError> {
    field.text().map_err(|wrong| (key, wrong).into())
}

fn text_or_empty<'a>(key: &'static str, field: Field<'a>) -> Result<Cow<'a, str>, ParseError> {
    Ok(text(key, field)?.unwrap_or_default())
}

/// The keys that the backend reads. The others stay in the record.
#[derive(Default)]
struct SpanObject<'a> {
    span_id: Field<'a>,
    parent_span_id: Field<'a>,
    name: Field<'a>,
    kind: Field<'a>,
    timestamp: Field<'a>,
    duration_ms: Field<'a>,
    status: Field<'a>,
    model: Field<'a>,
    usage_available: Field<'a>,
    input_tokens: Field<'a>,
    output_tokens: Field<'a>,
    total_tokens: Field<'a>,
    input: Field<'a>,
    output: Field<'a>,
    attributes: Field<'a>,
    error_message: Field<'a>,
    session_id: Field<'a>,
    agent_name: Field<'a>,
    user_id: Field<'a>,
}

impl SpanObject<'_> {
    /// The tokens, where the sender knew them: it says so, or says nothing and counts some.
    fn tokens(&self) -> Result<Option<Tokens>, ParseError> {
        let count = |key: &'static str, field: &Field<'_>| -> Result<u64, ParseError> {
            Ok(field.count().map_err(|wrong: Mismatch| ParseError::from((key, wrong)))?.unwrap_or(0))
        };
        let input = count("input_tokens", &self.input_tokens)?;
        let output = count("output_tokens", &self.output_tokens)?;
        let total = count("total_tokens", &self.total_tokens)?;
        let stated = self.usage_available.boolean().map_err(|wrong| ("usage_available", wrong))?;
        let known = stated.unwrap_or(input > 0 || output > 0 || total > 0);
        let total = if total > 0 { total } else { input.saturating_add(output) };
        Ok(known.then_some(Tokens { input, output, total }))
    }
}

impl<'de: 'a, 'a> Deserialize<'de> for SpanObject<'a> {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        struct Object;

        impl<'de> Visitor<'de> for Object {
            type Value = SpanObject<'de>;

            fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
                f.write_str("a span object")
            }

            fn visit_map<A: MapAccess<'de>>(self, mut map: A) -> Result<Self::Value, A::Error> {
                let mut span = SpanObject::default();
                while let Some(key) = next_key(&mut map)? {
                    match span.field(&key) {
                        Some(field) => field.read(&key, &mut map)?,
                        None => {
                            map.next_value::<Field<'_>>()?;
                        }
                    }
                }
                Ok(span)
            }
        }

        deserializer.deserialize_map(Object)
    }
}

impl<'a> SpanObject<'a> {
    fn field(&mut self, key: &str) -> Option<&mut Field<'a>> {
        Some(match key {
            "span_id" => &mut self.span_id,
            "parent_span_id" => &mut self.parent_span_id,
            "name" => &mut self.name,
            "kind" => &mut self.kind,
            "timestamp" => &mut self.timestamp,
            "duration_ms" => &mut self.duration_ms,
            "status" => &mut self.status,
            "model" => &mut self.model,
            "usage_available" => &mut self.usage_available,
            "input_tokens" => &mut self.input_tokens,
            "output_tokens" => &mut self.output_tokens,
            "total_tokens" => &mut self.total_tokens,
            "input" => &mut self.input,
            "output" => &mut self.output,
            "attributes" => &mut self.attributes,
            "error_message" => &mut self.error_message,
            "session_id" => &mut self.session_id,
            "agent_name" => &mut self.agent_name,
            "user_id" => &mut self.user_id,
            _ => return None,
        })
    }
}
