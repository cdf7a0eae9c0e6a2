use std::fmt;

use serde::de::{Deserialize, Deserializer, MapAccess, Visitor};
use serde_json::value::RawValue;

/// JSON of which one level is read at a time. What is beneath stays as its sender wrote it, with all digits of numbers
/// and the order of keys.
#[derive(Clone, Copy, Debug)]
pub(super) struct Json<'a>(&'a str);

/// The keys and values of an object, in order.
pub(super) struct Object<'a>(Vec<(String, Json<'a>)>);

impl<'a> Json<'a> {
    /// Reads a text; `None` when it is not JSON.
    pub(super) fn of(text: &'a str) -> Option<Self> {
        serde_json::from_str::<&RawValue>(text).ok().map(|raw| Self(raw.get()))
    }

    pub(super) fn object(self) -> Option<Object<'a>> {
        self.0.starts_with('{').then(|| serde_json::from_str(self.0).ok()).flatten()
    }

    pub(super) fn array(self) -> Option<Vec<Self>> {
        let items: Vec<&RawValue> =
            self.0.starts_with('[').then(|| serde_json::from_str(self.0).ok()).flatten()?;
        Some(items.into_iter().map(|raw| Self(raw.get())).collect())
    }

    pub(super) fn string(self) -> Option<String> {
        self.0.starts_with('"').then(|| serde_json::from_str(self.0).ok()).flatten()
    }

    pub(super) fn is_null(self) -> bool {
        self.0 == "null"
    }

    pub(super) fn is_true(self) -> bool {
        self.0 == "true"
    }

    /// A string's text; nothing for null; anything else as it was written.
    pub(super) fn text(self) -> String {
        if self.is_null() {
            return String::new();
        }
        self.string().unwrap_or_else(|| self.0.to_owned())
    }
}

impl<'a> Object<'a> {
    pub(super) fn get(&self, key: &str) -> Option<Json<'a>> {
        self.0.iter().rev().find_map(|(name, value)| (name == key).then_some(*value))
    }

    /// The text of a string; empty for anything else.
    pub(super) fn string(&self, key: &str) -> String {
        self.get(key).and_then(Json::string).unwrap_or_default()
    }

    pub(super) fn entries(&self) -> impl Iterator<Item = (&str, Json<'a>)> {
        self.0.iter().map(|(key, value)| (key.as_str(), *value))
    }

    pub(super) fn len(&self) -> usize {
        self.0.len()
    }
}

impl<'de: 'a, 'a> Deserialize<'de> for Object<'a> {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        struct Entries;

        impl<'de> Visitor<'de> for Entries {
            type Value = Object<'de>;

            fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
                f.write_str("an object")
            }

            fn visit_map<A: MapAccess<'de>>(self, mut map: A) -> Result<Self::Value, A::Error> {
                let mut entries = Vec::new();
                while let Some((key, value)) = map.next_entry::<String, &RawValue>()? {
                    entries.push((key, Json(value.get())));
                }
                Ok(Object(entries))
            }
        }

        deserializer.deserialize_map(Entries)
    }
}
