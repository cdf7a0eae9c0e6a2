use std::fmt;

use serde::de::{Deserialize, Deserializer, MapAccess, SeqAccess, Visitor};
use serde_json::value::RawValue;

use super::{
    field::{Field, next_key},
    mend::mended,
    told::Told,
};
use crate::{model::name_in_index, pricing::Usage};

/// A span is found by so many tags; its record has them all.
const MAX_TAGS: usize = 100;

/// What the backend takes out of a span's attributes: JSON text of an object, as far as it is one.
#[derive(Debug, Default, PartialEq)]
pub(super) struct Attributes {
    /// Whether the span announces a root that still runs.
    pub(super) provisional: bool,
    pub(super) tags: Vec<String>,
    /// What is told of the tokens beside their counts in and out, which are not here.
    pub(super) usage: Usage,
    /// The service tier; empty when none is told.
    pub(super) tier: String,
    /// Who answered, where the attributes say it; may be empty.
    pub(super) provider: String,
}

impl Attributes {
    /// Reads the text. What cannot be read is as if it were not there: senders are free in what they attach.
    pub(super) fn of(json: &str) -> Self {
        if json == "{}" || json.is_empty() {
            return Self::default();
        }
        serde_json::from_str(json).or_else(|_| serde_json::from_str(&mended(json))).unwrap_or_default()
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
                let mut told = Told::default();
                while let Some(key) = next_key(&mut map)? {
                    if key == "tags" {
                        let json = map.next_value::<&RawValue>()?.get();
                        attributes.tags =
                            serde_json::from_str(json).map(|Tags(tags)| tags).unwrap_or_default();
                        continue;
                    }
                    let value = map.next_value::<Field<'_>>()?;
                    match &*key {
                        "staso.provisional_root" => attributes.provisional = value == Field::Boolean(true),
                        key => told.take(key, &value),
                    }
                }
                told.put_into(&mut attributes);
                Ok(attributes)
            }
        }

        deserializer.deserialize_map(Object)
    }
}

/// The texts of an array, at most [`MAX_TAGS`]; what is no text is passed over.
struct Tags(Vec<String>);

impl<'de> Deserialize<'de> for Tags {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        struct Array;

        impl<'de> Visitor<'de> for Array {
            type Value = Tags;

            fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
                f.write_str("an array of strings")
            }

            fn visit_seq<A: SeqAccess<'de>>(self, mut array: A) -> Result<Self::Value, A::Error> {
                let mut tags = Vec::new();
                while let Some(element) = array.next_element::<Field<'_>>()? {
                    if let (Field::Text(tag), ..MAX_TAGS) = (element, tags.len()) {
                        tags.push(name_in_index(&tag).to_owned());
                    }
                }
                Ok(Tags(tags))
            }
        }

        deserializer.deserialize_seq(Array)
    }
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
            ..Attributes::default()
        };
        assert_eq!(Attributes::of(json), expected);
    }

    #[test]
    fn tags_without_end_are_held_to_some() {
        let tags = format!(r#"{{"tags": ["{}", {}"x"]}}"#, "é".repeat(2_000), r#""t", 1, "#.repeat(5_000));
        let tags = Attributes::of(&tags).tags;
        assert_eq!((tags.len(), tags[0].len(), &*tags[99]), (MAX_TAGS, 1_024, "t"));
    }

    #[test]
    fn numbers_that_json_cannot_write_do_not_hide_the_rest() {
        let json = r#"{"a": NaN, "b": [-Infinity, 1e400], "c": "\"NaN", "tags": ["NaN", "\ud83d"]}"#;
        assert_eq!(Attributes::of(json).tags, ["NaN", "\u{fffd}"]);
    }

    #[test]
    fn what_is_no_object_has_nothing() {
        for json in ["", "[]", "null", "{", "x", r#"{"tags":"a"}"#, r#"{"tags":{}}"#] {
            assert_eq!(Attributes::of(json), Attributes::default(), "{json}");
        }
    }
}
