use std::{cell::Cell, fmt};

use serde::de::{DeserializeSeed, Deserializer, Error as _, SeqAccess, Visitor};

/// How many more elements a request may have, over all of its arrays of one sort.
pub(super) struct Left {
    most: usize,
    left: Cell<usize>,
    what: &'static str,
}

impl Left {
    pub(super) fn new(most: usize, what: &'static str) -> Self {
        Self { most, left: Cell::new(most), what }
    }

    /// Reads an array whose elements count, and each of them with the seed. Elements take more memory than their text,
    /// so that a limit of bytes does not do.
    pub(super) fn array<S: Copy>(&self, each: S) -> Array<'_, S> {
        Array { left: self, each }
    }
}

pub(super) struct Array<'l, S> {
    left: &'l Left,
    each: S,
}

impl<'de, S: DeserializeSeed<'de> + Copy> DeserializeSeed<'de> for Array<'_, S> {
    type Value = Vec<S::Value>;

    fn deserialize<D: Deserializer<'de>>(self, deserializer: D) -> Result<Self::Value, D::Error> {
        deserializer.deserialize_seq(self)
    }
}

impl<'de, S: DeserializeSeed<'de> + Copy> Visitor<'de> for Array<'_, S> {
    type Value = Vec<S::Value>;

    fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("an array")
    }

    fn visit_seq<A: SeqAccess<'de>>(self, mut array: A) -> Result<Self::Value, A::Error> {
        let Left { most, left, what } = self.left;
        let mut elements = Vec::new();
        while let Some(element) = array.next_element_seed(self.each)? {
            let Some(fewer) = left.get().checked_sub(1) else {
                return Err(A::Error::custom(format_args!(
                    "a request has at most {most} {what}; send several"
                )));
            };
            left.set(fewer);
            elements.push(element);
        }
        Ok(elements)
    }
}
