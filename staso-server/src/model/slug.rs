use std::{fmt, str::FromStr};

/// The name of a workspace, on the wire and in URLs: 1 to 64 letters, digits, `-`, `_`, `.` and spaces, of which the
/// first and the last are no spaces.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct Slug(String);

/// Why a text is no [`Slug`].
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
#[error(
    "a workspace's name has 1 to {MAX} letters, digits, hyphens, underscores, dots and spaces, such as `support-team`"
)]
pub struct BadSlug;

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
        let fits = (1..=MAX).contains(&text.chars().count()) && text.trim() == text;
        let is_plain = text.chars().all(|char| char.is_alphanumeric() || "-_. ".contains(char));
        if fits && is_plain { Ok(Self(text.to_owned())) } else { Err(BadSlug) }
    }
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
    fn names_that_people_give_are_taken() {
        for text in ["a", "support-team", "Team_7.eu", "Kundendienst Köln", "支持", &"x".repeat(64)] {
            assert_eq!(text.parse::<Slug>().unwrap().as_str(), text);
        }
    }

    #[test]
    fn names_that_would_confuse_are_not() {
        for text in ["", " ", " a", "a ", "a/b", "a\nb", "a\u{202e}b", "<b>", "a\0", &"x".repeat(65)] {
            assert_eq!(text.parse::<Slug>(), Err(BadSlug), "{text:?}");
        }
    }
}
