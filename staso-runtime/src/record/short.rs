use std::{
    borrow::Cow,
    fmt::{self, Write as _},
};

/// Identifiers and names are kept up to this size: those of spans, agents, conversations, users, models,
/// labels, metadata keys and types of errors, and the settings that every span carries.
pub(crate) const SHORT: usize = 1024;

/// Ends a text that is not all there.
const CUT: &str = "… [cut]";

/// An identifier or name, cut at [`SHORT`] bytes.
pub(crate) fn short(text: &str) -> Cow<'_, str> {
    cut(text, SHORT)
}

/// A text of at most `most` bytes, a mark of what is missing included.
pub(crate) fn cut(text: &str, most: usize) -> Cow<'_, str> {
    if text.len() <= most {
        return Cow::Borrowed(text);
    }
    let (kept, _) = text.split_at(text.floor_char_boundary(most.saturating_sub(CUT.len())));
    Cow::Owned(format!("{kept}{CUT}"))
}

/// The text of an identifier or name. One without an end is stopped.
pub(crate) fn short_text(name: impl fmt::Display) -> String {
    let mut text = ShortText(String::new());
    // What was written until then stands, whether the text failed or was stopped.
    let _ = write!(text, "{name}");
    short(&text.0).into_owned()
}

/// Takes a little more than it may keep, so that the cut is marked.
struct ShortText(String);

impl fmt::Write for ShortText {
    fn write_str(&mut self, text: &str) -> fmt::Result {
        let (taken, rest) = text.split_at(text.floor_char_boundary(2 * SHORT - self.0.len().min(2 * SHORT)));
        self.0.push_str(taken);
        if rest.is_empty() { Ok(()) } else { Err(fmt::Error) }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_name_that_is_too_long_ends_in_a_mark_at_a_character() {
        assert_eq!(short("name"), "name");
        assert_eq!(short(&"x".repeat(SHORT)).len(), SHORT);
        let long = "é".repeat(SHORT);
        let kept = short(&long);
        assert!(kept.ends_with("é… [cut]"), "{kept}");
        assert!((SHORT - 1..=SHORT).contains(&kept.len()), "{}", kept.len());
        assert_eq!(cut("abc", 1), "… [cut]", "the mark is whole, however little room there is");
    }

    #[test]
    fn a_name_without_an_end_is_stopped() {
        struct Endless;
        impl fmt::Display for Endless {
            fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
                loop {
                    f.write_str("ab")?;
                }
            }
        }
        let text = short_text(Endless);
        assert!(text.len() == SHORT && text.starts_with("abab") && text.ends_with(CUT), "{text}");
        assert_eq!(short_text(42), "42");
    }
}
