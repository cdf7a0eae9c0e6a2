use super::json::{Json, Object};
use crate::model::name_in_index;

/// One message of a chat with a model.
#[derive(Clone, Debug, Default, PartialEq)]
pub(in crate::web) struct Message {
    /// Such as `user`; as it came.
    pub(in crate::web) role: String,
    /// Who of several with that role; may be empty.
    pub(in crate::web) name: String,
    /// Its text; may be empty.
    pub(in crate::web) text: String,
    /// What the model thought before it spoke; may be empty.
    pub(in crate::web) thoughts: String,
    /// Why the model does not answer; may be empty.
    pub(in crate::web) refusal: String,
    /// The tools it asks for.
    pub(in crate::web) calls: Vec<ToolCall>,
    /// Which call a tool's answer belongs to; may be empty.
    pub(in crate::web) answers: String,
    /// Whether the tool failed.
    pub(in crate::web) failed: bool,
    /// Pictures, as `data:` addresses.
    pub(in crate::web) pictures: Vec<String>,
    /// Names of fields that say more and are not shown.
    pub(in crate::web) others: Vec<String>,
}

/// A model's wish to have a tool called.
#[derive(Clone, Debug, PartialEq)]
pub(in crate::web) struct ToolCall {
    pub(in crate::web) id: String,
    pub(in crate::web) name: String,
    /// JSON text as it was written, as far as the model wrote JSON.
    pub(in crate::web) arguments: String,
}

impl Message {
    /// What it says to a reader.
    pub(in crate::web) fn said(&self) -> &str {
        if self.text.is_empty() { &self.refusal } else { &self.text }
    }
}

/// The chat in a value: a list of messages, an object that holds one under `messages`, a single message, or
/// any of these as the only `result`.
pub(super) fn find(value: Json<'_>) -> Option<Vec<Message>> {
    if let Some(items) = value.array() {
        return messages(&items);
    }
    let object = value.object()?;
    if let Some(chat) = in_object(&object) {
        return Some(chat);
    }
    let result = object.get("result").filter(|_| object.len() == 1)?;
    match result.array() {
        Some(items) => messages(&items),
        None => in_object(&result.object()?),
    }
}

fn in_object(object: &Object<'_>) -> Option<Vec<Message>> {
    if let Some(items) = object.get("messages").and_then(Json::array) {
        let mut chat = messages(&items)?;
        if let Some(system) = object.get("system") {
            chat.insert(0, Message { role: "system".to_owned(), ..first(contents(system)) });
        }
        return Some(chat);
    }
    if let Some(choices) = object.get("choices").and_then(Json::array) {
        let chat = choices.iter().map(|choice| message(choice.object()?.get("message")?));
        return chat.collect::<Option<Vec<_>>>().map(|chat| chat.into_iter().flatten().collect());
    }
    if object.get("role").is_some() {
        return message_of(object);
    }
    let content = object.get("content").filter(|content| object.len() == 1 && content.array().is_some())?;
    let with_role = |message| Message { role: "assistant".to_owned(), ..message };
    Some(contents(content).into_iter().map(with_role).collect())
}

