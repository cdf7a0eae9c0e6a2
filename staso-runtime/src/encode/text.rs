/// Writes a JSON string. Whatever is not ASCII stays UTF-8.
pub(crate) fn write_string(text: &str, out: &mut Vec<u8>) {
    out.push(b'"');
    write_escaped(text.as_bytes(), out);
    out.push(b'"');
}

/// Writes what stands between the quotes of a JSON string. The bytes must be UTF-8.
///
/// Runs that need no escape are copied whole, which is nearly all of a span.
pub(super) fn write_escaped(bytes: &[u8], out: &mut Vec<u8>) {
    out.reserve(bytes.len());
    let mut rest = bytes;
    while let Some(end) = rest.iter().position(|byte| needs_escape(*byte)) {
        let (run, tail) = rest.split_at(end);
        out.extend_from_slice(run);
        let Some((byte, tail)) = tail.split_first() else { return };
        match byte {
            b'"' | b'\\' => out.extend_from_slice(&[b'\\', *byte]),
            b'\n' => out.extend_from_slice(b"\\n"),
            b'\r' => out.extend_from_slice(b"\\r"),
            b'\t' => out.extend_from_slice(b"\\t"),
            0x08 => out.extend_from_slice(b"\\b"),
            0x0C => out.extend_from_slice(b"\\f"),
            _ => {
                out.extend_from_slice(b"\\u00");
                out.extend_from_slice(&[hex_digit(byte >> 4), hex_digit(byte & 15)]);
            }
        }
        rest = tail;
    }
    out.extend_from_slice(rest);
}

const fn needs_escape(byte: u8) -> bool {
    matches!(byte, 0..0x20 | b'"' | b'\\')
}

const fn hex_digit(value: u8) -> u8 {
    if value < 10 { b'0' + value } else { b'a' + value - 10 }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn written(text: &str) -> String {
        let mut out = Vec::new();
        write_string(text, &mut out);
        String::from_utf8(out).unwrap()
    }

    #[test]
    fn every_character_below_the_second_hundred_is_written_as_serde_json_does() {
        for character in (0..0x100).filter_map(char::from_u32) {
            let text = format!("a{character}b");
            assert_eq!(written(&text), serde_json::to_string(&text).unwrap());
        }
    }

    #[test]
    fn json_inside_a_string_is_escaped_once() {
        assert_eq!(written(r#"{"a":"\n"}"#), r#""{\"a\":\"\\n\"}""#);
    }

    proptest::proptest! {
        #[test]
        fn any_text_reads_back(text in "(?s).*") {
            proptest::prop_assert_eq!(serde_json::from_str::<String>(&written(&text)).unwrap(), text);
        }
    }
}
