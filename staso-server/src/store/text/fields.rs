//! Which texts a span's record has, and what each of them is.

use std::{
    borrow::Cow,
    fmt,
    ops::ControlFlow::{self, Continue},
};

use serde::{
    Deserialize, Deserializer,
    de::{MapAccess, Visitor},
};
use serde_json::value::RawValue;

use super::json::unfolded;
use crate::{
    model::{SpanKind, TextField},
    store::record::RecordTexts,
};

/// Takes a text, and says whether it wants more of them.
pub(in crate::store) type Found<'f> = dyn FnMut(TextField, &str) -> ControlFlow<()> + 'f;

/// Hands out the texts of a span's record, the span object of the wire as it came.
pub(in crate::store) fn in_record(record: &str, found: &mut Found<'_>) -> ControlFlow<()> {
    let texts = RecordTexts::of(record);
    let place = Place::of(record);
    let (input, output) = place.fields();
    found(TextField::Rest, &unfolded(&texts.name))?;
    if place.kind != SpanKind::Llm || !in_messages(&texts.input, input, found)? {
        found(input, &unfolded(&texts.input))?;
    }
    found(output, &unfolded(&texts.output))?;
    match &texts.error_message {
        Some(error) => found(TextField::Errors, &unfolded(error)),
        None => Continue(()),
    }
}

/// What tells whose words a span carries.
struct Place {
    kind: SpanKind,
    is_root: bool,
}

impl Place {
    fn of(record: &str) -> Self {
        #[derive(Default, Deserialize)]
        struct Fields<'a> {
            #[serde(borrow)]
            kind: Option<&'a RawValue>,
            #[serde(borrow)]
            parent_span_id: Option<&'a RawValue>,
        }

        let fields: Fields<'_> = serde_json::from_str(record).unwrap_or_default();
        let kind = fields.kind.and_then(|kind| serde_json::from_str::<Cow<'_, str>>(kind.get()).ok());
        Self {
            kind: kind
                .filter(|kind| !kind.is_empty())
                .map_or(SpanKind::Chain, |kind| kind.parse().unwrap_or(SpanKind::Custom)),
            is_root: fields.parent_span_id.is_none_or(|parent| parent.get() == "\"\""),
        }
    }

    /// What its input and its output are.
    fn fields(&self) -> (TextField, TextField) {
        match self.kind {
            SpanKind::Tool | SpanKind::Retriever => (TextField::Tools, TextField::Tools),
            SpanKind::Agent => (TextField::User, TextField::Answers),
            _ if self.is_root => (TextField::User, TextField::Answers),
            SpanKind::Llm => (TextField::Rest, TextField::Answers),
            _ => (TextField::Rest, TextField::Rest),
        }
    }
}

/// Hands out the messages of a call of a model, each by who said it, and the rest of the call. Whether it has messages.
fn in_messages(input: &str, other: TextField, found: &mut Found<'_>) -> ControlFlow<(), bool> {
    let Ok(Entries(entries)) = serde_json::from_str(input) else {
        let Ok(messages) = serde_json::from_str(input) else { return Continue(false) };
        by_role(messages, found)?;
        return Continue(true);
    };
    let Some((_, messages)) = entries.iter().find(|(key, _)| key == "messages") else {
        return Continue(false);
    };
    let Ok(messages) = serde_json::from_str::<Vec<&RawValue>>(messages.get()) else {
        return Continue(false);
    };
    let mut first = Some(messages);
    for (key, value) in &entries {
        match first.take_if(|_| key == "messages") {
            Some(messages) => by_role(messages, found)?,
            None => {
                found(other, key)?;
                found(other, &unfolded(value.get()))?;
            }
        }
    }
    Continue(true)
}

