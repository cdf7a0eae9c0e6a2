use std::ops::Range;

use super::{
    MASKED,
    name::{Credential, credential, is_header},
    url::{find_in_url, find_in_urls, is_scheme},
};

/// A plain text, such as that of an error, with the credentials of its URLs masked; what is JSON or `Debug`
/// as a whole, as one inside a string is. `None` when there is nothing to mask.
pub(crate) fn mask_text(text: &str) -> Option<String> {
    let mut found = Vec::new();
    let find = if is_structured(text) { find_in_structure } else { find_in_urls };
    find(text, 0..text.len(), &mut found);
    replace(text, &found, |_| MASKED)
}

/// The text with a mask in each range. The ranges follow one another.
pub(super) fn replace(
    text: &str,
    ranges: &[Range<usize>],
    mask: impl Fn(&Range<usize>) -> &'static str,
) -> Option<String> {
    if ranges.is_empty() {
        return None;
    }
    let mut masked = String::with_capacity(text.len());
    let mut end = 0;
    for range in ranges {
        masked.push_str(text.get(end..range.start)?);
        masked.push_str(mask(range));
        end = range.end;
    }
    masked.push_str(text.get(end..)?);
    Some(masked)
}

/// Whether a text is structured, as JSON and derived `Debug` are: names in it are names of values.
///
/// Escapes may be there still: the text is what stands between the quotes of a JSON string.
pub(super) fn is_structured(text: &str) -> bool {
    let text = text.trim_start();
    let after_path =
        text.trim_start_matches(|c: char| c.is_alphanumeric() || matches!(c, '_' | ':' | '<' | '>'));
    let is_named = after_path.len() < text.len() && text.starts_with(|c: char| c.is_ascii_uppercase());
    match after_path.as_bytes() {
        [b'{' | b'[' | b'(', ..] => is_named || after_path.len() == text.len(),
        [b' ', b'{', ..] => is_named,
        _ => false,
    }
}

/// Finds the values of lines that are one header or one variable and nothing else: `Authorization: Bearer …`,
/// `API_KEY=…`, as in the text of a request and in `.env` files. Line ends may be escaped.
pub(super) fn find_assigned(text: &str, within: Range<usize>, found: &mut Vec<Range<usize>>) {
    let inside = text.get(within).unwrap_or_default();
    for line in inside.split('\n').flat_map(|line| line.split("\\n")) {
        let start = line.as_ptr().addr() - text.as_ptr().addr();
        found.extend(assigned(line).map(|value| start + value.start..start + value.end));
    }
}

/// The value of such a line. A sentence that begins like one has more words.
fn assigned(line: &str) -> Option<Range<usize>> {
    let text = line.strip_prefix("export ").unwrap_or(line);
    let separator = text.find(|c: char| !(c.is_ascii_alphanumeric() || matches!(c, '_' | '-')))?;
    let (name, rest) = text.split_at(separator);
    let value = rest.trim_start_matches([':', '=']).trim();
    let words = || value.split_ascii_whitespace();
    let is_assigned = match rest.as_bytes().first()? {
        b'=' => {
            let is_quoted = value.trim_start_matches('\\').starts_with(['"', '\'']);
            (is_quoted || words().count() == 1) && credential(name).is_some()
        }
        b':' => is_header(name) && (words().count() <= 2 || words().all(|word| word.contains('='))),
        _ => false,
    };
    let start = line.len() - text.len() + separator + rest.find(value)?;
    (is_assigned && !value.is_empty()).then_some(start..start + value.len())
}

/// Finds the values that stand under names of credentials, in `key: value`, `key=value` and
/// `("key", "value")` as JSON, `Debug`, headers and connection strings write them.
pub(super) fn find_in_structure(text: &str, within: Range<usize>, found: &mut Vec<Range<usize>>) {
    let bytes = text.as_bytes();
    let mut at = within.start;
    while let Some(separator) = next(bytes, at..within.end, |b| matches!(b, b':' | b'=' | b',')) {
        at = separator + 1;
        if is_scheme(bytes, separator) {
            at = find_in_url(text, separator, within.end, found);
            continue;
        }
        if bytes.get(at) == Some(&b':') || bytes.get(separator.wrapping_sub(1)) == Some(&b':') {
            // The path of a type.
            continue;
        }
        let Some(name) = name_before(text, within.start..separator) else { continue };
        let Some(known) = credential(name) else { continue };
        let is_other_comma = bytes.get(separator) == Some(&b',')
            && !(is_header(name) && is_first_of_pair(text, within.start..separator, at..within.end));
        if is_other_comma {
            continue;
        }
        if let Some(value) = value_after(text, separator + 1, within.end, name, known) {
            at = value.end;
            found.push(value);
        }
    }
}

