use std::any::type_name;

use serde::{
    Serialize,
    ser::{self, Error as _},
};

use super::{error::Error, serializer::Serializer, write_within, writer::Writer};

/// What stands in a container for the elements that were left out.
const ELEMENTS_CUT: &str = "\"… [cut]\"";
const ENTRIES_CUT: &str = "\"…\":\"[cut]\"";

/// Longest and deepest key that is not a plain text.
const KEY_BYTES: usize = 1024;
const KEY_DEPTH: u16 = 8;

/// Writes a container's elements, and stops at the limit of bytes.
///
/// It stays valid whatever it is called with: a key without a value, or an element whose `Serialize`
/// panicked into a `catch_unwind` of the user's, is taken back.
pub(super) struct Compound<'w, 'o> {
    writer: &'w mut Writer<'o>,
    /// Of the elements.
    depth: u16,
    state: State,
    /// Where the element that is being written begins, its comma included.
    element: usize,
}

#[derive(Clone, Copy, PartialEq, Eq)]
enum State {
    Empty,
    Filled,
    /// A key waits for its value.
    Key,
    /// An element is being written.
    Element,
    /// No container: its first field is a string of JSON, and stands for the whole.
    Json,
    JsonWritten,
}

impl<'w, 'o> Compound<'w, 'o> {
    #[inline]
    pub(super) fn new(writer: &'w mut Writer<'o>, depth: u16) -> Self {
        let element = writer.len();
        Self { writer, depth, state: State::Empty, element }
    }

    #[cold]
    pub(super) fn json(writer: &'w mut Writer<'o>) -> Self {
        Self { state: State::Json, ..Self::new(writer, 0) }
    }

    #[inline]
    fn element<T: Serialize + ?Sized>(&mut self, value: &T) -> Result<(), Error> {
        self.begin(ELEMENTS_CUT)?;
        self.writer.value(value, self.depth)?;
        self.state = State::Filled;
        Ok(())
    }

    #[inline]
    fn field<T: Serialize + ?Sized>(&mut self, key: &str, value: &T) -> Result<(), Error> {
        if matches!(self.state, State::Json | State::JsonWritten) {
            return self.json_field(value);
        }
        self.field_key(key)?;
        self.writer.value(value, self.depth)?;
        self.state = State::Filled;
        Ok(())
    }

    fn field_key(&mut self, key: &str) -> Result<(), Error> {
        self.begin(ENTRIES_CUT)?;
        self.writer.string(key);
        self.end_key()
    }

    /// Takes an entry back whose key left no room for a value.
    #[inline]
    fn end_key(&mut self) -> Result<(), Error> {
        if self.writer.is_full() {
            self.take_back();
            return Err(self.stop(ENTRIES_CUT));
        }
        self.writer.out.push(b':');
        Ok(())
    }

    #[cold]
    fn json_field<T: Serialize + ?Sized>(&mut self, value: &T) -> Result<(), Error> {
        if self.state == State::Json && !self.writer.is_stopped() {
            self.writer.out.truncate(self.element);
            self.writer.value(value, 0)?;
            self.writer.unquote(self.element);
            self.state = State::JsonWritten;
        }
        Ok(())
    }

    fn key<T: Serialize + ?Sized>(&mut self, key: &T) -> Result<(), Error> {
        self.begin(ENTRIES_CUT)?;
        let start = self.writer.len();
        // At depth 0 no container opens.
        match key.serialize(Serializer::new(self.writer, 0)) {
            Ok(()) => self.writer.quote(start),
            Err(error) if error.is_too_deep() => self.compound_key(key, start),
            Err(error) => self.writer.contain(error, start, type_name::<T>())?,
        }
        self.end_key()?;
        self.state = State::Key;
        Ok(())
    }

    #[cold]
    fn compound_key<T: Serialize + ?Sized>(&mut self, key: &T, start: usize) {
        let mut json = Vec::new();
        let bytes = self.writer.room().min(KEY_BYTES);
        write_within(key, bytes, self.depth.min(KEY_DEPTH), self.writer.stack, &mut json);
        self.writer.out.truncate(start);
        self.writer.out.append(&mut json);
        self.writer.quote(start);
    }

