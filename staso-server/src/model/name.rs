/// In bytes. Names and identifiers are kept in the index and in memory, so they are short.
pub const MAX_NAME: usize = 1_024;

/// A name or identifier as lists show it and filters find it: without spaces around it, at most [`MAX_NAME`] bytes of it.
/// The record has all of it. What arrives and what is asked for are both cut here, so that they meet.
#[must_use]
pub fn name_in_index(text: &str) -> &str {
    let text = text.trim();
    text.get(..text.floor_char_boundary(MAX_NAME)).unwrap_or(text).trim_end()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_name_that_was_cut_is_cut_no_further() {
        for text in ["  a b ", &"é".repeat(1_000), &format!("{} b", "a".repeat(1_023)), "", " "] {
            let once = name_in_index(text);
            assert_eq!((name_in_index(once), once.len() <= MAX_NAME), (once, true), "{text}");
        }
    }
}
