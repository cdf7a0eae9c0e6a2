use std::{borrow::Cow, collections::HashSet, fmt};

use serde::{
    de::{Deserialize, Deserializer, MapAccess, Visitor},
    ser::{Serialize, SerializeMap as _, Serializer},
};
use serde_json::value::{RawValue, to_raw_value};

/// The keys and values of an object, in order.
pub(super) struct Entries<'a>(Vec<(String, &'a RawValue)>);

impl Entries<'_> {
    /// Whether the key is absent, or null, empty or 0: what SDKs write where they have nothing to say.
    pub(super) fn says_nothing(&self, key: &str) -> bool {
        self.get(key).is_none_or(|value| ["null", "\"\"", "0", "0.0"].contains(&value))
    }

    /// The text of a key; empty where it is none.
    pub(super) fn text(&self, key: &str) -> Cow<'_, str> {
        self.get(key).and_then(|value| serde_json::from_str(value).ok()).map_or(Cow::Borrowed(""), Cow::Owned)
    }

    fn get(&self, key: &str) -> Option<&str> {
        self.0.iter().find(|(known, _)| known == key).map(|(_, value)| value.get())
    }
}

/// The record of a span that came without an identifier, with one. Its other keys stay as they came, and in
/// their order.
pub(super) fn with_span_id(json: &str, id: &str) -> Result<Box<RawValue>, serde_json::Error> {
    Ok(filled(&serde_json::from_str(json)?, &[("span_id", to_raw_value(id)?)]))
}

/// The object with these keys first, in place of its own of the same names. Its other keys stay as they came, and in
/// their order.
pub(super) fn filled(entries: &Entries<'_>, with: &[(&str, Box<RawValue>)]) -> Box<RawValue> {
    // Keys are texts, and values are written already.
    to_raw_value(&Filled { with, entries }).unwrap_or_default()
}

/// The JSON text of an object with what the text of another one has beside it. `None` where that is nothing, or where one
/// of them is no object.
pub(super) fn merged(own: &str, more: &str) -> Option<String> {
    let own = if own.is_empty() { "{}" } else { own };
    let (own, more): (Entries<'_>, Entries<'_>) =
        (serde_json::from_str(own).ok()?, serde_json::from_str(more).ok()?);
    let known: HashSet<&str> = own.0.iter().map(|(key, _)| key.as_str()).collect();
    let missing = more.0.into_iter().filter(|(key, _)| !known.contains(key.as_str()));
    let missing: Vec<(String, Box<RawValue>)> = missing.map(|(key, value)| (key, value.to_owned())).collect();
    let with: Vec<(&str, Box<RawValue>)> =
        missing.iter().map(|(key, value)| (key.as_str(), value.clone())).collect();
    (!with.is_empty()).then(|| filled(&own, &with).get().to_owned())
}

struct Filled<'a> {
    with: &'a [(&'a str, Box<RawValue>)],
    entries: &'a Entries<'a>,
}

impl Serialize for Filled<'_> {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        let mut map = serializer.serialize_map(None)?;
        for (key, value) in self.with {
            map.serialize_entry(key, value)?;
        }
        let filled: HashSet<&str> = self.with.iter().map(|(key, _)| *key).collect();
        for (key, value) in self.entries.0.iter().filter(|(key, _)| !filled.contains(key.as_str())) {
            map.serialize_entry(key, value)?;
        }
        map.end()
    }
}

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
    use super::*;

    #[test]
    fn everything_but_the_identifier_stays_as_it_came() {
        let json = r#"{ "z": 1.50, "span_id": null, "a": [1, {"b": "\u00e9"}], "k\"": 1e2 }"#;
        let expected = r#"{"span_id":"new","z":1.50,"a":[1, {"b": "\u00e9"}],"k\"":1e2}"#;
        assert_eq!(with_span_id(json, "new").unwrap().get(), expected);
    }

    #[test]
    fn an_object_keeps_its_own_and_gets_what_it_lacks() {
        assert_eq!(merged(r#"{"a": 1.0}"#, r#"{"a":2,"b":[3]}"#).unwrap(), r#"{"b":[3],"a":1.0}"#);
        assert_eq!(merged("", r#"{"a":2}"#).unwrap(), r#"{"a":2}"#);
        for (own, more) in [("[]", r#"{"a":1}"#), ("{}", "x"), (r#"{"a":1}"#, r#"{"a":2}"#)] {
            assert_eq!(merged(own, more), None, "{own} {more}");
        }
    }

    #[test]
    fn objects_of_very_many_keys_are_looked_through_once() {
        let object = |prefix: &str| {
            let entries: Vec<String> =
                (0..100_000).map(|number| format!(r#""{prefix}{number}":1"#)).collect();
            format!("{{{}}}", entries.join(","))
        };
        let both = merged(&object("own"), &object("more")).unwrap();
        assert_eq!(serde_json::from_str::<Entries<'_>>(&both).unwrap().0.len(), 200_000);
    }
}
