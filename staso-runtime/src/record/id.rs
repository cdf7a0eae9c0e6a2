use std::{error::Error, fmt, num::NonZeroU64, num::NonZeroU128, str::FromStr};

use serde::{Serialize, Serializer};

/// Names one trace: 128 random bits.
///
/// The text form is that of a UUID, though the version and variant bits are random too.
///
/// ```
/// use staso::TraceId;
///
/// let id: TraceId = "c931d6ba-7556-d4da-590b-842753685e5a".parse()?;
/// assert_eq!(id.to_string(), "c931d6ba-7556-d4da-590b-842753685e5a");
/// # Ok::<(), staso::ParseIdError>(())
/// ```
// An alignment of 16 would pad every span to its next multiple.
#[derive(Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
#[repr(Rust, packed(8))]
pub struct TraceId(NonZeroU128);

/// Names one span of a trace: 64 random bits.
///
/// The text form is `00000000-0000-0000-xxxx-xxxxxxxxxxxx`.
#[derive(Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct SpanId(NonZeroU64);

impl TraceId {
    pub(crate) const fn new(bits: NonZeroU128) -> Self {
        Self(bits)
    }

    pub(crate) const fn bits(self) -> u128 {
        self.0.get()
    }
}

impl SpanId {
    pub(crate) const fn new(bits: NonZeroU64) -> Self {
        Self(bits)
    }

    pub(crate) const fn bits(self) -> u64 {
        self.0.get()
    }
}

/// Writes 128 bits as 8-4-4-4-12 lower-case hex digits.
fn hyphenated(bits: u128) -> [u8; 36] {
    const DIGITS: &[u8; 16] = b"0123456789abcdef";
    let mut text = [b'-'; 36];
    let mut at = 0;
    for (index, byte) in bits.to_be_bytes().into_iter().enumerate() {
        if matches!(index, 4 | 6 | 8 | 10) {
            at += 1;
        }
        for nibble in [byte >> 4, byte & 15] {
            if let (Some(place), Some(digit)) = (text.get_mut(at), DIGITS.get(usize::from(nibble))) {
                *place = *digit;
            }
            at += 1;
        }
    }
    text
}

fn parse(text: &str) -> Option<u128> {
    let mut bits = 0_u128;
    if text.len() != 36 {
        return None;
    }
    for (index, byte) in text.bytes().enumerate() {
        match (index, byte) {
            (8 | 13 | 18 | 23, b'-') => {}
            (8 | 13 | 18 | 23, _) => return None,
            _ => bits = bits << 4 | u128::from(char::from(byte).to_digit(16)?),
        }
    }
    Some(bits)
}

macro_rules! text_form {
    ($id:ident, $what:literal, $from:expr) => {
        impl $id {
            pub(crate) fn write_text(self, out: &mut Vec<u8>) {
                out.extend_from_slice(&hyphenated(self.bits().into()));
            }
        }

        impl fmt::Display for $id {
            fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
                let text = hyphenated(self.bits().into());
                f.pad(std::str::from_utf8(&text).map_err(|_| fmt::Error)?)
            }
        }

        impl fmt::Debug for $id {
            fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
                fmt::Display::fmt(self, f)
            }
        }

        impl Serialize for $id {
            fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
                serializer.collect_str(self)
            }
        }

        impl FromStr for $id {
            type Err = ParseIdError;

            /// Reads the text form, in lower or upper case.
            ///
            /// # Errors
            ///
            /// When the text has another form, or all its bits are zero.
            fn from_str(text: &str) -> Result<Self, Self::Err> {
                parse(text).and_then($from).ok_or(ParseIdError { what: $what })
            }
        }
    };
}

text_form!(TraceId, "trace", |bits| NonZeroU128::new(bits).map(Self));
text_form!(SpanId, "span", |bits| u64::try_from(bits).ok().and_then(NonZeroU64::new).map(Self));

/// A text that is not an identifier.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct ParseIdError {
    what: &'static str,
}

impl fmt::Display for ParseIdError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(
            f,
            "not a {} id: expected 32 hex digits, not all zero, in groups of 8-4-4-4-12{}",
            self.what,
            if self.what == "span" { ", the first 16 of them zero" } else { "" }
        )
    }
}

impl Error for ParseIdError {}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn ids_print_in_the_form_of_the_wire_and_read_back() {
        let trace: TraceId = "0000d6ba-7556-d4da-590b-842753685e5a".parse().unwrap();
        assert_eq!(trace.to_string(), "0000d6ba-7556-d4da-590b-842753685e5a");
        let span: SpanId = "00000000-0000-0000-27a3-51b3e450c2c9".parse().unwrap();
        assert_eq!(span.to_string(), "00000000-0000-0000-27a3-51b3e450c2c9");
        assert_eq!(serde_json::to_string(&span).unwrap(), format!("\"{span}\""));
    }

    #[test]
    fn other_texts_are_refused() {
        for text in ["", "x", "00000000-0000-0000-0000-000000000000", "c931d6ba-7556-d4da-590b-842753685e5"] {
            assert!(text.parse::<TraceId>().is_err(), "{text}");
            assert!(text.parse::<SpanId>().is_err(), "{text}");
        }
        assert!("c931d6ba-7556-d4da-590b-842753685e5a".parse::<SpanId>().is_err());
        assert!("c931d6ba07556-d4da-590b-842753685e5a".parse::<TraceId>().is_err());
    }
}