/// Whether a comma parts the two texts of a pair, as in `("cookie", "…")`.
fn is_first_of_pair(text: &str, before: Range<usize>, behind: Range<usize>) -> bool {
    let is_quote = |c: char| matches!(c, '"' | '\\');
    let (before, second) = (text.get(before).unwrap_or_default(), text.get(behind).unwrap_or_default());
    // Without a quote there is no text to go back to the beginning of.
    before.ends_with(is_quote) && second.trim_start_matches(' ').starts_with(is_quote) && {
        let first = before.trim_end_matches(is_quote).trim_end_matches(|c: char| !is_quote(c));
        first.trim_end_matches(is_quote).ends_with(['(', '['])
    }
}

/// The name that ends before a separator, with or without quotes.
pub(super) fn name_before(text: &str, before: Range<usize>) -> Option<&str> {
    let before = text.get(before)?.trim_end().trim_end_matches(['"', '\'', '\\']);
    let rest = before.trim_end_matches(|c: char| c.is_alphanumeric() || matches!(c, '_' | '-' | '.'));
    before.get(rest.len()..).filter(|name| !name.is_empty())
}

/// The value behind a separator, its quotes left out. `None` when there is nothing to hide.
fn value_after(text: &str, from: usize, limit: usize, name: &str, known: Credential) -> Option<Range<usize>> {
    let bytes = text.as_bytes();
    let blank = |b: u8| matches!(b, b' ' | b'>');
    let start = (from..limit).find(|at| !bytes.get(*at).copied().is_some_and(blank))?;
    let start = if bytes.get(start) == Some(&b'b') && quote_at(bytes, start + 1, limit).is_some() {
        start + 1
    } else {
        start
    };
    if let Some(quote) = quote_at(bytes, start, limit) {
        let open = start + quote.len();
        let end = closing(bytes, open, limit, quote);
        return (open < end).then_some(open..end);
    }
    let word_end = next(bytes, start..limit, |b| !(b.is_ascii_alphanumeric() || matches!(b, b'_' | b':')))
        .unwrap_or(limit);
    if let Some(b'{' | b'[' | b'(') = bytes.get(word_end..).and_then(|rest| rest.trim_ascii_start().first()) {
        let open = next(bytes, word_end..limit, |b| matches!(b, b'{' | b'[' | b'('))? + 1;
        let near = text.floor_char_boundary(limit.min(open + DESCRIPTION_BYTES));
        let end = balanced(bytes, open, near);
        if describes_a_field(text.get(open..end)?) {
            return None;
        }
        let end = if end < near { end } else { balanced(bytes, open, limit) };
        return (!text.get(open..end)?.trim().is_empty()).then_some(open..end);
    }
    let is_header = is_header(name);
    let ends = |b: u8| match b {
        b'\n' | b'\r' | b'"' | b'\'' | b'\\' | b'}' | b']' | b')' | b'{' => true,
        b' ' | b',' | b';' | b'&' | b'\t' => !is_header,
        _ => false,
    };
    let end = next(bytes, start..limit, ends).unwrap_or(limit);
    let value = text.get(start..end)?.trim_end();
    let is_harmless = value.is_empty()
        || matches!(value, "true" | "false" | "null" | "None" | "none" | "Sensitive")
        || known == Credential::Text && value.parse::<f64>().is_ok();
    (!is_harmless).then_some(start..start + value.len())
}

/// Brackets in which a field is described say so within as many bytes.
const DESCRIPTION_BYTES: usize = 1024;

