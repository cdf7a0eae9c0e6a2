use serde::{Deserialize, Deserializer};
use serde_json::{Map, Value};

use crate::model::{MAX_NAME, MAX_VALUES};

/// The part of a span object of the wire that a page shows. Every field is read from whatever its sender
/// wrote there, and is empty where that says nothing.
#[derive(Debug, Default, Deserialize)]
#[serde(default)]
pub(in crate::web) struct Record {
    #[serde(deserialize_with = "text")]
    pub(in crate::web) input: String,
    #[serde(deserialize_with = "text")]
    pub(in crate::web) output: String,
    #[serde(deserialize_with = "text")]
    pub(in crate::web) attributes: String,
    #[serde(deserialize_with = "short")]
    pub(in crate::web) status: String,
    #[serde(deserialize_with = "text")]
    pub(in crate::web) error_message: String,
    #[serde(deserialize_with = "short")]
    pub(in crate::web) user_id: String,
    #[serde(deserialize_with = "short")]
    pub(in crate::web) session_id: String,
    #[serde(deserialize_with = "short")]
    pub(in crate::web) agent_version: String,
    #[serde(deserialize_with = "short")]
    pub(in crate::web) provider: String,
    #[serde(deserialize_with = "short")]
    pub(in crate::web) requested_model: String,
    #[serde(deserialize_with = "short")]
    pub(in crate::web) reasoning_effort: String,
    capture: Value,
}

/// What the keys of the attributes that have a meaning say.
#[derive(Debug, Default, PartialEq)]
pub(in crate::web) struct Known {
    pub(in crate::web) tags: Vec<String>,
    /// Such as `src/main.rs:42`.
    pub(in crate::web) source: String,
    pub(in crate::web) function: String,
    pub(in crate::web) exception: String,
    pub(in crate::web) commit: String,
    pub(in crate::web) branch: String,
    pub(in crate::web) repository: String,
    pub(in crate::web) dirty: bool,
    /// There are other keys too.
    pub(in crate::web) others: bool,
}

impl Record {
    /// Reads a record; one that cannot be read shows nothing of itself here, and is on the page as it came.
    pub(in crate::web) fn of(record: &str) -> Self {
        serde_json::from_str(record).unwrap_or_default()
    }

    /// The names of what the sender was told not to record, or whatever else became of it than being captured.
    pub(in crate::web) fn suppressed(&self) -> Vec<&str> {
        let entries = self.capture.as_object().into_iter().flatten();
        let is_kept =
            |state: &Value| state.as_str().is_none_or(|state| state.eq_ignore_ascii_case("captured"));
        let names = entries.filter(|(_, state)| !is_kept(state)).map(|(name, _)| cut(name));
        names.take(MAX_VALUES).collect()
    }

    pub(in crate::web) fn known(&self) -> Known {
        let attributes: Map<String, Value> = serde_json::from_str(&self.attributes).unwrap_or_default();
        let name = |value: &Value| cut(&plain(value)).to_owned();
        let text = |key: &str| attributes.get(key).map(name).unwrap_or_default();
        let tags = attributes.get("tags").and_then(Value::as_array).into_iter().flatten();
        let file = text("code.filepath");
        let line = text("code.lineno");
        Known {
            tags: tags.take(MAX_VALUES).map(name).collect(),
            source: if line.is_empty() { file } else { format!("{file}:{line}") },
            function: text("code.function"),
            exception: text("exception.type"),
            commit: text("vcs.commit.sha"),
            branch: text("vcs.branch"),
            repository: text("vcs.repo_url"),
            dirty: attributes.get("vcs.is_dirty") == Some(&Value::Bool(true)),
            others: attributes.keys().any(|key| !has_a_place(key)),
        }
    }
}

/// Whether the page shows the key apart from the other attributes.
fn has_a_place(key: &str) -> bool {
    key.starts_with("code.")
        || key.starts_with("vcs.")
        || ["tags", "exception.type", "tool_name", "staso.provisional_root"].contains(&key)
}

fn plain(value: &Value) -> String {
    match value {
        Value::Null => String::new(),
        Value::String(text) => text.clone(),
        other => other.to_string(),
    }
}

/// A text that is shown whole, and so is cut where it is long.
fn short<'de, D: Deserializer<'de>>(deserializer: D) -> Result<String, D::Error> {
    text(deserializer).map(|text| cut(&text).to_owned())
}

fn cut(text: &str) -> &str {
    text.get(..text.floor_char_boundary(MAX_NAME)).unwrap_or(text)
}

fn text<'de, D: Deserializer<'de>>(deserializer: D) -> Result<String, D::Error> {
    Value::deserialize(deserializer).map(|value| plain(&value))
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;

    #[test]
    fn the_attributes_with_a_meaning_are_found() {
        let record = Record::of(
            &json!({"attributes": json!({
                "code.filepath": "src/a.rs", "code.lineno": 7, "tags": ["x", 1],
                "vcs.commit.sha": "abc", "vcs.is_dirty": true, "mine": null,
            }).to_string()})
            .to_string(),
        );
        let expected = Known {
            tags: vec!["x".to_owned(), "1".to_owned()],
            source: "src/a.rs:7".to_owned(),
            commit: "abc".to_owned(),
            dirty: true,
            others: true,
            ..Known::default()
        };
        assert_eq!(record.known(), expected);
    }

    #[test]
    fn fields_of_any_type_are_read() {
        let record = Record::of(r#"{"input": {"a": 1}, "output": null, "attributes": 3, "user_id": 5}"#);
        assert_eq!(
            (record.input.as_str(), record.output.as_str(), record.user_id.as_str()),
            (r#"{"a":1}"#, "", "5")
        );
        assert_eq!(record.known(), Known::default());
    }

    #[test]
    fn what_was_suppressed_is_named() {
        let record = Record::of(
            r#"{"capture": {"request": "Captured", "output": "SUPPRESSED", "tool_schema": "redacted"}}"#,
        );
        assert_eq!(record.suppressed(), ["output", "tool_schema"]);
    }

    #[test]
    fn a_record_that_cannot_be_read_shows_nothing() {
        assert_eq!(Record::of(&"[".repeat(100_000)).input, "");
    }
}