    fn value<T: Serialize + ?Sized>(&mut self, value: &T) -> Result<(), Error> {
        if self.state != State::Key {
            return Err(Error::custom("a map's value came without a key"));
        }
        self.state = State::Element;
        self.writer.value(value, self.depth)?;
        self.state = State::Filled;
        Ok(())
    }

    #[inline]
    fn begin(&mut self, cut: &str) -> Result<(), Error> {
        if matches!(self.state, State::Key | State::Element) {
            self.take_back();
        }
        if self.writer.is_full() {
            return Err(self.stop(cut));
        }
        self.element = self.writer.len();
        if self.state == State::Filled {
            self.writer.out.push(b',');
        }
        self.state = State::Element;
        Ok(())
    }

    #[cold]
    fn stop(&mut self, cut: &str) -> Error {
        if !self.writer.is_stopped() {
            if self.state == State::Filled {
                self.writer.out.push(b',');
            }
            self.writer.out.extend_from_slice(cut.as_bytes());
            self.writer.stop();
        }
        Error::stopped()
    }

    /// Forgets an element that is not complete.
    #[cold]
    fn take_back(&mut self) {
        if self.writer.is_stopped() {
            return;
        }
        self.writer.out.truncate(self.element);
        let is_empty = matches!(self.writer.out.last(), Some(b'[' | b'{'));
        self.state = if is_empty { State::Empty } else { State::Filled };
    }

    fn close(mut self, brackets: &str) -> Result<(), Error> {
        if matches!(self.state, State::Key | State::Element) {
            self.take_back();
        }
        if self.writer.is_stopped() {
            return Err(Error::stopped());
        }
        match self.state {
            State::JsonWritten => {}
            State::Json => {
                self.writer.out.truncate(self.element);
                self.writer.out.extend_from_slice(b"null");
            }
            _ => self.writer.out.extend_from_slice(brackets.as_bytes()),
        }
        Ok(())
    }
}

macro_rules! elements {
    ($($trait:ident::$method:ident closed by $brackets:literal;)+) => {
        $(impl ser::$trait for Compound<'_, '_> {
            type Ok = ();
            type Error = Error;

            #[inline]
            fn $method<T: Serialize + ?Sized>(&mut self, value: &T) -> Result<(), Error> {
                self.element(value)
            }

            #[inline]
            fn end(self) -> Result<(), Error> {
                self.close($brackets)
            }
        })+
    };
}

elements! {
    SerializeSeq::serialize_element closed by "]";
    SerializeTuple::serialize_element closed by "]";
    SerializeTupleStruct::serialize_field closed by "]";
    SerializeTupleVariant::serialize_field closed by "]}";
}

macro_rules! fields {
    ($($trait:ident closed by $brackets:literal;)+) => {
        $(impl ser::$trait for Compound<'_, '_> {
            type Ok = ();
            type Error = Error;

            #[inline]
            fn serialize_field<T: Serialize + ?Sized>(
                &mut self,
                key: &'static str,
                value: &T,
            ) -> Result<(), Error> {
                self.field(key, value)
            }

            #[inline]
            fn end(self) -> Result<(), Error> {
                self.close($brackets)
            }
        })+
    };
}

fields! {
    SerializeStruct closed by "}";
    SerializeStructVariant closed by "}}";
}

impl ser::SerializeMap for Compound<'_, '_> {
    type Ok = ();
    type Error = Error;

    #[inline]
    fn serialize_key<T: Serialize + ?Sized>(&mut self, key: &T) -> Result<(), Error> {
        self.key(key)
    }

    #[inline]
    fn serialize_value<T: Serialize + ?Sized>(&mut self, value: &T) -> Result<(), Error> {
        self.value(value)
    }

    #[inline]
    fn end(self) -> Result<(), Error> {
        self.close("}")
    }
}
