//! What text search takes for a word, in records and in queries alike.
//!
//! A word is a maximal run of alphanumeric characters, in lower case, cut after [`MAX_CHARS`]. It holds no
//! ASCII but letters and digits, so a tokenizer that keeps all of those and everything beyond ASCII together
//! finds the same words in a text where they are separated by spaces.

use std::{collections::HashSet, iter::Peekable, str::Chars};

use super::record::RecordTexts;

/// What goes on for longer, such as an encoded image, is known by its beginning.
pub const MAX_CHARS: usize = 64;

/// Hands out the words of a span's record, the span object of the wire as it came: those of its name, input,
/// output and error. Words occur as often as the record has them.
pub fn in_record(record: &str, found: &mut dyn FnMut(&str)) {
    let texts = RecordTexts::of(record);
    in_text(&texts.name, found);
    in_json_text(&texts.input, found);
    in_json_text(&texts.output, found);
    in_text(texts.error_message.as_deref().unwrap_or_default(), found);
}

/// Hands out the words of a text.
pub fn in_text(text: &str, found: &mut dyn FnMut(&str)) {
    in_chars(text.chars(), found);
}

/// As [`in_text`]; in JSON, `\u0430` is a letter and `\n` ends a word.
fn in_json_text(text: &str, found: &mut dyn FnMut(&str)) {
    if text.starts_with(['{', '[', '"']) && text.contains('\\') {
        in_chars(Unescaped(text.chars().peekable()), found);
    } else {
        in_text(text, found);
    }
}

fn in_chars(chars: impl Iterator<Item = char>, found: &mut dyn FnMut(&str)) {
    let mut word = String::new();
    let mut length = 0;
    for char in chars {
        if !char.is_alphanumeric() {
            if length > 0 {
                found(&word);
                word.clear();
                length = 0;
            }
        } else if length < MAX_CHARS {
            length += 1;
            if char.is_ascii() {
                word.push(char.to_ascii_lowercase());
            } else {
                word.extend(char.to_lowercase());
            }
        }
    }
    if length > 0 {
        found(&word);
    }
}

/// The characters that JSON text stands for. Text that is not JSON goes through as far as it can.
struct Unescaped<'a>(Peekable<Chars<'a>>);

impl Iterator for Unescaped<'_> {
    type Item = char;

    fn next(&mut self) -> Option<char> {
        let char = self.0.next()?;
        if char != '\\' {
            return Some(char);
        }
        match self.0.peek() {
            Some('n' | 'r' | 't' | 'b' | 'f') => {
                self.0.next();
                Some(' ')
            }
            Some('u') => {
                self.0.next();
                Some(self.escaped())
            }
            Some('\\') => self.0.next(),
            _ => Some(' '),
        }
    }
}

impl Unescaped<'_> {
    /// What stands behind `\u`; a space for half of a pair.
    fn escaped(&mut self) -> char {
        let unit = self.unit();
        if !(0xD800..0xDC00).contains(&unit) {
            return char::from_u32(unit).unwrap_or(' ');
        }
        let mut ahead = self.0.clone();
        if ahead.next() != Some('\\') || ahead.next() != Some('u') {
            return ' ';
        }
        let mut rest = Self(ahead);
        let low = rest.unit();
        if !(0xDC00..0xE000).contains(&low) {
            return ' ';
        }
        self.0 = rest.0;
        char::from_u32(0x10000 + ((unit - 0xD800) << 10) + (low - 0xDC00)).unwrap_or(' ')
    }

    fn unit(&mut self) -> u32 {
        let mut unit = 0;
        for _ in 0..4 {
            let Some(digit) = self.0.peek().and_then(|char| char.to_digit(16)) else { break };
            self.0.next();
            unit = unit * 16 + digit;
        }
        unit
    }
}

/// The words that a text must contain to be found.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct WordQuery {
    /// Words that must occur as they are, each once.
    pub whole: Vec<String>,
    /// What a word must begin with.
    pub prefix: Option<String>,
}

