use std::{borrow::Cow, fmt};

use serde::de::{Deserialize, Deserializer, Error as _, MapAccess, SeqAccess, Visitor};
use serde_json::value::RawValue;

use super::error::ParseError;
use crate::model::{MAX_COUNT, MAX_NAME, name_in_index};

/// A value of a JSON object whose type is checked afterwards, so that a wrong one can be told with its path.
#[derive(Clone, Debug, Default, PartialEq)]
pub(super) enum Field<'a> {
    #[default]
    Absent,
    Null,
    Boolean(bool),
    Whole(u64),
    Number(f64),
    Text(Cow<'a, str>),
    Array,
    Object,
}

impl<'a> Field<'a> {
    /// A text; `None` when it is absent or null. `key` is where it is, for the error.
    pub(super) fn text(self, key: &str) -> Result<Option<Cow<'a, str>>, ParseError> {
        match self {
            Self::Absent | Self::Null => Ok(None),
            Self::Text(text) => Ok(Some(text)),
            other => Err(other.is_not("a string", key)),
        }
    }

    /// An identifier; `None` when it is absent, null or empty.
    pub(super) fn id(self, key: &str) -> Result<Option<String>, ParseError> {
        let id = self.text(key)?.filter(|id| !id.is_empty());
        if id.as_ref().is_some_and(|id| id.len() > MAX_NAME) {
            return Err(ParseError::invalid(
                key,
                format_args!("an identifier has at most {MAX_NAME} bytes, such as a UUID"),
            ));
        }
        Ok(id.map(Cow::into_owned))
    }

    /// A text that lists show and filters find; empty when it is absent or null.
    pub(super) fn name(self, key: &str) -> Result<String, ParseError> {
        Ok(name_in_index(&self.text_or_empty(key)?).to_owned())
    }

    /// A text; empty when it is absent or null.
    pub(super) fn text_or_empty(self, key: &str) -> Result<Cow<'a, str>, ParseError> {
        Ok(self.text(key)?.unwrap_or_default())
    }

    /// A count, held to the range from 0 to [`MAX_COUNT`]. `None` when it is absent or null.
    pub(super) fn count(&self, key: &str) -> Result<Option<u64>, ParseError> {
        match *self {
            Self::Absent | Self::Null => Ok(None),
            Self::Whole(count) => Ok(Some(count.min(MAX_COUNT))),
            #[expect(clippy::cast_possible_truncation, clippy::cast_sign_loss, reason = "it saturates")]
            Self::Number(number) => Ok(Some((number as u64).min(MAX_COUNT))),
            _ => Err(self.is_not("a number", key)),
        }
    }

    /// A number; `None` when it is absent or null.
    pub(super) fn number(&self, key: &str) -> Result<Option<f64>, ParseError> {
        match *self {
            Self::Absent | Self::Null => Ok(None),
            #[expect(clippy::cast_precision_loss, reason = "as JSON readers do")]
            Self::Whole(count) => Ok(Some(count as f64)),
            Self::Number(number) => Ok(Some(number)),
            _ => Err(self.is_not("a number", key)),
        }
    }

    /// A boolean; `None` when it is absent or null.
    pub(super) fn boolean(&self, key: &str) -> Result<Option<bool>, ParseError> {
        match *self {
            Self::Absent | Self::Null => Ok(None),
            Self::Boolean(boolean) => Ok(Some(boolean)),
            _ => Err(self.is_not("a boolean", key)),
        }
    }

    /// The error of a value of another type.
    pub(super) fn is_not(&self, expected: &str, key: &str) -> ParseError {
        ParseError::invalid(key, format_args!("expected {expected}, found {}", self.type_name()))
    }

    fn type_name(&self) -> &'static str {
        match self {
            Self::Absent => "nothing",
            Self::Null => "null",
            Self::Boolean(_) => "a boolean",
            Self::Whole(_) | Self::Number(_) => "a number",
            Self::Text(_) => "a string",
            Self::Array => "an array",
            Self::Object => "an object",
        }
    }

    /// Reads the value of a key, which may occur once in its object.
    pub(super) fn read<A: MapAccess<'a>>(&mut self, key: &str, map: &mut A) -> Result<(), A::Error> {
        if *self != Self::Absent {
            return Err(twice(key));
        }
        *self = map.next_value()?;
        Ok(())
    }

    /// As [`read`](Self::read), of a text that may be long and of which only the type matters: it is not
    /// decoded, and stands as an empty one.
    pub(super) fn read_type<A: MapAccess<'a>>(&mut self, key: &str, map: &mut A) -> Result<(), A::Error> {
        if *self != Self::Absent {
            return Err(twice(key));
        }
        let json = map.next_value::<&'a RawValue>()?.get();
        // Only a parser can tell whether halves of surrogate pairs match.
        let is_plain_text = json.starts_with('"') && !json.contains("\\ud") && !json.contains("\\uD");
        *self = if is_plain_text {
            Self::Text(Cow::Borrowed(""))
        } else {
            serde_json::from_str(json).map_err(A::Error::custom)?
        };
        Ok(())
    }
}

impl<'de: 'a, 'a> Deserialize<'de> for Field<'a> {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        struct Any;

        impl<'de> Visitor<'de> for Any {
            type Value = Field<'de>;

            fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
                f.write_str("any value")
            }

            fn visit_borrowed_str<E>(self, text: &'de str) -> Result<Self::Value, E> {
                Ok(Field::Text(Cow::Borrowed(text)))
            }

            fn visit_str<E>(self, text: &str) -> Result<Self::Value, E> {
                Ok(Field::Text(Cow::Owned(text.to_owned())))
            }

            fn visit_u64<E>(self, number: u64) -> Result<Self::Value, E> {
                Ok(Field::Whole(number))
            }

            fn visit_i64<E>(self, number: i64) -> Result<Self::Value, E> {
                #[expect(clippy::cast_precision_loss, reason = "only its sign counts")]
                Ok(Field::Number(number as f64))
            }

            fn visit_f64<E>(self, number: f64) -> Result<Self::Value, E> {
                Ok(Field::Number(number))
            }

            fn visit_bool<E>(self, boolean: bool) -> Result<Self::Value, E> {
                Ok(Field::Boolean(boolean))
            }

            fn visit_unit<E>(self) -> Result<Self::Value, E> {
                Ok(Field::Null)
            }

            // Elements are read as fields, not skipped: skipping has no limit of depth, and what is stored
            // must be readable by parsers that have one.
            fn visit_seq<A: SeqAccess<'de>>(self, mut array: A) -> Result<Self::Value, A::Error> {
                while array.next_element::<Field<'_>>()?.is_some() {}
                Ok(Field::Array)
            }

            fn visit_map<A: MapAccess<'de>>(self, mut object: A) -> Result<Self::Value, A::Error> {
                while object.next_entry::<Field<'_>, Field<'_>>()?.is_some() {}
                Ok(Field::Object)
            }
        }

        deserializer.deserialize_any(Any)
    }
}

/// The error of a key that an object has twice: its readers would not agree on which one counts.
pub(super) fn twice<E: serde::de::Error>(key: &str) -> E {
    E::custom(format_args!("the key `{key}` occurs twice"))
}

/// The next key of an object.
pub(super) fn next_key<'de, A: MapAccess<'de>>(map: &mut A) -> Result<Option<Cow<'de, str>>, A::Error> {
    Ok(match map.next_key::<Field<'de>>()? {
        None => None,
        Some(Field::Text(key)) => Some(key),
        Some(other) => return Err(A::Error::custom(format_args!("{} is no key", other.type_name()))),
    })
}