/// What JSON Schema calls types.
const TYPES: &[&str] = &["string", "number", "integer", "boolean", "object", "array", "null"];

/// Whether what is in brackets says of which type a field is, as JSON Schema does.
fn describes_a_field(inside: &str) -> bool {
    ["type", "$ref", "anyOf", "oneOf", "allOf"].iter().any(|key| {
        inside.match_indices(key).any(|(at, _)| {
            let is_quoted = inside.get(..at).is_some_and(|before| before.ends_with('"'));
            let behind = inside.get(at + key.len()..).unwrap_or_default();
            let behind = behind.trim_start_matches(['"', '\\']);
            is_quoted && behind.trim_start().starts_with(':') && is_keyword(key, behind)
        })
    })
}

/// Whether a key, given what stands behind it, is one of JSON Schema: the `type` of a field, not one of the
/// ways to log in.
pub(super) fn is_keyword(key: &str, behind: &str) -> bool {
    let value = behind.trim_start_matches(|c: char| c.is_whitespace() || matches!(c, ':' | '"' | '\\' | '['));
    let word = value.split(|c: char| !c.is_ascii_alphabetic()).next().unwrap_or_default();
    match key {
        "type" => TYPES.iter().any(|known| word.eq_ignore_ascii_case(known)),
        "$ref" | "anyOf" | "oneOf" | "allOf" => true,
        _ => false,
    }
}

/// A quote, with the backslashes that belong to it.
fn quote_at(bytes: &[u8], at: usize, limit: usize) -> Option<&[u8]> {
    let end = next(bytes, at..limit, |b| b != b'\\')?;
    matches!(bytes.get(end), Some(b'"' | b'\'')).then(|| bytes.get(at..=end)).flatten()
}

/// Where the string ends whose opening quote is `quote`: a quote of the same kind behind as many backslashes.
fn closing(bytes: &[u8], from: usize, limit: usize, quote: &[u8]) -> usize {
    let mark = quote.last().copied();
    let mut slashes = 0;
    for at in from..limit {
        match bytes.get(at).copied() {
            Some(b'\\') => slashes += 1,
            byte if byte == mark && slashes < quote.len() => return at - slashes,
            _ => slashes = 0,
        }
    }
    limit
}

/// Where the bracket closes that was opened before `from`.
fn balanced(bytes: &[u8], from: usize, limit: usize) -> usize {
    let (mut depth, mut at) = (1_usize, from);
    while at < limit {
        match bytes.get(at) {
            Some(b'{' | b'[' | b'(') => depth += 1,
            Some(b'}' | b']' | b')') => depth -= 1,
            Some(b'"' | b'\\') => {
                if let Some(quote) = quote_at(bytes, at, limit) {
                    at = closing(bytes, at + quote.len(), limit, quote) + quote.len() - 1;
                }
            }
            _ => {}
        }
        if depth == 0 {
            return at;
        }
        at += 1;
    }
    limit
}

pub(super) fn next(bytes: &[u8], within: Range<usize>, is_it: impl Fn(u8) -> bool) -> Option<usize> {
    let start = within.start;
    bytes.get(within)?.iter().position(|byte| is_it(*byte)).map(|at| start + at)
}

#[cfg(test)]
mod tests {
    use super::*;

    fn masked(text: &str) -> String {
        let mut found = Vec::new();
        find_in_structure(text, 0..text.len(), &mut found);
        replace(text, &found, |_| MASKED).unwrap_or_else(|| text.to_owned())
    }

