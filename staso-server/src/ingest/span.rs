use std::{borrow::Cow, fmt};

use serde::de::{Deserialize, Deserializer, MapAccess, Visitor};
use serde_json::value::RawValue;

use super::{
    attributes::Attributes,
    error::ParseError,
    field::{Field, next_key},
    parse::{new_id, timestamp},
    record,
};
use crate::{
    model::{Cost, IncomingSpan, MAX_COUNT, SpanHead, SpanId, SpanKind, SpanStatus, Tokens, add_counts},
    pricing::{Call, Prices, Usage},
};

/// Reads a span object and takes out what the backend needs.
pub(super) fn parse(record: &RawValue, prices: &Prices) -> Result<IncomingSpan, ParseError> {
    let json = record.get();
    let span: SpanObject<'_> =
        serde_json::from_str(json).map_err(|error| ParseError::of_json(&error, json))?;
    let tokens = span.tokens()?;
    let attributes = Attributes::of(&span.attributes.text_or_empty("attributes")?);
    // These stay in the record; here only their type matters.
    span.input.text_or_empty("input")?;
    span.output.text_or_empty("output")?;
    let has_error_text = !span.error_message.text_or_empty("error_message")?.trim().is_empty();
    let (span_id, record) = match span.span_id.id("span_id")? {
        Some(id) => (id, record.to_owned()),
        None => {
            let id = new_id();
            let record =
                record::with_span_id(json, &id).map_err(|error| ParseError::of_json(&error, json))?;
            (id, record)
        }
    };
    // These only help to find a price: whatever else they are is passed over.
    let [provider, requested_model] = [span.provider, span.requested_model].map(|field| match field {
        Field::Text(text) => text,
        _ => Cow::default(),
    });
    let (name, kind) = (span.name.name("name")?, kind(&span.kind.text_or_empty("kind")?));
    let agent = agent(span.agent_name.name("agent_name")?, span.agent_id.name("agent_id")?, kind, &name);
    // What names itself as its parent is the top of its tree.
    let parent_span_id = span.parent_span_id.id("parent_span_id")?.filter(|parent| *parent != span_id);
    let mut head = SpanHead {
        span_id: SpanId::new(span_id),
        parent_span_id: parent_span_id.map(SpanId::new),
        name,
        kind,
        started_at: timestamp(span.timestamp)?,
        duration_micros: micros(span.duration_ms.number("duration_ms")?.unwrap_or(0.0)),
        status: SpanStatus::of_span(&span.status.text_or_empty("status")?, has_error_text),
        provisional: attributes.provisional,
        agent,
        conversation_id: span.session_id.name("session_id")?,
        user_id: span.user_id.name("user_id")?,
        model: span.model.name("model")?,
        tags: attributes.tags,
        tokens,
        cost: Cost::default(),
    };
    // The announcement of a call has no usage yet, and is no call of its own.
    if head.calls_model() && !head.provisional {
        let provider = if provider.is_empty() { &*attributes.provider } else { &*provider };
        head.cost = Cost::of_call(tokens.and_then(|tokens| {
            prices.nano_usd(&Call {
                model: &head.model,
                requested_model: &requested_model,
                provider,
                tier: &attributes.tier,
                usage: Usage { tokens, ..attributes.usage },
            })
        }));
    }
    Ok(IncomingSpan { head, record })
}

/// The agent's name, which SDKs before 0.1.41 wrote as `agent_id` and the first ones as the name of the agent's own span
/// only.
fn agent(agent_name: String, agent_id: String, kind: SpanKind, span_name: &str) -> String {
    if !agent_name.is_empty() {
        agent_name
    } else if !agent_id.is_empty() && agent_id.parse::<uuid::Uuid>().is_err() {
        agent_id
    } else if kind == SpanKind::Agent {
        span_name.to_owned()
    } else {
        String::new()
    }
}

fn kind(text: &str) -> SpanKind {
    if text.is_empty() { SpanKind::Chain } else { text.parse().unwrap_or(SpanKind::Custom) }
}

#[expect(clippy::cast_possible_truncation, clippy::cast_sign_loss, reason = "it saturates")]
fn micros(milliseconds: f64) -> u64 {
    ((milliseconds * 1e3).round() as u64).min(MAX_COUNT)
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
    requested_model: Field<'a>,
    provider: Field<'a>,
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
    agent_id: Field<'a>,
    user_id: Field<'a>,
}

impl SpanObject<'_> {
    /// The tokens, where the sender knew them: it says so, or says nothing and counts some.
    fn tokens(&self) -> Result<Option<Tokens>, ParseError> {
        let input = self.input_tokens.count("input_tokens")?.unwrap_or(0);
        let output = self.output_tokens.count("output_tokens")?.unwrap_or(0);
        let total = self.total_tokens.count("total_tokens")?.unwrap_or(0);
        let stated = self.usage_available.boolean("usage_available")?;
        let known = stated.unwrap_or(input > 0 || output > 0 || total > 0);
        let total = if total > 0 { total } else { add_counts(input, output) };
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
                    let is_kept_only = matches!(&*key, "input" | "output");
                    match span.field(&key) {
                        Some(field) if is_kept_only => field.read_type(&key, &mut map)?,
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
            "requested_model" => &mut self.requested_model,
            "provider" => &mut self.provider,
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
            "agent_id" => &mut self.agent_id,
            "user_id" => &mut self.user_id,
            _ => return None,
        })
    }
}
