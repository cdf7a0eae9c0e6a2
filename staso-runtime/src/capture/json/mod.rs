//! JSON of any `Serialize`, straight into bytes.
//!
//! It is what `serde_json` writes, but for: floats that JSON lacks (`"NaN"`, `"Infinity"`, `"-Infinity"`);
//! bytes (their text, or their number); keys of maps that are no text (their own JSON, as a text); and
//! what is left out, which marks stand for.

mod close;
mod compound;
mod error;
mod serializer;
mod writer;

#[cfg(test)]
mod properties;
#[cfg(test)]
mod tests;

use std::any::type_name;

use serde::Serialize;

use super::{
    guarded::guarded,
    limits::{Limits, StackGuard},
};
use serializer::Serializer;
use writer::Writer;

/// Appends a value as JSON.
///
/// Whatever the value's `Serialize` does, `out` gains exactly one valid JSON value.
#[inline]
pub(crate) fn write_json<T: Serialize + ?Sized>(value: &T, limits: &Limits, out: &mut Vec<u8>) {
    write_within(value, limits.bytes, limits.depth, StackGuard::new(limits.stack), out);
}

/// The same, on a stack that a capture may have been using already.
#[inline]
fn write_within<T: Serialize + ?Sized>(
    value: &T,
    bytes: usize,
    depth: u16,
    stack: StackGuard,
    out: &mut Vec<u8>,
) {
    let mut writer = Writer::new(out, bytes, stack);
    let start = writer.len();
    let written = guarded(|| value.serialize(Serializer::new(&mut writer, depth)));
    if !matches!(written, Ok(Ok(()))) {
        writer.repair(start, written, type_name::<T>());
    }
}
