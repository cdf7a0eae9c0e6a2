use std::fmt;

use axum::{
    extract::{FromRequestParts, Query},
    http::request::Parts,
};
use serde::de::{
    self, DeserializeOwned, Deserializer, IntoDeserializer, Visitor,
    value::{MapDeserializer, StringDeserializer},
};

use crate::http::ApiError;

/// The query of a request. A name that is not known, or comes twice, is an error that says so: a typing
/// mistake in a filter must not show everything.
#[derive(Clone, Debug, Default)]
pub struct Parameters<T>(pub T);

impl<S: Send + Sync, T: DeserializeOwned> FromRequestParts<S> for Parameters<T> {
    type Rejection = ApiError;

    async fn from_request_parts(parts: &mut Parts, _: &S) -> Result<Self, ApiError> {
        let Query(pairs) = Query::<Vec<(String, String)>>::try_from_uri(&parts.uri)
            .map_err(|error| ApiError::bad_parameter("", error.body_text()))?;
        let pairs = pairs.into_iter().map(|(name, value)| (name, Value(value)));
        T::deserialize(MapDeserializer::<_, Mistake>::new(pairs))
            .map(Self)
            .map_err(|mistake| ApiError::bad_parameter(&mistake.name, mistake.message))
    }
}

/// The text of a parameter that is there.
struct Value(String);

impl IntoDeserializer<'_, Mistake> for Value {
    type Deserializer = Self;

    fn into_deserializer(self) -> Self {
        self
    }
}

impl<'de> Deserializer<'de> for Value {
    type Error = Mistake;

    fn deserialize_any<V: Visitor<'de>>(self, visitor: V) -> Result<V::Value, Mistake> {
        visitor.visit_string(self.0)
    }

    fn deserialize_option<V: Visitor<'de>>(self, visitor: V) -> Result<V::Value, Mistake> {
        visitor.visit_some(StringDeserializer::new(self.0))
    }

    serde::forward_to_deserialize_any! {
        bool i8 i16 i32 i64 i128 u8 u16 u32 u64 u128 f32 f64 char str string bytes byte_buf unit unit_struct
        newtype_struct seq tuple tuple_struct map struct enum identifier ignored_any
    }
}

/// What is wrong with a query, and with which of its names.
#[derive(Debug)]
struct Mistake {
    name: String,
    message: String,
}

impl fmt::Display for Mistake {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.message)
    }
}

impl std::error::Error for Mistake {}

impl de::Error for Mistake {
    fn custom<T: fmt::Display>(message: T) -> Self {
        Self { name: String::new(), message: message.to_string() }
    }

    fn unknown_field(name: &str, expected: &'static [&'static str]) -> Self {
        let name: String = name.chars().take(64).collect();
        let message = format!("there is no parameter `{name}`; known are {}", expected.join(", "));
        Self { name, message }
    }

    fn duplicate_field(name: &'static str) -> Self {
        Self { name: name.to_owned(), message: format!("`{name}` is given more than once") }
    }
}
