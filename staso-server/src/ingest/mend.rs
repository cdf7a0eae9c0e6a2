//! JSON as some serializers write it, made into JSON that every parser reads. None of it may cost a sender a batch.

use super::error::ParseError;

/// Reads a text; one that cannot be read is mended, if there is something to mend, and read again.
pub(super) fn or_mended<T>(
    json: &str,
    read: impl Fn(&str) -> Result<T, ParseError>,
) -> Result<T, ParseError> {
    read(json).or_else(|error| {
        let mended = mended(json);
        if mended == json { Err(error) } else { read(&mended) }
    })
}

/// The text with
///
/// - U+FFFD for each half of a surrogate pair without its other half, which JavaScript and Python write,
/// - `null` for `NaN`, `Infinity` and `-Infinity`, which Python writes bare,
/// - the greatest number there is for one that is greater,
/// - escapes for control characters in strings,
/// - and no byte order mark at its beginning.
///
/// Where nothing is to be mended the text stays as it is.
pub(super) fn mended(json: &str) -> String {
    let mut rest = json.strip_prefix('\u{feff}').unwrap_or(json);
    let mut valid = String::with_capacity(json.len());
    let mut in_string = false;
    while let Some(char) = rest.chars().next() {
        let (taken, replacement) = if in_string {
            in_string = char != '"';
            in_string_at(rest, char)
        } else {
            in_string = char == '"';
            outside_at(rest, char)
        };
        let (from, after) = rest.split_at_checked(taken).unwrap_or((rest, ""));
        match replacement {
            Some(replacement) => valid.push_str(&replacement),
            None => valid.push_str(from),
        }
        rest = after;
    }
    valid
}

/// How many bytes to take from inside a string, and what to write instead of them.
fn in_string_at(rest: &str, first: char) -> (usize, Option<String>) {
    match first {
        '\\' => match unit(rest) {
            Some(0xD800..=0xDBFF) if matches!(rest.get(6..).and_then(unit), Some(0xDC00..=0xDFFF)) => {
                (12, None)
            }
            Some(0xD800..=0xDFFF) => (6, Some("\\ufffd".to_owned())),
            _ => (1 + rest.chars().nth(1).map_or(0, char::len_utf8), None),
        },
        '\0'..='\x1f' => (1, Some(format!("\\u{:04x}", u32::from(first)))),
        _ => (first.len_utf8(), None),
    }
}

/// The same between strings.
fn outside_at(rest: &str, first: char) -> (usize, Option<String>) {
    let word = ["NaN", "-Infinity", "Infinity"].into_iter().find(|word| rest.starts_with(word));
    if let Some(word) = word {
        return (word.len(), Some("null".to_owned()));
    }
    if first != '-' && !first.is_ascii_digit() {
        return (first.len_utf8(), None);
    }
    let is_part = |char: char| char.is_ascii_digit() || "+-.eE".contains(char);
    let end = rest.find(|char| !is_part(char)).unwrap_or(rest.len());
    let number = rest.get(..end).and_then(|number| number.parse::<f64>().ok());
    let replacement = number.filter(|number| number.is_infinite()).map(|number| {
        let sign = if number < 0.0 { "-" } else { "" };
        format!("{sign}{:e}", f64::MAX)
    });
    (end.max(1), replacement)
}

/// The UTF-16 code unit that an escape at the beginning stands for.
fn unit(text: &str) -> Option<u16> {
    let digits = text.strip_prefix("\\u")?.get(..4)?;
    let is_hex = digits.bytes().all(|byte| byte.is_ascii_hexdigit());
    is_hex.then(|| u16::from_str_radix(digits, 16).ok()).flatten()
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;
    use serde_json::Value;

    use super::*;

    #[track_caller]
    fn check(json: &str, expected: &str) {
        assert_eq!(mended(json), expected, "{json}");
        serde_json::from_str::<Value>(&mended(json)).unwrap();
    }

    #[test]
    fn halves_of_surrogate_pairs_are_replaced_and_pairs_stay() {
        check(r#""cut \ud83d""#, r#""cut \ufffd""#);
        check(r#""\uDE00\ud83d\uD83d\ude00""#, r#""\ufffd\ufffd\uD83d\ude00""#);
        check(
            r#"{"\ud83d":{"\\ud83d":"\\\udc00\"\ud83dx"}}"#,
            r#"{"\ufffd":{"\\ud83d":"\\\ufffd\"\ufffdx"}}"#,
        );
    }

    #[test]
    fn numbers_that_json_cannot_write_are_no_numbers() {
        check(r#"[NaN, -Infinity,Infinity, "NaN"]"#, r#"[null, null,null, "NaN"]"#);
    }

    #[test]
    fn numbers_beyond_all_range_are_the_greatest() {
        check(
            "[1e400,-1e400,1e-400,-0,1.5E+308]",
            "[1.7976931348623157e308,-1.7976931348623157e308,1e-400,-0,1.5E+308]",
        );
    }

    #[test]
    fn control_characters_and_a_byte_order_mark_are_taken() {
        check("\u{feff}{\"a\n\":\n\"\t\0\"}", "{\"a\\u000a\":\n\"\\u0009\\u0000\"}");
    }

    proptest! {
        #[test]
        fn valid_json_stays_as_it_is(texts: Vec<(String, f64)>) {
            let json = serde_json::to_string(&texts).unwrap();
            prop_assert_eq!(mended(&json), json);
        }

        #[test]
        fn what_is_mended_once_is_mended(json in r#"[\[\]{}",:0-9eE+.\\ud8dcNaInfity-]{0,40}"#) {
            let once = mended(&json);
            prop_assert_eq!(mended(&once), once);
        }
    }
}
