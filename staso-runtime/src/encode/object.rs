use std::time::Duration;

use super::{
    text::{write_escaped, write_string},
    time::write_timestamp,
};
use crate::record::{SpanId, TraceId, clock::WallTime};

/// A JSON object whose fields are written in the order of the calls.
///
/// Keys are written as they are: they must need no escape.
pub(super) struct Object<'o> {
    out: &'o mut Vec<u8>,
    separator: u8,
}

impl<'o> Object<'o> {
    pub(super) fn begin(out: &'o mut Vec<u8>) -> Self {
        Self { out, separator: b'{' }
    }

    pub(super) fn end(self) {
        if self.separator == b'{' {
            self.out.push(b'{');
        }
        self.out.push(b'}');
    }

    /// Where the caller writes a field's value.
    pub(super) fn value(&mut self, key: &'static str) -> &mut Vec<u8> {
        self.out.extend_from_slice(&[self.separator, b'"']);
        self.separator = b',';
        self.out.extend_from_slice(key.as_bytes());
        self.out.extend_from_slice(b"\":");
        self.out
    }

    pub(super) fn raw(&mut self, key: &'static str, json: &str) {
        self.value(key).extend_from_slice(json.as_bytes());
    }

    pub(super) fn text(&mut self, key: &'static str, text: &str) {
        write_string(text, self.value(key));
    }

    pub(super) fn text_or_null(&mut self, key: &'static str, text: Option<&str>) {
        match text {
            Some(text) => self.text(key, text),
            None => self.raw(key, "null"),
        }
    }

    /// JSON as the text of a string.
    pub(super) fn json_text(&mut self, key: &'static str, json: &[u8]) {
        let out = self.value(key);
        out.push(b'"');
        write_escaped(json, out);
        out.push(b'"');
    }

    pub(super) fn integer(&mut self, key: &'static str, value: u64) {
        self.raw(key, itoa::Buffer::new().format(value));
    }

    pub(super) fn timestamp(&mut self, key: &'static str, time: WallTime) {
        let out = self.value(key);
        out.push(b'"');
        write_timestamp(time, out);
        out.push(b'"');
    }

    /// Rounded to two decimals, of which the second is left out where it is zero.
    pub(super) fn milliseconds(&mut self, key: &'static str, duration: Duration) {
        let hundredths = (duration.as_nanos() + 5_000) / 10_000;
        let out = self.value(key);
        out.extend_from_slice(itoa::Buffer::new().format(hundredths / 100).as_bytes());
        out.push(b'.');
        let [tenth, hundredth] = [hundredths / 10 % 10, hundredths % 10].map(|digit| b'0' + digit as u8);
        out.push(tenth);
        if hundredth != b'0' {
            out.push(hundredth);
        }
    }

    pub(super) fn trace_id(&mut self, key: &'static str, id: TraceId) {
        let out = self.value(key);
        out.push(b'"');
        id.write_text(out);
        out.push(b'"');
    }

    pub(super) fn span_id(&mut self, key: &'static str, id: SpanId) {
        let out = self.value(key);
        out.push(b'"');
        id.write_text(out);
        out.push(b'"');
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn object(write: impl FnOnce(&mut Object<'_>)) -> String {
        let mut out = Vec::new();
        let mut object = Object::begin(&mut out);
        write(&mut object);
        object.end();
        String::from_utf8(out).unwrap()
    }

    #[test]
    fn fields_are_separated_and_an_object_may_be_empty() {
        assert_eq!(object(|_| {}), "{}");
        let written = object(|object| {
            object.integer("a", 1);
            object.text_or_null("b", None);
            object.text_or_null("c", Some(""));
        });
        assert_eq!(written, r#"{"a":1,"b":null,"c":""}"#);
    }

    #[test]
    fn durations_are_rounded_to_hundredths_of_a_millisecond() {
        for (nanos, text) in [
            (0, "0.0"),
            (4_999, "0.0"),
            (5_000, "0.01"),
            (590_000, "0.59"),
            (1_500_000, "1.5"),
            (12_000_000, "12.0"),
            (999_995_000, "1000.0"),
            (86_400_000_010_000, "86400000.01"),
        ] {
            let duration = Duration::from_nanos(nanos);
            assert_eq!(object(|object| object.milliseconds("d", duration)), format!("{{\"d\":{text}}}"));
        }
    }
}
