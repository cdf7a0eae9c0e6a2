use std::fmt::Display;

use serde::{
    Serialize,
    ser::{self, Error as _},
};

use super::{super::text::Fault, compound::Compound, error::Error, writer::Writer};

/// How `serde_json` tells a serializer that a struct's one field holds JSON: a `RawValue`, or a number if
/// another crate of the program asks for arbitrary precision.
const HOLDS_JSON: &str = "$serde_json::private::";

/// Writes one value.
pub(super) struct Serializer<'w, 'o> {
    writer: &'w mut Writer<'o>,
    /// How many containers may still be opened inside one another.
    depth: u16,
}

impl<'w, 'o> Serializer<'w, 'o> {
    #[inline]
    pub(super) fn new(writer: &'w mut Writer<'o>, depth: u16) -> Self {
        Self { writer, depth }
    }

    fn open(self, bracket: u8) -> Result<Compound<'w, 'o>, Error> {
        let depth = self.inner_depth()?;
        self.writer.out.push(bracket);
        Ok(Compound::new(self.writer, depth))
    }

    fn open_variant(mut self, variant: &str, bracket: u8) -> Result<Compound<'w, 'o>, Error> {
        let depth = self.inner_depth()?;
        self.variant(variant);
        self.writer.out.push(bracket);
        Ok(Compound::new(self.writer, depth))
    }

    fn variant(&mut self, variant: &str) {
        self.writer.out.push(b'{');
        self.writer.string(variant);
        self.writer.out.push(b':');
    }

    #[inline]
    fn inner_depth(&self) -> Result<u16, Error> {
        match self.depth.checked_sub(1) {
            Some(depth) if !self.writer.stack.is_exceeded() => Ok(depth),
            _ => Err(Error::too_deep()),
        }
    }

    /// For what can recur without opening a container.
    #[inline]
    fn transparent<T: Serialize + ?Sized>(self, value: &T) -> Result<(), Error> {
        if self.writer.stack.is_exceeded() { Err(Error::too_deep()) } else { value.serialize(self) }
    }

    fn literal(self, json: &str) -> Result<(), Error> {
        self.writer.out.extend_from_slice(json.as_bytes());
        Ok(())
    }

    fn float(self, value: impl Serialize + Into<f64> + Copy) -> Result<(), Error> {
        let wide: f64 = value.into();
        if wide.is_finite() {
            serde_json::to_writer(&mut *self.writer.out, &value).map_err(Error::custom)
        } else if wide.is_nan() {
            self.literal("\"NaN\"")
        } else {
            self.literal(if wide > 0.0 { "\"Infinity\"" } else { "\"-Infinity\"" })
        }
    }
}

macro_rules! integers {
    ($($method:ident($int:ty);)+) => {
        $(fn $method(self, value: $int) -> Result<(), Error> {
            self.literal(itoa::Buffer::new().format(value))
        })+
    };
}

impl<'w, 'o> ser::Serializer for Serializer<'w, 'o> {
    type Ok = ();
    type Error = Error;
    type SerializeSeq = Compound<'w, 'o>;
    type SerializeTuple = Compound<'w, 'o>;
    type SerializeTupleStruct = Compound<'w, 'o>;
    type SerializeTupleVariant = Compound<'w, 'o>;
    type SerializeMap = Compound<'w, 'o>;
    type SerializeStruct = Compound<'w, 'o>;
    type SerializeStructVariant = Compound<'w, 'o>;

    #[inline]
    fn serialize_str(self, value: &str) -> Result<(), Error> {
        self.writer.string(value);
        Ok(())
    }

    integers! {
        serialize_i8(i8);
        serialize_i16(i16);
        serialize_i32(i32);
        serialize_i64(i64);
        serialize_i128(i128);
        serialize_u8(u8);
        serialize_u16(u16);
        serialize_u32(u32);
        serialize_u64(u64);
        serialize_u128(u128);
    }

    #[inline]
    fn serialize_bool(self, value: bool) -> Result<(), Error> {
        self.literal(if value { "true" } else { "false" })
    }

