use std::{borrow::Cow, fmt};

use serde::de::{Deserialize, Deserializer, Error as _, MapAccess, SeqAccess, Visitor};

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

/// What was expected and what is there instead, such as ``expected a string, found a number``.
#[derive(Debug, PartialEq, Eq)]
pub(super) struct Mismatch {
    expected: &'static str,
    found: &'static str,
}

impl fmt::Display for Mismatch {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "expected {}, found {}", self.expected, self.found)
    }
}

impl<'a> Field<'a> {
    /// A text; `None` when it is absent or null.
    pub(super) fn text(self) -> Result<Option<Cow<'a, str>>, Mismatch> {
        match self {
            Self::Absent | Self::Null => Ok(None),
            Self::Text(text) => Ok(Some(text)),
            other => Err(other.is_not("a string")),
        }
    }

    /// A count; what is negative counts as 0. `None` when it is absent or null.
    pub(super) fn count(&self) -> Result<Option<u64>, Mismatch> {
        match *self {
            Self::Absent | Self::Null => Ok(None),
            Self::Whole(count) => Ok(Some(count)),
            #[expect(clippy::cast_possible_truncation, clippy::cast_sign_loss, reason = "it saturates")]
            Self::Number(number) => Ok(Some(number as u64)),
            _ => Err(self.is_not("a number")),
        }
    }

    /// A number; `None` when it is absent or null.
    pub(super) fn number(&self) -> Result<Option<f64>, Mismatch> {
        match *self {
            Self::Absent | Self::Null => Ok(None),
            #[expect(clippy::cast_precision_loss, reason = "as JSON readers do")]
            Self::Whole(count) => Ok(Some(count as f64)),
            Self::Number(number) => Ok(Some(number)),
            _ => Err(self.is_not("a number")),
        }
    }

    /// A boolean; `None` when it is absent or null.
    pub(super) fn boolean(&self) -> Result<Option<bool>, Mismatch> {
        match *self {
            Self::Absent | Self::Null => Ok(None),
            Self::Boolean(boolean) => Ok(Some(boolean)),
            _ => Err(self.is_not("a boolean")),
        }
    }

    pub(super) fn is_not(&self, expected: &'static str) -> Mismatch {
        let found = match self {
            Self::Absent => "nothing",
            Self::Null => "null",
            Self::Boolean(_) => "a boolean",
            Self::Whole(_) | Self::Number(_) => "a number",
            Self::Text(_) => "a string",
            Self::Array => "an array",
            Self::Object => "an object",
        };
        Mismatch { expected, found }
    }

    /// Reads the value of a key, which may occur once in its object.
    pub(super) fn read<A: MapAccess<'a>>(&mut self, key: &str, map: &mut A) -> Result<(), A::Error> {
        if *self != Self::Absent {
            return Err(A::Error::custom(format_args!("the key `{key}` occurs twice")));
        }
        *self = map.next_value()?;
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

/// The next key of an object.
pub(super) fn next_key<'de, A: MapAccess<'de>>(map: &mut A) -> Result<Option<Cow<'de, str>>, A::Error> {
    Ok(match map.next_key::<Field<'de>>()? {
        None => None,
        Some(Field::Text(key)) => Some(key),
        Some(other) => return Err(A::Error::custom(other.is_not("a key"))),
    })
}
