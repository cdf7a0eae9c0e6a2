//! Reads JSON that stands in a text, and JSON that stands in its strings, at any depth: what clients send as the
//! arguments of a call is JSON text in a string of JSON text.

use std::{borrow::Cow, str::Chars};

use memchr::{memchr, memchr2, memchr2_iter};

/// Deeper than any text is that a request can hold: each level doubles what its escapes take.
const MAX_DEPTH: u32 = 32;

/// The text with the strings of its JSON as what they stand for: `\u00e9` is a letter and `\n` ends a line. Outside of
/// JSON a backslash stands for itself. JSON may be cut off.
pub(super) fn unfolded(text: &str) -> Cow<'_, str> {
    if !text.contains('\\') {
        return Cow::Borrowed(text);
    }
    let mut out = String::with_capacity(text.len());
    unfold(text, MAX_DEPTH, &mut out);
    Cow::Owned(out)
}

fn unfold(text: &str, depth: u32, out: &mut String) {
    let mut rest = text;
    let at_start = rest.trim_start();
    if at_start.starts_with(['{', '[', '"']) {
        let (space, json) = rest.split_at(rest.len() - at_start.len());
        out.push_str(space);
        rest = value(json, depth, out);
    }
    while let Some(start) = start_of_json(rest) {
        let (plain, json) = rest.split_at(start);
        out.push_str(plain);
        rest = value(json, depth, out);
    }
    out.push_str(rest);
}

/// Where an object or an array begins in a text.
fn start_of_json(text: &str) -> Option<usize> {
    memchr2_iter(b'{', b'[', text.as_bytes()).find(|index| {
        let behind = text.get(index + 1..).unwrap_or_default();
        behind.trim_start_matches([' ', '\t', '\r', '\n']).starts_with(['"', '{', '['])
    })
}

/// Reads the array, object or string that a text begins with. What stands behind it.
fn value<'t>(text: &'t str, depth: u32, out: &mut String) -> &'t str {
    let mut open = 0_u32;
    let mut rest = text;
    let is_mark = |byte| matches!(byte, b'"' | b'{' | b'[' | b'}' | b']');
    while let Some(at) = rest.bytes().position(is_mark) {
        let (before, mark) = rest.split_at(at);
        out.push_str(before);
        let (mark, behind) = mark.split_at(1);
        out.push_str(mark);
        rest = behind;
        match mark {
            "{" | "[" => open += 1,
            "\"" => {
                let (content, behind) = literal(rest);
                string(content, depth, out);
                if content.len() < rest.len() {
                    out.push('"');
                }
                rest = behind;
            }
            _ => open = open.saturating_sub(1),
        }
        if open == 0 {
            return rest;
        }
    }
    out.push_str(rest);
    ""
}

/// The content of a string up to its end, and what stands behind that.
fn literal(text: &str) -> (&str, &str) {
    let mut from = 0;
    while let Some(index) = text.as_bytes().get(from..).and_then(|rest| memchr2(b'"', b'\\', rest)) {
        let index = from + index;
        if text.as_bytes().get(index) == Some(&b'"') {
            return (&text[..index], &text[index + 1..]);
        }
        from = index + 2;
    }
    (text, "")
}

fn string(content: &str, depth: u32, out: &mut String) {
    if !content.contains('\\') {
        out.push_str(content);
        return;
    }
    let said = unescaped(content);
    if depth > 0 && said.contains('\\') {
        unfold(&said, depth - 1, out);
    } else {
        out.push_str(&said);
    }
}

/// What the content of a JSON string stands for. What is no escape of JSON stands for itself.
fn unescaped(content: &str) -> String {
    let mut said = String::with_capacity(content.len());
    let mut rest = content;
    while let Some(at) = memchr(b'\\', rest.as_bytes()) {
        let (plain, escape) = rest.split_at(at);
        said.push_str(plain);
        let mut behind = escape[1..].chars();
        said.push(escaped(&mut behind));
        rest = behind.as_str();
    }
    said.push_str(rest);
    said
}

/// Takes what stands behind a backslash. The character that it is.
fn escaped(rest: &mut Chars<'_>) -> char {
    let mut ahead = rest.clone();
    let said = match ahead.next() {
        Some('n') => '\n',
        Some('r') => '\r',
        Some('t') => '\t',
        Some('b') => '\u{8}',
        Some('f') => '\u{c}',
        None => ' ',
        Some(char @ ('"' | '\\' | '/')) => char,
        Some('u') => numbered(&mut ahead),
        Some(_) => return '\\',
    };
    *rest = ahead;
    said
}

/// Takes what stands behind `\u`. The character that it is; a space for half of a pair.
fn numbered(rest: &mut Chars<'_>) -> char {
    let high = unit(rest);
    if !(0xD800..0xDC00).contains(&high) {
        return char::from_u32(high).unwrap_or(' ');
    }
    let mut ahead = rest.clone();
    if ahead.next() != Some('\\') || ahead.next() != Some('u') {
        return ' ';
    }
    let low = unit(&mut ahead);
    if !(0xDC00..0xE000).contains(&low) {
        return ' ';
    }
    *rest = ahead;
    char::from_u32(0x10000 + ((high - 0xD800) << 10) + (low - 0xDC00)).unwrap_or(' ')
}

fn unit(rest: &mut Chars<'_>) -> u32 {
    let mut unit = 0;
    for _ in 0..4 {
        let mut ahead = rest.clone();
        let Some(digit) = ahead.next().and_then(|char| char.to_digit(16)) else { break };
        *rest = ahead;
        unit = unit * 16 + digit;
    }
    unit
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;
    use serde_json::json;

    use super::*;

    #[test]
    fn json_in_a_text_is_read_and_other_backslashes_stand_for_themselves() {
        for (text, expected) in [
            (r#"{"a": "\u0430\u0413\nnew"}"#, "{\"a\": \"аГ\nnew\"}"),
            (r#""say \"hi\"" C:\new"#, r#""say "hi"" C:\new"#),
            (r#"{"path": "C:\\new"}"#, r#"{"path": "C:\new"}"#),
            (r"C:\new D:\temp", r"C:\new D:\temp"),
            (r#"failed: {"message": "a\nb"} at C:\new"#, "failed: {\"message\": \"a\nb\"} at C:\\new"),
            (r#"["cut off\nhere, {\"b\": \"c\\nd"#, "[\"cut off\nhere, {\"b\": \"c\nd"),
            (r#"["\ud83d\ude00 \ud800 \q \u12"]"#, "[\"😀   \\q \u{12}\"]"),
            (r"[\d+] {\w}", r"[\d+] {\w}"),
        ] {
            assert_eq!(unfolded(text), expected, "{text}");
        }
    }

    proptest! {
        #[test]
        fn what_was_put_into_json_so_many_times_is_read_back(text in "[^\\\\\"{\\[]{0,20}", depth in 1_usize..6) {
            let mut folded = text.clone();
            for _ in 0..depth {
                folded = json!({ "inner": folded }).to_string();
            }
            let read = unfolded(&folded).into_owned();
            prop_assert!(read.contains(&text), "{read}");
            prop_assert!(!read.contains('\\'), "{read}");
        }

        #[test]
        fn any_text_is_read_to_its_end(text in "[\\\\\"{}\\[\\]un0a ]{0,60}") {
            unfolded(&text);
        }
    }
}
