use std::{fmt, str::FromStr};

/// The name of a new workspace, on the wire, in headers and in URLs: 1 to 64 of the letters a to z, digits, `-`, `_` and
/// `.`, of which the first and the last are letters or digits.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct Slug(String);

/// Why a text is no [`Slug`], with one that is.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
#[error(
    "a workspace's name has 1 to {MAX} letters from a to z, digits, hyphens, underscores and dots, and begins and ends with \
     a letter or digit, such as `{example}`"
)]
pub struct BadSlug {
    example: String,
}

const MAX: usize = 64;

impl Slug {
    /// The workspace of those who name none. It always exists.
    pub const DEFAULT: &'static str = "default";

    /// The text.
    #[must_use]
    pub fn as_str(&self) -> &str {
        &self.0
    }
}

impl FromStr for Slug {
    type Err = BadSlug;

    fn from_str(text: &str) -> Result<Self, BadSlug> {
        let is_end = |char: char| char.is_ascii_lowercase() || char.is_ascii_digit();
        let fits = text.len() <= MAX && text.starts_with(is_end) && text.ends_with(is_end);
        if fits && text.chars().all(|char| is_end(char) || "-_.".contains(char)) {
            Ok(Self(text.to_owned()))
        } else {
            Err(BadSlug { example: suggestion(text) })
        }
    }
}

/// The slug that comes closest: `my-team` for `My Team`.
fn suggestion(text: &str) -> String {
    let mut slug = String::new();
    for char in text.chars() {
        match char.to_ascii_lowercase() {
            char if char.is_ascii_alphanumeric() || "_.".contains(char) => slug.push(char),
            _ if slug.ends_with('-') => {}
            _ => slug.push('-'),
        }
        if slug.len() == MAX {
            break;
        }
    }
    let slug = slug.trim_matches(['-', '_', '.']);
    if slug.is_empty() { "support-team".to_owned() } else { slug.to_owned() }
}

impl fmt::Display for Slug {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.pad(&self.0)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn slugs_are_taken_as_they_are() {
        for text in ["a", "7", "support-team", "team_7.eu", &"x".repeat(64)] {
            assert_eq!(text.parse::<Slug>().unwrap().as_str(), text);
        }
    }

    #[test]
    fn what_is_no_slug_is_refused_with_one_that_is() {
        for (text, example) in [
            ("My Team", "my-team"),
            ("Team_7.eu", "team_7.eu"),
            (" a ", "a"),
            ("-a-", "a"),
            ("a/../b", "a-..-b"),
            ("Kundendienst Köln", "kundendienst-k-ln"),
            ("支持", "support-team"),
            ("", "support-team"),
            ("a\u{202e}b\0", "a-b"),
            ("<b>", "b"),
            (&"X".repeat(65), &"x".repeat(64)),
        ] {
            assert_eq!(text.parse::<Slug>(), Err(BadSlug { example: example.to_owned() }), "{text:?}");
            assert!(example.parse::<Slug>().is_ok(), "{example}");
        }
    }
}