fn by_role(messages: Vec<&RawValue>, found: &mut Found<'_>) -> ControlFlow<()> {
    #[derive(Deserialize)]
    struct Role<'a> {
        #[serde(borrow)]
        role: Cow<'a, str>,
    }

    for message in messages {
        let role = serde_json::from_str(message.get()).map(|Role { role }| role).unwrap_or_default();
        let field = match &*role {
            "user" | "human" => TextField::User,
            "assistant" | "model" | "ai" => TextField::Answers,
            "tool" | "function" => TextField::Tools,
            _ => TextField::Rest,
        };
        found(field, &unfolded(message.get()))?;
    }
    Continue(())
}

/// The keys and values of an object, in order, those that come twice too.
struct Entries<'a>(Vec<(Cow<'a, str>, &'a RawValue)>);

impl<'de: 'a, 'a> Deserialize<'de> for Entries<'a> {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        struct Object;

        impl<'de> Visitor<'de> for Object {
            type Value = Entries<'de>;

            fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
                f.write_str("an object")
            }

            fn visit_map<A: MapAccess<'de>>(self, mut map: A) -> Result<Self::Value, A::Error> {
                let mut entries = Vec::new();
                while let Some(entry) = map.next_entry()? {
                    entries.push(entry);
                }
                Ok(Entries(entries))
            }
        }

        deserializer.deserialize_map(Object)
    }
}

#[cfg(test)]
mod tests {
    use serde_json::{Value, json};

    use super::*;

    fn texts(record: &Value) -> Vec<(&'static str, String)> {
        let mut texts = Vec::new();
        let all = in_record(&record.to_string(), &mut |field, text| {
            if !text.is_empty() {
                texts.push((field.as_str(), text.to_owned()));
            }
            Continue(())
        });
        assert_eq!(all, Continue(()));
        texts
    }

    fn owned<const N: usize>(texts: [(&'static str, &str); N]) -> Vec<(&'static str, String)> {
        texts.map(|(field, text)| (field, text.to_owned())).to_vec()
    }

    #[test]
    fn a_record_has_a_name_an_input_an_output_and_an_error() {
        let record = json!({"span_id": "no", "parent_span_id": "p", "name": "Look_up", "kind": "tool",
            "input": "{\"city\": \"Ky\\u014dto\"}", "output": "", "error_message": "HTTP-404"});
        let expected = [("rest", "Look_up"), ("tools", r#"{"city": "Kyōto"}"#), ("errors", "HTTP-404")];
        assert_eq!(texts(&record), owned(expected));
    }

    #[test]
    fn what_comes_from_a_person_is_what_goes_into_an_agent_or_a_root() {
        for (kind, parent, expected) in [
            ("agent", "p", ["user", "answers"]),
            ("", "", ["user", "answers"]),
            ("chain", "p", ["rest", "rest"]),
            ("llm", "p", ["rest", "answers"]),
            ("llm", "", ["user", "answers"]),
            ("retriever", "", ["tools", "tools"]),
            ("own", "p", ["rest", "rest"]),
        ] {
            let record = json!({"kind": kind, "parent_span_id": parent, "input": "in", "output": "out"});
            assert_eq!(texts(&record), owned([(expected[0], "in"), (expected[1], "out")]), "{kind} {parent}");
        }
    }

    #[test]
    fn messages_are_of_who_said_them() {
        let messages = json!([
            {"role": "system", "content": "be kind"}, {"role": "user", "content": "hi"},
            {"role": "assistant", "content": "hello"}, {"role": "tool", "content": "42"}, 7,
        ]);
        let fields = |input: Value| {
            let record = json!({"kind": "llm", "parent_span_id": "p", "input": input.to_string()});
            texts(&record).into_iter().map(|(field, _)| field).collect::<Vec<_>>()
        };
        assert_eq!(fields(messages.clone()), ["rest", "user", "answers", "tools", "rest"]);
        let call = json!({"model": "m", "messages": messages});
        assert_eq!(fields(call), ["rest", "user", "answers", "tools", "rest", "rest", "rest"]);
        assert_eq!(fields(json!({"messages": "none"})), ["rest"]);
    }
}