    #[test]
    fn values_under_names_of_credentials_are_masked_in_debug_text() {
        for (text, expected) in [
            (r#"Config { api_key: "sk-1", model: "m" }"#, r#"Config { api_key: "[masked]", model: "m" }"#),
            (r#"Config { api_key: Some("sk-1"), n: 1 }"#, r#"Config { api_key: Some([masked]), n: 1 }"#),
            (
                r#"Config { password: Password { inner: "a}b" }, n: 1 }"#,
                "Config { password: Password {[masked]}, n: 1 }",
            ),
            (r#"["authorization", "cookie", "x-api-key"]"#, r#"["authorization", "[masked]", "x-api-key"]"#),
            (
                r#"Seen { header: "authorization", times: 2 }"#,
                r#"Seen { header: "authorization", times: 2 }"#,
            ),
            (
                r#"{"authorization": "Bearer sk-1", "accept": "*/*"}"#,
                r#"{"authorization": "[masked]", "accept": "*/*"}"#,
            ),
            (
                r#"[("authorization", "Bearer sk-1"), ("accept", "*/*")]"#,
                r#"[("authorization", "[masked]"), ("accept", "*/*")]"#,
            ),
            (
                r#"Config { token: None, password: "", max_tokens: 5, token_count: 7 }"#,
                r#"Config { token: None, password: "", max_tokens: 5, token_count: 7 }"#,
            ),
            (r#"{\"api_key\": \"sk-\\\"1\", \"n\": 1}"#, r#"{\"api_key\": \"[masked]\", \"n\": 1}"#),
            (
                r#"Config { secret: b"ab", url: "postgres://me:pw@db/x" }"#,
                r#"Config { secret: b"[masked]", url: "postgres://me:[masked]@db/x" }"#,
            ),
            (
                "Server=db;User Id=me;Password=pw;Database=x",
                "Server=db;User Id=me;Password=[masked];Database=x",
            ),
            (r#"{"password": {"type": "string"}}"#, r#"{"password": {"type": "string"}}"#),
            (r#"{"authorization": {"type": "bearer", "value": "x"}}"#, r#"{"authorization": {[masked]}}"#),
            ("[secret::Key, token::Kind]", "[secret::Key, token::Kind]"),
        ] {
            assert_eq!(masked(text), expected);
        }
    }

    #[test]
    fn an_error_that_shows_its_fields_shows_no_credentials() {
        let masked = |text| mask_text(text).unwrap_or_else(|| String::from(text));
        assert_eq!(
            masked(r#"Refused { api_key: "k", status: 401 }"#),
            r#"Refused { api_key: "[masked]", status: 401 }"#
        );
        assert_eq!(masked(r#"{"token": "t", "code": 3}"#), r#"{"token": "[masked]", "code": 3}"#);
        assert_eq!(masked("wrong password: none was given"), "wrong password: none was given");
    }

    #[test]
    fn a_text_that_is_one_header_or_one_variable_loses_its_value() {
        for (text, value) in [
            ("Authorization: Bearer sk-1", "Bearer sk-1"),
            ("x-api-key:k", "k"),
            ("Cookie: a=1; b=2; c=3", "a=1; b=2; c=3"),
            ("OPENAI_API_KEY=sk=1", "sk=1"),
            ("export DB_PASSWORD=\"a b\"", "\"a b\""),
        ] {
            assert_eq!(assigned(text).and_then(|value| text.get(value)), Some(value), "{text}");
        }
        for text in [
            "Cookie: a small cake",
            "token: abc",
            "API_KEY=",
            "API_KEY=a cargo run",
            "PATH=/bin",
            "accept: text/html",
            "",
        ] {
            assert_eq!(assigned(text), None, "{text}");
        }
    }

    #[test]
    fn prose_is_not_taken_for_a_structure() {
        for text in
            ["{\"a\":1}", "[1]", "Client { a: 1 }", "Some(1)", "http::Client { x }", "(1, 2)", "HeaderMap{"]
        {
            assert_eq!(is_structured(text), !text.starts_with("http"), "{text}");
        }
        for text in ["My password: x", "token: [1]", "see f(x)", "", "Hello (world)"] {
            assert!(!is_structured(text), "{text}");
        }
    }

    proptest::proptest! {
        #[test]
        fn any_text_is_survived_and_only_loses_what_was_found(text in r#"(?s)[a:=,"'\\{}\[\]() é/@&?]{0,30}(token|api_key)?[:=, "\\{(\[]{0,5}.{0,20}"#) {
            let mut found = Vec::new();
            find_in_structure(&text, 0..text.len(), &mut found);
            proptest::prop_assert!(found.is_sorted_by(|a, b| a.end <= b.start));
            proptest::prop_assert!(found.is_empty() || replace(&text, &found, |_| MASKED).is_some());
            let _ = mask_text(&text);
        }
    }
}
