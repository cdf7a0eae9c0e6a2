use std::fmt;

use serde::{
    de::{Deserialize, Deserializer, MapAccess, Visitor},
    ser::{SerializeMap as _, Serializer as _},
};
use serde_json::value::RawValue;

/// The record of a span that came without an identifier, with one. Its other keys stay as they came, and in
/// their order.
pub(super) fn with_span_id(json: &str, id: &str) -> Result<Box<RawValue>, serde_json::Error> {
    let Entries(entries) = serde_json::from_str(json)?;
    let mut written = Vec::with_capacity(json.len() + id.len() + 16);
    let mut serializer = serde_json::Serializer::new(&mut written);
    let mut map = serializer.serialize_map(None)?;
    map.serialize_entry("span_id", id)?;
    for (key, value) in entries.iter().filter(|(key, _)| key != "span_id") {
        map.serialize_entry(key, value)?;
    }
    map.end()?;
    serde_json::from_slice(&written)
}

/// The keys and values of an object, in order.
struct Entries<'a>(Vec<(String, &'a RawValue)>);

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
}
