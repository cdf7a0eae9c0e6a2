use serde_json::{Map, Value};

/// One message of a chat with a model.
#[derive(Clone, Debug, Default, PartialEq)]
pub(in crate::web) struct Message {
    /// Such as `user`; as it came.
    pub(in crate::web) role: String,
    /// Its text; may be empty.
    pub(in crate::web) text: String,
    /// The tools it asks for.
    pub(in crate::web) calls: Vec<ToolCall>,
    /// Which call a tool's answer belongs to; may be empty.
    pub(in crate::web) answers: String,
}

/// A model's wish to have a tool called.
#[derive(Clone, Debug, PartialEq)]
pub(in crate::web) struct ToolCall {
    pub(in crate::web) id: String,
    pub(in crate::web) name: String,
    /// JSON text, as far as the model wrote JSON.
    pub(in crate::web) arguments: String,
}

/// The chat in a value: a list of messages, an object that holds one under `messages`, a single message, or
/// any of these as the only `result`.
pub(in crate::web) fn find(value: &Value) -> Option<Vec<Message>> {
    match value {
        Value::Array(items) => messages(items),
        Value::Object(object) => in_object(object).or_else(|| match object.get("result") {
            Some(Value::Array(items)) if object.len() == 1 => messages(items),
            Some(Value::Object(result)) if object.len() == 1 => in_object(result),
            _ => None,
        }),
        _ => None,
    }
}

fn in_object(object: &Map<String, Value>) -> Option<Vec<Message>> {
    if let Some(Value::Array(items)) = object.get("messages") {
        let mut chat = messages(items)?;
        if let Some(system) = object.get("system") {
            chat.insert(0, Message { role: "system".to_owned(), ..contents(system) });
        }
        return Some(chat);
    }
    if let Some(Value::Array(choices)) = object.get("choices") {
        return choices.iter().map(|choice| message(choice.get("message")?)).collect::<Option<_>>();
    }
    if object.contains_key("role") {
        return message_of(object).map(|message| vec![message]);
    }
    let is_answer = matches!(object.get("content"), Some(Value::Array(_))) && object.len() == 1;
    is_answer.then(|| {
        let content = object.get("content").map(contents).unwrap_or_default();
        vec![Message { role: "assistant".to_owned(), ..content }]
    })
}

fn messages(items: &[Value]) -> Option<Vec<Message>> {
    if items.is_empty() {
        return None;
    }
    items.iter().map(message).collect()
}

fn message(value: &Value) -> Option<Message> {
    message_of(value.as_object()?)
}

fn message_of(object: &Map<String, Value>) -> Option<Message> {
    let role = object.get("role")?.as_str()?;
    let content = object.get("content");
    let calls = object.get("tool_calls").and_then(Value::as_array);
    if content.is_none() && calls.is_none() {
        return None;
    }
    let mut message = content.map(contents).unwrap_or_default();
    message.role = role.to_owned();
    message.calls.extend(calls.into_iter().flatten().map(call));
    if let Some(id) = object.get("tool_call_id").and_then(Value::as_str) {
        message.answers = id.to_owned();
    }
    Some(message)
}

/// Reads a `content`: a text, or a list of parts.
fn contents(content: &Value) -> Message {
    let mut message = Message::default();
    let Value::Array(parts) = content else {
        message.text = text_of(content);
        return message;
    };
    let mut texts = Vec::new();
    for part in parts {
        match part.get("type").and_then(Value::as_str) {
            Some("tool_use") => message.calls.push(call(part)),
            Some("tool_result") => {
                message.answers = string(part, "tool_use_id");
                texts.push(part.get("content").map(|content| contents(content).text).unwrap_or_default());
            }
            _ => match part.get("text") {
                Some(Value::String(text)) => texts.push(text.clone()),
                _ => texts.push(text_of(part)),
            },
        }
    }
    message.text = texts.join("\n");
    message
}