impl WordQuery {
    /// Reads what a user typed. The last word may be unfinished, but a single ASCII letter or digit stands for
    /// itself: too many words begin with one.
    #[must_use]
    pub fn parse(text: &str) -> Self {
        let mut words: Vec<String> = Vec::new();
        in_text(text, &mut |word| words.push(word.to_owned()));
        let prefix = words.pop_if(|last| last.len() > 1);
        words.sort_unstable();
        words.dedup();
        Self { whole: words, prefix }
    }

    /// Whether every text contains what it asks for.
    #[must_use]
    pub fn is_empty(&self) -> bool {
        self.whole.is_empty() && self.prefix.is_none()
    }

    /// Whether the records have, together, every word.
    pub fn matches<'a>(&self, records: impl IntoIterator<Item = &'a str>) -> bool {
        let mut missing: HashSet<&str> = self.whole.iter().map(String::as_str).collect();
        let mut prefix = self.prefix.as_deref();
        for record in records {
            if missing.is_empty() && prefix.is_none() {
                break;
            }
            in_record(record, &mut |word| {
                missing.remove(word);
                prefix = prefix.filter(|prefix| !word.starts_with(prefix));
            });
        }
        missing.is_empty() && prefix.is_none()
    }
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    fn words(record: &str) -> Vec<String> {
        let mut words = Vec::new();
        in_record(record, &mut |word| words.push(word.to_owned()));
        words
    }

    #[test]
    fn a_record_has_the_words_of_its_name_input_output_and_error() {
        let record = r#"{"span_id":"no","name":"Look_up","input":"{\"city\": \"Kyōto\"}","output":"","error_message":"HTTP-404"}"#;
        assert_eq!(words(record), ["look", "up", "city", "kyōto", "http", "404"]);
    }

    #[test]
    fn escapes_of_inner_json_are_read() {
        let record = r#"{"input":"{\"a\": \"\\u0430\\u0413\\nnew\\\\\\\"x\\ud83d\\ude00y\\ud800z\"}"}"#;
        assert_eq!(words(record), ["a", "аг", "new", "x", "y", "z"]);
    }

    #[test]
    fn a_backslash_in_plain_text_is_no_escape() {
        assert_eq!(words(r#"{"error_message":"C:\\new","input":"D:\\temp"}"#), ["d", "temp", "c", "new"]);
    }

    #[test]
    fn a_long_word_is_known_by_its_beginning() {
        let (word, longer) = ("x".repeat(MAX_CHARS), "x".repeat(MAX_CHARS + 1));
        assert_eq!(words(&format!(r#"{{"name":"{longer}"}}"#)), [word]);
        assert!(WordQuery::parse(&longer).matches([&*format!(r#"{{"name":"{longer}yz"}}"#)]));
    }

    #[test]
    fn all_words_must_occur_and_the_last_may_be_unfinished() {
        let records = [r#"{"name":"book flight"}"#, r#"{"output":"{\"result\":\"Confirmed\"}"}"#];
        for (query, expected) in [
            ("CONF", true),
            ("flight book conf", true),
            ("boo flight", false),
            ("book hotel", false),
            ("b", false),
            ("* \" NEAR(", false),
            ("--", true),
        ] {
            assert_eq!(WordQuery::parse(query).matches(records), expected, "{query}");
        }
    }

    proptest! {
        #[test]
        fn words_hold_no_separator_and_stay_as_they_are(text in ".*") {
            in_text(&text, &mut |word| {
                assert!(word.chars().all(|c| !c.is_ascii() || c.is_ascii_lowercase() || c.is_ascii_digit()));
            });
        }

        #[test]
        fn reading_escapes_gives_what_a_json_parser_gives(text in ".*") {
            let json = serde_json::to_string(&text).unwrap();
            let read: String = Unescaped(json.chars().peekable()).collect();
            let (mut found, mut expected) = (Vec::new(), Vec::new());
            in_text(&read, &mut |word| found.push(word.to_owned()));
            in_text(&text, &mut |word| expected.push(word.to_owned()));
            prop_assert_eq!(found, expected);
        }
    }
}
