use std::ops::Range;

use super::{
    name::is_secret_parameter,
    text::{name_before, next},
};

/// Finds the credentials of the URLs in a text: passwords before the host, parameters behind the path.
pub(super) fn find_in_urls(text: &str, within: Range<usize>, found: &mut Vec<Range<usize>>) {
    let bytes = text.as_bytes();
    let mut at = within.start;
    while let Some(colon) = next(bytes, at..within.end, |b| b == b':') {
        at = if is_scheme(bytes, colon) { find_in_url(text, colon, within.end, found) } else { colon + 1 };
    }
}

/// A user without a password that is at least this long is a token.
const TOKEN_BYTES: usize = 20;

/// Looks at one URL, given the colon behind its scheme. Where the URL ends.
pub(super) fn find_in_url(text: &str, colon: usize, limit: usize, found: &mut Vec<Range<usize>>) -> usize {
    let bytes = text.as_bytes();
    let start = colon + 3;
    let is_outside = |b: u8| {
        b.is_ascii_whitespace()
            || b.is_ascii_control()
            || matches!(b, b'"' | b'\'' | b'\\' | b'<' | b'>' | b'`')
    };
    let end = next(bytes, start..limit, is_outside).unwrap_or(limit);
    let authority = next(bytes, start..end, |b| matches!(b, b'/' | b'?' | b'#')).unwrap_or(end);
    let user =
        text.get(start..authority).and_then(|authority| authority.rfind('@')).map(|at| start..start + at);
    if let Some(user) = user.filter(|user| !user.is_empty()) {
        match next(bytes, user.clone(), |b| b == b':') {
            Some(colon) if colon + 1 < user.end => found.push(colon + 1..user.end),
            None if user.len() >= TOKEN_BYTES => found.push(user),
            _ => {}
        }
    }
    let mut at = authority;
    while let Some(equals) = next(bytes, at..end, |b| b == b'=') {
        at = equals + 1;
        let value =
            at..next(bytes, at..end, |b| matches!(b, b'&' | b';' | b'#' | b')' | b',')).unwrap_or(end);
        let name = name_before(text, authority..equals);
        if !value.is_empty() && name.is_some_and(is_secret_parameter) {
            at = value.end;
            found.push(value);
        }
    }
    end
}

pub(super) fn is_scheme(bytes: &[u8], colon: usize) -> bool {
    bytes.get(colon..).is_some_and(|rest| rest.starts_with(b"://"))
        && colon.checked_sub(1).and_then(|before| bytes.get(before)).is_some_and(u8::is_ascii_alphanumeric)
}

#[cfg(test)]
mod tests {
    use crate::credentials::mask_text;

    #[test]
    fn urls_lose_their_passwords_and_secret_parameters() {
        fn check(text: &str, expected: &str) {
            assert_eq!(mask_text(text).as_deref().unwrap_or(text), expected);
        }
        check(
            "error for url (https://a:b@h/p?api_key=k&page=2)",
            "error for url (https://a:[masked]@h/p?api_key=[masked]&page=2)",
        );
        check("git+https://ghp_0123456789abcdefghij@github.com/x", "git+https://[masked]@github.com/x");
        check(
            "error for url (https://h/v1/models/m:generateContent?alt=sse&key=AIza1)",
            "error for url (https://h/v1/models/m:generateContent?alt=sse&key=[masked])",
        );
        check(
            "https://h/c?sp=r&sig=a%2Fb, https://h/o?X-Amz-Expires=9&X-Amz-Signature=ab",
            "https://h/c?sp=r&sig=[masked], https://h/o?X-Amz-Expires=9&X-Amz-Signature=[masked]",
        );
        check(
            "mail me@example.com at https://h/p?page_token=2",
            "mail me@example.com at https://h/p?page_token=2",
        );
        check("the password: hunter2", "the password: hunter2");
    }
}
