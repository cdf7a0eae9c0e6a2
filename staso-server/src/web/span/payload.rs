use std::borrow::Cow;

use serde_json::{Map, Value};

use super::{
    chat::{self, Message},
    json::Json,
};

/// What an input or output says to a reader.
#[derive(Debug, PartialEq)]
pub(in crate::web) enum Payload<'a> {
    /// Nothing was recorded.
    Empty,
    /// A text: a JSON string, or what is not JSON.
    Text(Cow<'a, str>),
    /// A chat, wherever in the value it was.
    Chat(Vec<Message>),
    /// Any other JSON, as it came.
    Json(&'a str),
}

/// The part of an input or output that a reader wants first.
#[derive(Debug, PartialEq)]
pub(in crate::web) struct Gist {
    /// The text; `None` when no part of the value stands out, or nothing was recorded.
    pub(in crate::web) text: Option<String>,
    /// There is more in the value than the text.
    pub(in crate::web) partial: bool,
}

/// Which way a value went.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(in crate::web) enum Direction {
    In,
    Out,
}

/// Longer values are not looked into: nobody reads them as a whole.
const LONGEST: usize = 4 << 20;

/// Fields whose text is what was asked.
const QUESTIONS: [&str; 13] = [
    "question",
    "query",
    "message",
    "prompt",
    "user_message",
    "user_input",
    "input",
    "text",
    "content",
    "request",
    "task",
    "q",
    "body",
];

/// Fields whose text is what was answered.
const ANSWERS: [&str; 12] = [
    "answer",
    "reply",
    "response",
    "result",
    "output",
    "text",
    "content",
    "message",
    "final",
    "summary",
    "completion",
    "body",
];

impl<'a> Payload<'a> {
    /// Reads the text of a span's `input` or `output`.
    pub(in crate::web) fn of(text: &'a str) -> Self {
        if text.trim().is_empty() {
            return Self::Empty;
        }
        if text.len() > LONGEST {
            let is_structure = text.trim_start().starts_with(['{', '[']);
            return if is_structure { Self::Json(text) } else { Self::Text(text.into()) };
        }
        match Json::of(text) {
            Some(value) => match value.string() {
                Some(text) => Self::Text(text.into()),
                None => chat::find(value).map_or(Self::Json(text), Self::Chat),
            },
            None if text.trim_start().starts_with(['{', '[']) => Self::Json(text),
            None => Self::Text(text.into()),
        }
    }
}

impl Gist {
    pub(in crate::web) fn of(text: &str, direction: Direction) -> Self {
        let nothing = Self { text: None, partial: false };
        match Payload::of(text) {
            Payload::Empty => nothing,
            Payload::Text(text) => Self { text: Some(text.into_owned()), partial: false },
            Payload::Chat(messages) => of_chat(&messages, direction),
            Payload::Json(text) => match parse(text) {
                Some(value) => of_value(&value, direction),
                None => Self { text: None, partial: true },
            },
        }
    }
}

/// Parses what is not too long. Deep nesting is refused by the parser, not followed.
fn parse(text: &str) -> Option<Value> {
    (text.len() <= LONGEST).then(|| serde_json::from_str(text).ok()).flatten()
}

/// The last thing that a user said, or that was answered.
fn of_chat(messages: &[Message], direction: Direction) -> Gist {
    let by_user = |message: &&Message| direction == Direction::Out || message.role == "user";
    let message = messages.iter().rev().find(by_user).or_else(|| messages.last());
    let text = message.map(|message| message.said().to_owned()).filter(|text| !text.is_empty());
    let calls = messages.iter().any(|message| !message.calls.is_empty());
    Gist { partial: messages.len() > 1 || calls || text.is_none(), text }
}

fn of_value(value: &Value, direction: Direction) -> Gist {
    let Value::Object(object) = value else {
        let text = scalar(value);
        return Gist { partial: text.is_none() && !value.is_null(), text };
    };
    // The name that agents add to their input is on the page already.
    let own: Vec<(&String, &Value)> =
        object.iter().filter(|(key, _)| direction == Direction::Out || *key != "agent_name").collect();
    match own.as_slice() {
        [] => Gist { text: None, partial: false },
        [(_, Value::Object(inner))] => Gist { text: known(inner, direction), partial: true },
        [(_, value)] => Gist { partial: scalar(value).is_none() && !value.is_null(), text: scalar(value) },
        _ => Gist { text: known(object, direction), partial: true },
    }
}

fn known(object: &Map<String, Value>, direction: Direction) -> Option<String> {
    let names = match direction {
        Direction::In => QUESTIONS.as_slice(),
        Direction::Out => ANSWERS.as_slice(),
    };
    names.iter().find_map(|name| object.get(*name)?.as_str().map(str::to_owned))
}

fn scalar(value: &Value) -> Option<String> {
    match value {
        Value::String(text) => Some(text.clone()),
        Value::Number(_) | Value::Bool(_) => Some(value.to_string()),
        Value::Null | Value::Array(_) | Value::Object(_) => None,
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[track_caller]
    fn check(direction: Direction, text: &str, expected: Option<&str>, partial: bool) {
        let expected = Gist { text: expected.map(str::to_owned), partial };
        assert_eq!(Gist::of(text, direction), expected, "{text}");
    }

    #[test]
    fn the_only_argument_is_the_question() {
        check(
            Direction::In,
            r#"{"agent_name": "bot", "question": "Where is it?"}"#,
            Some("Where is it?"),
            false,
        );
        check(Direction::In, r#"{"anything": "Where is it?"}"#, Some("Where is it?"), false);
        check(Direction::In, r#""Where is it?""#, Some("Where is it?"), false);
    }

    #[test]
    fn of_several_arguments_the_one_with_a_telling_name_is_shown() {
        check(Direction::In, r#"{"limit": 3, "query": "shoes"}"#, Some("shoes"), true);
        check(Direction::In, r#"{"limit": 3, "size": 4}"#, None, true);
    }

    #[test]
    fn the_result_is_the_answer() {
        check(Direction::Out, r#"{"result": "Thursday"}"#, Some("Thursday"), false);
        check(Direction::Out, r#"{"result": 4.5}"#, Some("4.5"), false);
        check(Direction::Out, r#"{"result": null}"#, None, false);
        check(Direction::Out, r#"{"result": {"answer": "Thursday", "score": 1}}"#, Some("Thursday"), true);
        check(Direction::Out, r#"{"result": [1, 2]}"#, None, true);
    }

    #[test]
    fn of_a_chat_the_last_words_of_the_user_or_the_answer_are_shown() {
        let chat =
            r#"{"messages": [{"role": "user", "content": "Hi"}, {"role": "assistant", "content": "Yes?"}]}"#;
        check(Direction::In, chat, Some("Hi"), true);
        check(Direction::Out, chat, Some("Yes?"), true);
        check(Direction::Out, r#"{"role": "assistant", "content": "Yes?"}"#, Some("Yes?"), false);
    }

    #[test]
    fn what_is_not_json_is_shown_as_it_is() {
        check(Direction::In, "plain words", Some("plain words"), false);
        check(Direction::Out, r#"{"result": NaN}"#, None, true);
        check(Direction::In, "  ", None, false);
        assert_eq!(Payload::of("<b>"), Payload::Text("<b>".into()));
    }

    #[test]
    fn deep_values_are_left_to_the_viewer() {
        let deep = "[".repeat(100_000);
        assert_eq!(Payload::of(&deep), Payload::Json(&deep));
        let closed = format!("{deep}{}", "]".repeat(100_000));
        assert_eq!(Gist::of(&closed, Direction::In), Gist { text: None, partial: true });
    }
}
