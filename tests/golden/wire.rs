//! Requests as they are on the wire: what the objects hold, and in which order.

use std::{collections::BTreeMap, fmt};

use serde::{
    Deserialize, Deserializer,
    de::{MapAccess, Visitor},
};
use serde_json::Value;

use crate::support::server::Arrival;

/// One request, captured or received.
#[derive(Clone, Deserialize)]
pub struct Request {
    pub method: String,
    pub path: String,
    pub headers: BTreeMap<String, String>,
    pub body: Fields,
}

/// An object whose keys are in the order of the wire.
#[derive(Clone, Default)]
pub struct Fields(pub Vec<(String, Field)>);

/// What the objects of a request hold.
#[derive(Clone)]
pub enum Field {
    /// Anything whose inner order does not matter.
    Value(Value),
    /// The `capture` of a span.
    Object(Fields),
    /// `traces` or `spans`.
    List(Vec<Fields>),
}

impl Request {
    pub fn of(arrival: &Arrival) -> Self {
        let Arrival { method, path, headers, body, .. } = arrival;
        Self {
            method: method.clone(),
            path: path.clone(),
            headers: headers.iter().cloned().collect(),
            body: serde_json::from_slice(body).unwrap_or_else(|error| panic!("{error} in {arrival:?}")),
        }
    }

    pub fn header(&self, name: &str) -> Option<&str> {
        let header = self.headers.iter().find(|(known, _)| known.eq_ignore_ascii_case(name));
        header.map(|(_, value)| value.as_str())
    }

    pub fn spans(&self) -> impl Iterator<Item = &Fields> {
        self.body.list("traces").iter().flat_map(|trace| trace.list("spans"))
    }

    pub fn spans_mut(&mut self) -> impl Iterator<Item = &mut Fields> {
        self.body.list_mut("traces").iter_mut().flat_map(|trace| trace.list_mut("spans"))
    }
}

impl Fields {
    pub fn get(&self, key: &str) -> Option<&Field> {
        self.0.iter().find(|(known, _)| known == key).map(|(_, field)| field)
    }

    /// A text; empty if there is none of this key.
    pub fn text(&self, key: &str) -> &str {
        match self.get(key) {
            Some(Field::Value(Value::String(text))) => text,
            _ => "",
        }
    }

    pub fn list(&self, key: &str) -> &[Self] {
        match self.get(key) {
            Some(Field::List(items)) => items,
            _ => &[],
        }
    }

    pub fn list_mut(&mut self, key: &str) -> &mut [Self] {
        match self.0.iter_mut().find(|(known, _)| known == key) {
            Some((_, Field::List(items))) => items,
            _ => &mut [],
        }
    }

    /// Replaces a value that is there, and gives the earlier one.
    pub fn replace(&mut self, key: &str, value: Value) -> Value {
        match self.0.iter_mut().find(|(known, _)| known == key) {
            Some((_, Field::Value(known))) => std::mem::replace(known, value),
            _ => panic!("there is no value {key:?}"),
        }
    }

    pub fn is_span(&self) -> bool {
        self.get("attributes").is_some()
    }

    /// Whether it announces a root that still runs.
    pub fn is_provisional(&self) -> bool {
        self.text("attributes").contains("staso.provisional_root")
    }
}

impl<'de> Deserialize<'de> for Fields {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        deserializer.deserialize_map(InOrder)
    }
}

struct InOrder;

impl<'de> Visitor<'de> for InOrder {
    type Value = Fields;

    fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("an object")
    }

    fn visit_map<A: MapAccess<'de>>(self, mut map: A) -> Result<Fields, A::Error> {
        let mut fields = Vec::new();
        while let Some(key) = map.next_key::<String>()? {
            let field = match key.as_str() {
                "traces" | "spans" => Field::List(map.next_value()?),
                "capture" => Field::Object(map.next_value()?),
                _ => Field::Value(map.next_value()?),
            };
            fields.push((key, field));
        }
        Ok(Fields(fields))
    }
}
