use std::borrow::Cow;

use super::{chat::Message, payload::Payload, record::Record};
use crate::{
    model::{SpanId, TraceId},
    web::{Link, PageContext},
};

/// Where the texts of a span are to be had whole. A page has the beginning of a long one, and never any twice.
pub(super) struct Texts<'a> {
    pub(super) context: &'a PageContext,
    pub(super) trace_id: &'a TraceId,
    pub(super) span_id: &'a SpanId,
}

impl Texts<'_> {
    pub(super) fn link(&self, part: &str) -> Link {
        let span = Link::to("/traces").part(self.trace_id.as_str()).part("spans").part(self.span_id.as_str());
        self.context.link(span.part("text").with("part", part))
    }
}

/// A text of a span's record by the name that [`Texts::link`] was given: `record`, `error`, `attributes`, `input`,
/// `output.text`, `input.2.text`, `input.2.thoughts`, `input.2.call.0`, `input.2.picture.0`.
pub(in crate::web) fn part<'a>(record: &'a str, name: &str) -> Option<Cow<'a, str>> {
    if name == "record" {
        return Some(record.into());
    }
    let mut names = name.split('.');
    let parsed = Record::of(record);
    let whole = match names.next()? {
        "error" => parsed.error_message,
        "attributes" => parsed.attributes,
        "input" => parsed.input,
        "output" => parsed.output,
        _ => return None,
    };
    let Some(inner) = names.next() else { return Some(whole.into()) };
    match Payload::of(&whole) {
        Payload::Text(text) if inner == "text" => Some(text.into_owned().into()),
        Payload::Chat(messages) => {
            let message = messages.get(inner.parse::<usize>().ok()?)?;
            of_message(message, names.next()?, names.next()).map(Into::into)
        }
        _ => None,
    }
}

fn of_message(message: &Message, name: &str, number: Option<&str>) -> Option<String> {
    let number = number.and_then(|number| number.parse::<usize>().ok());
    Some(match name {
        "text" => message.text.clone(),
        "thoughts" => message.thoughts.clone(),
        "refusal" => message.refusal.clone(),
        "call" => message.calls.get(number?)?.arguments.clone(),
        "picture" => message.pictures.get(number?)?.clone(),
        _ => return None,
    })
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;

    #[test]
    fn parts_of_a_record_are_had_by_name() {
        let chat = json!([
            {"role": "user", "content": "hi"},
            {"role": "assistant", "content": "", "reasoning_content": "hm", "tool_calls": [
                {"id": "c", "function": {"name": "f", "arguments": "{\"a\":1}"}},
            ]},
        ]);
        let record = json!({"input": chat.to_string(), "output": "\"yes\"", "attributes": "{}"}).to_string();
        for (name, expected) in [
            ("record", Some(&*record)),
            ("input", Some(&*chat.to_string())),
            ("input.0.text", Some("hi")),
            ("input.1.thoughts", Some("hm")),
            ("input.1.call.0", Some(r#"{"a":1}"#)),
            ("output", Some("\"yes\"")),
            ("output.text", Some("yes")),
            ("attributes", Some("{}")),
            ("error", Some("")),
            ("input.2.text", None),
            ("input.1.call.1", None),
            ("input.text", None),
            ("name", None),
            ("", None),
        ] {
            assert_eq!(part(&record, name).as_deref(), expected, "{name}");
        }
    }
}