    fn serialize_f32(self, value: f32) -> Result<(), Error> {
        self.float(value)
    }

    fn serialize_f64(self, value: f64) -> Result<(), Error> {
        self.float(value)
    }

    fn serialize_char(self, value: char) -> Result<(), Error> {
        self.serialize_str(value.encode_utf8(&mut [0; 4]))
    }

    /// Replacement characters would make bytes look like a text that is broken, and an array of numbers
    /// would take four times their room: what is no text is only counted. So is what is too long to check.
    fn serialize_bytes(self, value: &[u8]) -> Result<(), Error> {
        match std::str::from_utf8(value) {
            Ok(text) if value.len() <= self.writer.room() => self.writer.string(text),
            _ => self.writer.string(&format!("<{} bytes>", value.len())),
        }
        Ok(())
    }

    #[inline]
    fn serialize_none(self) -> Result<(), Error> {
        self.literal("null")
    }

    #[inline]
    fn serialize_some<T: Serialize + ?Sized>(self, value: &T) -> Result<(), Error> {
        self.transparent(value)
    }

    #[inline]
    fn serialize_unit(self) -> Result<(), Error> {
        self.literal("null")
    }

    #[inline]
    fn serialize_unit_struct(self, _name: &'static str) -> Result<(), Error> {
        self.literal("null")
    }

    #[inline]
    fn serialize_unit_variant(
        self,
        _name: &'static str,
        _index: u32,
        variant: &'static str,
    ) -> Result<(), Error> {
        self.serialize_str(variant)
    }

    #[inline]
    fn serialize_newtype_struct<T: Serialize + ?Sized>(
        self,
        _name: &'static str,
        value: &T,
    ) -> Result<(), Error> {
        self.transparent(value)
    }

    #[inline]
    fn serialize_newtype_variant<T: Serialize + ?Sized>(
        mut self,
        _name: &'static str,
        _index: u32,
        variant: &'static str,
        value: &T,
    ) -> Result<(), Error> {
        let depth = self.inner_depth()?;
        self.variant(variant);
        self.writer.value(value, depth)?;
        self.writer.out.push(b'}');
        Ok(())
    }

    #[inline]
    fn serialize_seq(self, _len: Option<usize>) -> Result<Compound<'w, 'o>, Error> {
        self.open(b'[')
    }

    #[inline]
    fn serialize_tuple(self, _len: usize) -> Result<Compound<'w, 'o>, Error> {
        self.open(b'[')
    }

    #[inline]
    fn serialize_tuple_struct(self, _name: &'static str, _len: usize) -> Result<Compound<'w, 'o>, Error> {
        self.open(b'[')
    }

    #[inline]
    fn serialize_tuple_variant(
        self,
        _name: &'static str,
        _index: u32,
        variant: &'static str,
        _len: usize,
    ) -> Result<Compound<'w, 'o>, Error> {
        self.open_variant(variant, b'[')
    }

    #[inline]
    fn serialize_map(self, _len: Option<usize>) -> Result<Compound<'w, 'o>, Error> {
        self.open(b'{')
    }

    #[inline]
    fn serialize_struct(self, name: &'static str, _len: usize) -> Result<Compound<'w, 'o>, Error> {
        if name.starts_with(HOLDS_JSON) { Ok(Compound::json(self.writer)) } else { self.open(b'{') }
    }

    #[inline]
    fn serialize_struct_variant(
        self,
        _name: &'static str,
        _index: u32,
        variant: &'static str,
        _len: usize,
    ) -> Result<Compound<'w, 'o>, Error> {
        self.open_variant(variant, b'{')
    }

    fn collect_str<T: Display + ?Sized>(self, value: &T) -> Result<(), Error> {
        self.writer.display(format_args!("{value}")).map_err(|fault| match fault {
            Fault::Failed(_) => Error::custom("its Display failed"),
            Fault::Panicked(message) => Error::custom(format_args!("its Display panicked: {message}")),
        })
    }
}
