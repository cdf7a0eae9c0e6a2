use std::fmt;

use serde::de::{Deserialize, Deserializer, MapAccess, Visitor};
use serde_json::Value;

use super::field::{Field, next_key};
use crate::pricing::Usage;

/// What the backend takes out of a span's attributes: JSON text of an object, as far as it is one.
#[derive(Debug, Default, PartialEq)]
pub(super) struct Attributes {
    /// Whether the span announces a root that still runs.
    pub(super) provisional: bool,
    pub(super) tags: Vec<String>,
    /// How many of the input's tokens a cache gave or took. The other tokens are not here.
    pub(super) usage: Usage,
}

impl Attributes {
    /// Reads the text. What cannot be read is as if it were not there: senders are free in what they attach.
    pub(super) fn of(json: &str) -> Self {
        if json == "{}" || json.is_empty() {
            return Self::default();
        }
        serde_json::from_str(json)
            .or_else(|_| serde_json::from_str(&without_bare_words(json)))
            .unwrap_or_default()
    }
}

impl<'de> Deserialize<'de> for Attributes {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        struct Object;

        impl<'de> Visitor<'de> for Object {
            type Value = Attributes;

            fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
                f.write_str("an object")
            }

            fn visit_map<A: MapAccess<'de>>(self, mut map: A) -> Result<Self::Value, A::Error> {
                let mut attributes = Attributes::default();
                while let Some(key) = next_key(&mut map)? {
                    if key == "tags" {
                        attributes.tags = tags(map.next_value()?);
                    } else {
                        attributes.take(&key, &map.next_value::<Field<'_>>()?);
                    }
                }
                Ok(attributes)
            }
        }

        deserializer.deserialize_map(Object)
    }
}

impl Attributes {
    fn take(&mut self, key: &str, value: &Field<'_>) {
        let count = || value.count(key).ok().flatten().unwrap_or(0);
        match key {
            "staso.provisional_root" => self.provisional = *value == Field::Boolean(true),
            // Providers name the same count differently; those that give both names give one number.
            "cache_read_input_tokens" | "cached_input_tokens" => {
                self.usage.cache_read = self.usage.cache_read.max(count());
            }
            "cache_creation_input_tokens" | "cache_write_input_tokens" => {
                self.usage.cache_write = self.usage.cache_write.max(count());
            }
            _ => {}
        }
    }
}

fn tags(value: Value) -> Vec<String> {
    let Value::Array(tags) = value else { return Vec::new() };
    tags.into_iter()
        .filter_map(|tag| match tag {
            Value::String(tag) => Some(tag),
            _ => None,
        })
        .collect()
}

/// The text with `null` for `NaN`, `Infinity` and `-Infinity`, which Python writes bare.
fn without_bare_words(json: &str) -> String {
    let mut rest = json;
    let mut valid = String::with_capacity(json.len());
    let (mut in_string, mut escaped) = (false, false);
    while let Some(char) = rest.chars().next() {
        if in_string {
            in_string = char != '"' || escaped;
            escaped = char == '\\' && !escaped;
        } else if let Some(after) =
            ["NaN", "-Infinity", "Infinity"].into_iter().find_map(|word| rest.strip_prefix(word))
        {
            valid.push_str("null");
            rest = after;
            continue;
        } else {
            in_string = char == '"';
        }
        valid.push(char);
        rest = rest.get(char.len_utf8()..).unwrap_or_default();
    }
    valid
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn tags_announcement_and_cached_tokens_are_read() {
        let json = r#"{"tags": ["a", 1, "b"], "staso.provisional_root": true, "cache_read_input_tokens": 7, "x": {"tags": []}}"#;
        let expected = Attributes {
            provisional: true,
            tags: vec!["a".to_owned(), "b".to_owned()],
            usage: Usage { cache_read: 7, ..Usage::default() },
        };
        assert_eq!(Attributes::of(json), expected);
    }

    #[test]
    fn numbers_that_json_cannot_write_do_not_hide_the_rest() {
        let json = r#"{"a": NaN, "b": [-Infinity, Infinity], "c": "\"NaN", "tags": ["NaN"]}"#;
        assert_eq!(Attributes::of(json).tags, ["NaN"]);
    }

    #[test]
    fn what_is_no_object_has_nothing() {
        for json in ["", "[]", "null", "{", "x", r#"{"tags":"a"}"#] {
            assert_eq!(Attributes::of(json), Attributes::default(), "{json}");
        }
    }
}