/// Reads `{"id", "function": {"name", "arguments"}}` and `{"id", "name", "input"}`.
fn call(value: &Value) -> ToolCall {
    let function = value.get("function").unwrap_or(value);
    let arguments = ["arguments", "input", "args"].iter().find_map(|key| function.get(*key));
    ToolCall {
        id: string(value, "id"),
        name: string(function, "name"),
        arguments: arguments.map(text_of).unwrap_or_default(),
    }
}

fn string(value: &Value, key: &str) -> String {
    value.get(key).and_then(Value::as_str).unwrap_or_default().to_owned()
}

fn text_of(value: &Value) -> String {
    match value {
        Value::Null => String::new(),
        Value::String(text) => text.clone(),
        other => other.to_string(),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    /// Finds the chat and prints it: `role: text [call name(arguments)] <- call`.
    #[track_caller]
    fn check(text: &str, expected: Option<&str>) {
        let chat = find(&serde_json::from_str(text).unwrap());
        let printed = chat.map(|messages| messages.iter().map(print).collect::<Vec<_>>().join(" / "));
        assert_eq!(printed.as_deref(), expected, "{text}");
    }

    fn print(message: &Message) -> String {
        let mut line = format!("{}: {}", message.role, message.text);
        for ToolCall { id, name, arguments } in &message.calls {
            line.push_str(&format!(" [{id} {name}({arguments})]"));
        }
        if !message.answers.is_empty() {
            line.push_str(&format!(" <- {}", message.answers));
        }
        line
    }

    #[test]
    fn a_list_of_messages_is_a_chat() {
        check(r#"[{"role": "user", "content": "Hi"}]"#, Some("user: Hi"));
        check(r#"{"model": "m", "messages": [{"role": "user", "content": "Hi"}]}"#, Some("user: Hi"));
        check(r#"{"result": [{"role": "user", "content": "Hi"}]}"#, Some("user: Hi"));
    }

    #[test]
    fn a_system_text_beside_the_messages_comes_first() {
        check(
            r#"{"system": "Be brief", "messages": [{"role": "user", "content": "Hi"}]}"#,
            Some("system: Be brief / user: Hi"),
        );
    }

    #[test]
    fn calls_of_tools_and_their_answers_are_told_apart() {
        check(
            r#"[{"role": "assistant", "content": null, "tool_calls":
                 [{"id": "c1", "type": "function", "function": {"name": "find", "arguments": "{\"q\":1}"}}]},
                {"role": "tool", "tool_call_id": "c1", "content": "42"}]"#,
            Some(r#"assistant:  [c1 find({"q":1})] / tool: 42 <- c1"#),
        );
        check(
            r#"[{"role": "assistant", "content": [{"type": "text", "text": "Let me look"},
                 {"type": "tool_use", "id": "c1", "name": "find", "input": {"q": 1}}]},
                {"role": "user", "content": [{"type": "tool_result", "tool_use_id": "c1", "content": "42"}]}]"#,
            Some(r#"assistant: Let me look [c1 find({"q":1})] / user: 42 <- c1"#),
        );
    }

    #[test]
    fn an_answer_alone_is_a_chat_of_one() {
        check(r#"{"role": "assistant", "content": "Yes"}"#, Some("assistant: Yes"));
        check(r#"{"content": [{"type": "text", "text": "Yes"}]}"#, Some("assistant: Yes"));
        check(
            r#"{"choices": [{"message": {"role": "assistant", "content": "Yes"}}]}"#,
            Some("assistant: Yes"),
        );
    }

    #[test]
    fn other_values_are_no_chat() {
        for text in
            ["[]", "{}", "[1]", r#"{"messages": "none"}"#, r#"{"role": "admin"}"#, r#"{"content": "x"}"#]
        {
            check(text, None);
        }
        check(r#"[{"role": "user", "content": "Hi"}, {"name": "x"}]"#, None);
    }
}
