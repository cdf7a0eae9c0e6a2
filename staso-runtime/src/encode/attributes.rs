use super::text::write_string;
use crate::record::{SpanKind, SpanRecord};

const PROVISIONAL: &str = "staso.provisional_root";

/// Writes the `attributes` of a span as a JSON object. Wire contract, section 7.
pub(super) fn write(record: &SpanRecord, out: &mut Vec<u8>) {
    let attributes = Attributes::of(record);
    out.push(b'{');
    for (index, (key, value)) in attributes.0.iter().enumerate() {
        if index > 0 {
            out.push(b',');
        }
        write_string(key, out);
        out.push(b':');
        match value {
            Value::Text(text) => write_string(text, out),
            Value::Number(number) => out.extend_from_slice(itoa::Buffer::new().format(*number).as_bytes()),
            Value::Flag(true) => out.extend_from_slice(b"true"),
            Value::Flag(false) => out.extend_from_slice(b"false"),
            Value::Tags => write_tags(record, out),
            Value::Json(json) => out.extend_from_slice(json.as_bytes()),
        }
    }
    out.push(b'}');
}

/// Attributes in the order in which their keys were first written.
struct Attributes<'a>(Vec<(&'a str, Value<'a>)>);

#[derive(Clone, Copy)]
enum Value<'a> {
    Text(&'a str),
    Number(u32),
    Flag(bool),
    Tags,
    Json(&'a str),
}

impl<'a> Attributes<'a> {
    fn of(record: &'a SpanRecord) -> Self {
        let mut attributes = Self(Vec::new());
        if let Some(git) = record.git() {
            attributes.set("vcs.commit.sha", Value::Text(&git.commit_sha));
            attributes.set("vcs.branch", Value::Text(&git.branch));
            attributes.set("vcs.repo_url", Value::Text(&git.repo_url));
            attributes.set("vcs.is_dirty", Value::Flag(git.is_dirty));
        }
        if record.states_name() && record.kind() == SpanKind::Tool {
            attributes.set("tool_name", Value::Text(record.own_name()));
        }
        if let Some((file, line, function)) = record.source().filter(|_| record.is_function()) {
            attributes.set("code.filepath", Value::Text(file));
            attributes.set("code.lineno", Value::Number(line));
            attributes.set("code.function", Value::Text(function));
        }
        if record.tags().next().is_some() {
            attributes.set("tags", Value::Tags);
        }
        // The mark of an announcement is ours alone: on a span that ended it would say that it still runs.
        for (key, json) in record.metadata().filter(|(key, _)| *key != PROVISIONAL) {
            attributes.set(key, Value::Json(json));
        }
        if record.is_provisional() {
            attributes.set(PROVISIONAL, Value::Flag(true));
        }
        if let Some(exception) = record.exception_type() {
            attributes.set("exception.type", Value::Text(exception));
        }
        attributes
    }

    /// A later value takes the place of an earlier one.
    fn set(&mut self, key: &'a str, value: Value<'a>) {
        match self.0.iter_mut().find(|(known, _)| *known == key) {
            Some((_, earlier)) => *earlier = value,
            None => self.0.push((key, value)),
        }
    }
}

fn write_tags(record: &SpanRecord, out: &mut Vec<u8>) {
    out.push(b'[');
    for (index, tag) in record.tags().enumerate() {
        if index > 0 {
            out.push(b',');
        }
        write_string(tag, out);
    }
    out.push(b']');
}