fn messages(items: &[Json<'_>]) -> Option<Vec<Message>> {
    if items.is_empty() {
        return None;
    }
    let chat = items.iter().map(|item| message(*item)).collect::<Option<Vec<_>>>()?;
    Some(chat.into_iter().flatten().collect())
}

fn message(value: Json<'_>) -> Option<Vec<Message>> {
    message_of(&value.object()?)
}

/// A message; more than one where it brings the answers of several tools.
fn message_of(object: &Object<'_>) -> Option<Vec<Message>> {
    const SAYS: [&str; 6] =
        ["content", "tool_calls", "function_call", "refusal", "reasoning_content", "reasoning"];
    const SHOWN: [&str; 6] = ["role", "name", "tool_call_id", "type", "id", "status"];
    let role = object.get("role")?.string()?;
    // Each answer of a tool gets both.
    let (role, name) = (name_in_index(&role), object.string("name"));
    let name = name_in_index(&name);
    if !SAYS.iter().any(|key| object.get(key).is_some()) {
        return None;
    }
    let mut parts = object.get("content").map(contents).unwrap_or_default();
    if parts.is_empty() {
        parts.push(Message::default());
    }
    for message in &mut parts {
        role.clone_into(&mut message.role);
        name.clone_into(&mut message.name);
    }
    let message = parts.first_mut()?;
    let calls = object.get("tool_calls").and_then(Json::array).unwrap_or_default();
    message.calls.extend(calls.into_iter().chain(object.get("function_call")).filter_map(call));
    if let Some(id) = object.get("tool_call_id").and_then(Json::string) {
        message.answers = id;
    }
    if message.refusal.is_empty() {
        message.refusal = object.get("refusal").map(Json::text).unwrap_or_default();
    }
    if message.thoughts.is_empty() {
        let thoughts = ["reasoning_content", "reasoning"].iter().filter_map(|key| object.get(key));
        message.thoughts = thoughts.map(Json::text).find(|text| !text.is_empty()).unwrap_or_default();
    }
    let is_more = |(key, value): &(&str, Json<'_>)| {
        let empty = value.is_null() || value.array().is_some_and(|items| items.is_empty());
        !SAYS.contains(key) && !SHOWN.contains(key) && !empty
    };
    message.others.extend(object.entries().filter(is_more).map(|(key, _)| key.to_owned()));
    Some(parts)
}

/// Reads a `content`: a text, or a list of parts. Each answer of a tool is a message of its own.
fn contents(content: Json<'_>) -> Vec<Message> {
    contents_of(content, true)
}

/// The same; answers inside an answer, which may go on for ever, stay as they are written.
fn contents_of(content: Json<'_>, may_answer: bool) -> Vec<Message> {
    let Some(parts) = content.array() else {
        return vec![Message { text: content.text(), ..Message::default() }];
    };
    let mut messages: Vec<Message> = Vec::new();
    let mut texts = Vec::new();
    let mut spoken = Message::default();
    for part in parts {
        let Some(object) = part.object() else {
            texts.push(part.text());
            continue;
        };
        match object.string("type").as_str() {
            "tool_use" => spoken.calls.extend(call(part)),
            "tool_result" if may_answer => messages.push(tool_result(&object)),
            "thinking" | "reasoning" => {
                let thought = ["thinking", "text", "reasoning"].iter().find_map(|key| object.get(key));
                push_line(&mut spoken.thoughts, &thought.map(Json::text).unwrap_or_default());
            }
            "refusal" => push_line(&mut spoken.refusal, &object.string("refusal")),
            _ => match (picture(&object), object.get("text").and_then(Json::string)) {
                (Some(picture), _) => spoken.pictures.push(picture),
                (None, Some(text)) => texts.push(text),
                (None, None) => texts.push(part.text()),
            },
        }
    }
    spoken.text = texts.join("\n");
    if spoken != Message::default() || messages.is_empty() {
        messages.insert(0, spoken);
    }
    messages
}

fn tool_result(object: &Object<'_>) -> Message {
    let result = object.get("content").map(|content| contents_of(content, false)).unwrap_or_default();
    Message {
        answers: object.string("tool_use_id"),
        failed: object.get("is_error").is_some_and(Json::is_true),
        ..first(result)
    }
}

fn first(messages: Vec<Message>) -> Message {
    messages.into_iter().next().unwrap_or_default()
}

fn push_line(text: &mut String, line: &str) {
    if !text.is_empty() {
        text.push('\n');
    }
    text.push_str(line);
}

/// A picture in `{"image_url": {"url": "data:…"}}`, `{"source": {"media_type", "data"}}` or `{"image_url": "data:…"}`.
fn picture(part: &Object<'_>) -> Option<String> {
    if let Some(source) = part.get("source").and_then(Json::object) {
        let address = format!("data:{};base64,{}", source.string("media_type"), source.string("data"));
        return is_picture(&address).then_some(address);
    }
    let image = part.get("image_url")?;
    let address = match image.object() {
        Some(image) => image.string("url"),
        None => image.string()?,
    };
    is_picture(&address).then_some(address)
}

/// Whether a text is the address of a picture that has it in itself, of a kind that browsers show and that runs nothing.
pub(super) fn is_picture(text: &str) -> bool {
    let kinds = ["png", "jpeg", "jpg", "gif", "webp", "avif"];
    let kind = text.strip_prefix("data:image/").and_then(|rest| rest.split_once(";base64,"));
    kind.is_some_and(|(kind, data)| {
        let is_base64 = |byte: u8| byte.is_ascii_alphanumeric() || b"+/=-_".contains(&byte);
        kinds.contains(&kind) && !data.is_empty() && data.bytes().all(is_base64)
    })
}

/// Reads `{"id", "function": {"name", "arguments"}}`, `{"id", "name", "input"}` and `{"name", "arguments"}`.
fn call(value: Json<'_>) -> Option<ToolCall> {
    let object = value.object()?;
    let inner = ["function", "custom"].iter().find_map(|key| object.get(key)?.object());
    let function = inner.as_ref().unwrap_or(&object);
    let arguments = ["arguments", "input", "args"].iter().find_map(|key| function.get(key));
    Some(ToolCall {
        id: object.string("id"),
        name: function.string("name"),
        arguments: arguments.map(Json::text).unwrap_or_default(),
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    /// Finds the chat and prints it: `role: text [call name(arguments)] <- call`.
    #[track_caller]
    fn check(text: &str, expected: Option<&str>) {
        let chat = Json::of(text).and_then(find);
        let printed = chat.map(|messages| messages.iter().map(print).collect::<Vec<_>>().join(" / "));
        assert_eq!(printed.as_deref(), expected, "{text}");
    }

    fn print(message: &Message) -> String {
        let name = if message.name.is_empty() { String::new() } else { format!(" {}", message.name) };
        let mut line = format!("{}{name}: {}", message.role, message.text);
        if !message.thoughts.is_empty() {
            line.push_str(&format!(" (thought {})", message.thoughts));
        }
        if !message.refusal.is_empty() {
            line.push_str(&format!(" (refused: {})", message.refusal));
        }
        if !message.others.is_empty() {
            line.push_str(&format!(" (more: {})", message.others.join(", ")));
        }
        for ToolCall { id, name, arguments } in &message.calls {
            line.push_str(&format!(" [{id} {name}({arguments})]"));
        }
        if !message.answers.is_empty() {
            line.push_str(&format!(" <- {}{}", message.answers, if message.failed { " failed" } else { "" }));
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
            Some(r#"assistant: Let me look [c1 find({"q": 1})] / user: 42 <- c1"#),
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
    fn answers_within_answers_are_no_recursion() {
        const DEPTH: usize = 50_000;
        let nested = r#"[{"type":"tool_result","content":"#.repeat(DEPTH) + "1" + &"}]".repeat(DEPTH);
        let text = format!(r#"[{{"role":"user","content":{nested}}}]"#);
        let chat = find(Json::of(&text).unwrap()).unwrap();
        assert_eq!(chat.len(), 1);
        assert!(chat[0].text.starts_with(r#"{"type":"tool_result""#));
    }

    #[test]
    fn a_message_of_very_many_fields_is_looked_through_once() {
        let fields: String = (0..100_000).map(|number| format!(r#","k{number}":1"#)).collect();
        let text = format!(r#"{{"role":"user","content":"hi"{fields}}}"#);
        assert_eq!(find(Json::of(&text).unwrap()).unwrap()[0].others.len(), 100_000);
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

    #[test]
    fn b4_messages_show_all_that_they_say() {
        check(
            r#"{"messages": [{"role":"assistant","content":null,"refusal":"I cannot help"}]}"#,
            Some("assistant:  (refused: I cannot help)"),
        );
        check(
            r#"[{"role":"assistant","content":null,"function_call":{"name":"f","arguments":"{\"a\":1}"}}]"#,
            Some(r#"assistant:  [ f({"a":1})]"#),
        );
        check(
            r#"[{"role":"assistant","content":"hi","reasoning_content":"thoughts"}]"#,
            Some("assistant: hi (thought thoughts)"),
        );
        check(
            r#"[{"role":"user","content":[{"type":"tool_result","tool_use_id":"t","is_error":true,"content":"boom"}]}]"#,
            Some("user: boom <- t failed"),
        );
        check(r#"[{"role":"user","name":"bob","content":"hi"}]"#, Some("user bob: hi"));
        check(
            r#"[{"role":"assistant","content":[{"type":"tool_use","id":"t","name":"f","input":{"zeta":1,"alpha":12345678901234567890123}}]}]"#,
            Some(r#"assistant:  [t f({"zeta":1,"alpha":12345678901234567890123})]"#),
        );
    }

    #[test]
    fn parts_of_other_kinds_are_shown_too() {
        check(
            r#"[{"role":"assistant","content":[{"type":"thinking","thinking":"hm"},{"type":"text","text":"Yes"}]}]"#,
            Some("assistant: Yes (thought hm)"),
        );
        check(
            r#"[{"role":"assistant","content":[{"type":"refusal","refusal":"No"}]}]"#,
            Some("assistant:  (refused: No)"),
        );
        check(
            r#"[{"role":"user","content":[{"type":"tool_result","tool_use_id":"a","content":"1"},
                 {"type":"tool_result","tool_use_id":"b","content":[{"type":"text","text":"2"}]}]}]"#,
            Some("user: 1 <- a / user: 2 <- b"),
        );
        check(
            r#"[{"role":"assistant","content":"hi","audio":{"id":"x"},"annotations":[],"tool_calls":null}]"#,
            Some("assistant: hi (more: audio)"),
        );
    }

    #[test]
    fn pictures_are_found_and_other_media_are_not_taken_for_one() {
        let pictures = |part: &str| {
            let chat = format!(r#"[{{"role":"user","content":[{part}]}}]"#);
            find(Json::of(&chat).unwrap()).unwrap().remove(0).pictures
        };
        let png = "data:image/png;base64,iVBORw0KGgo=";
        assert_eq!(pictures(&format!(r#"{{"type":"image_url","image_url":{{"url":"{png}"}}}}"#)), [png]);
        assert_eq!(pictures(&format!(r#"{{"type":"input_image","image_url":"{png}"}}"#)), [png]);
        let source = r#"{"type":"base64","media_type":"image/png","data":"iVBORw0KGgo="}"#;
        assert_eq!(pictures(&format!(r#"{{"type":"image","source":{source}}}"#)), [png]);
        for other in
            ["data:image/svg+xml;base64,AAAA", "https://example.com/a.png", "data:image/png;base64,\\u0022"]
        {
            assert!(
                pictures(&format!(r#"{{"type":"image_url","image_url":{{"url":"{other}"}}}}"#)).is_empty(),
                "{other}"
            );
        }
    }
}
