//! What an index keeps of a text.
//!
//! A *word* is a run of letters, digits and their marks; one that goes on for long is kept in pieces that overlap. Where
//! a script has no spaces between words, every two neighbours are a token, and the last character of a run by itself.
//! Everything else that is no space is a *symbol*, a token for each character.

/// Longer words are kept in pieces of so many characters.
pub(crate) const PIECE: usize = 64;

/// Whatever part of a word has up to so many characters is within a piece.
pub(crate) const WITHIN_PIECE: usize = 32;

/// What a character belongs to.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Class {
    /// A word.
    Word,
    /// A run of a script without spaces.
    Unspaced,
    /// Nothing but itself.
    Symbol,
    /// A gap.
    Space,
}

impl Class {
    pub(crate) fn of(char: char) -> Self {
        match char {
            ' ' => Self::Space,
            'a'..='z' | '0'..='9' => Self::Word,
            _ if char.is_ascii() => Self::Symbol,
            // Thai, Lao, Tibetan, Burmese, Khmer; Japanese and Chinese.
            '\u{E01}'..='\u{EFF}'
            | '\u{F00}'..='\u{FFF}'
            | '\u{1000}'..='\u{109F}'
            | '\u{1780}'..='\u{17FF}'
            | '\u{3005}'..='\u{3007}'
            | '\u{3041}'..='\u{312F}'
            | '\u{31F0}'..='\u{31FF}'
            | '\u{3400}'..='\u{4DBF}'
            | '\u{4E00}'..='\u{9FFF}'
            | '\u{F900}'..='\u{FAFF}'
            | '\u{20000}'..='\u{3FFFF}' => Self::Unspaced,
            _ if char.is_alphanumeric() || unicode_normalization::char::is_combining_mark(char) => Self::Word,
            _ => Self::Symbol,
        }
    }
}

/// The token of a symbol. It holds no ASCII, which the index's own tokenizer would take for a gap.
pub(crate) fn symbol(char: char) -> char {
    if char.is_ascii() { char::from_u32(0xE000 + u32::from(char)).unwrap_or(char) } else { char }
}

/// Takes the tokens out of a text in normal form, which may come in portions.
pub(crate) struct Tokenizer<'f> {
    found: &'f mut dyn FnMut(Class, &str),
    class: Class,
    run: String,
    chars: usize,
}

impl<'f> Tokenizer<'f> {
    /// Hands out each token as often as it occurs, and what it is.
    pub(crate) fn new(found: &'f mut dyn FnMut(Class, &str)) -> Self {
        Self { found, class: Class::Space, run: String::new(), chars: 0 }
    }

    pub(crate) fn push(&mut self, text: &str) {
        let mut rest = text;
        while let Some(char) = rest.chars().next() {
            if self.chars == 0
                && let Some(word) = whole_word(rest)
            {
                (self.found)(Class::Word, word);
                self.class = Class::Space;
                rest = &rest[word.len()..];
                continue;
            }
            rest = &rest[char.len_utf8()..];
            let class = Class::of(char);
            if class != self.class {
                self.end();
                self.class = class;
            }
            match class {
                Class::Space => {}
                Class::Symbol => (self.found)(Class::Symbol, symbol(char).encode_utf8(&mut [0; 4])),
                Class::Word => {
                    if self.chars == PIECE {
                        (self.found)(Class::Word, &self.run);
                        self.keep_last(WITHIN_PIECE - 1);
                    }
                    self.add(char);
                }
                Class::Unspaced => {
                    self.add(char);
                    if self.chars == 2 {
                        (self.found)(Class::Unspaced, &self.run);
                        self.keep_last(1);
                    }
                }
            }
        }
    }

    /// Ends the text.
    pub(crate) fn end(&mut self) {
        if self.chars > 0 {
            (self.found)(self.class, &self.run);
        }
        self.keep_last(0);
        self.class = Class::Space;
    }

    fn add(&mut self, char: char) {
        self.run.push(char);
        self.chars += 1;
    }

    fn keep_last(&mut self, chars: usize) {
        let kept = last(&self.run, chars).len();
        self.run.drain(..self.run.len() - kept);
        self.chars = chars.min(self.chars);
    }
}

/// The word that a text begins with, where it is short, of ASCII, and seen to end: most words need not be gathered
/// character by character.
fn whole_word(text: &str) -> Option<&str> {
    let is_of_word = |byte: &u8| byte.is_ascii_lowercase() || byte.is_ascii_digit();
    let end = text.as_bytes().iter().position(|byte| !is_of_word(byte))?;
    let ends = text.as_bytes().get(end).is_some_and(u8::is_ascii);
    (ends && (1..=PIECE).contains(&end)).then(|| &text[..end])
}

/// The first characters of a text.
pub(crate) fn first(text: &str, chars: usize) -> &str {
    text.char_indices().nth(chars).map_or(text, |(end, _)| &text[..end])
}

/// The last characters of a text.
pub(crate) fn last(text: &str, chars: usize) -> &str {
    let start = chars
        .checked_sub(1)
        .map_or(text.len(), |before| text.char_indices().nth_back(before).map_or(0, |(start, _)| start));
    &text[start..]
}

/// The runs of a text in normal form.
pub(crate) fn runs(text: &str) -> Vec<(Class, &str)> {
    let mut runs: Vec<(Class, &str)> = Vec::new();
    let mut start = 0;
    for (index, char) in text.char_indices() {
        let class = Class::of(char);
        match runs.last_mut() {
            Some((known, run)) if *known == class => *run = &text[start..index + char.len_utf8()],
            _ => {
                start = index;
                runs.push((class, &text[start..start + char.len_utf8()]));
            }
        }
    }
    runs
}

#[cfg(test)]
mod tests {
    use super::*;

    fn tokens(text: &str) -> Vec<String> {
        let mut tokens = Vec::new();
        let mut push = |_: Class, token: &str| tokens.push(token.to_owned());
        let mut tokenizer = Tokenizer::new(&mut push);
        text.split_inclusive('|').for_each(|portion| tokenizer.push(portion.trim_end_matches('|')));
        tokenizer.end();
        tokens
    }

    #[test]
    fn words_pairs_and_symbols_are_tokens() {
        assert_eq!(tokens("look-up 42|x"), ["look", "\u{E02D}", "up", "42x"]);
        assert_eq!(tokens("lo|ok up|, naïve cafés x|"), ["look", "up", "\u{E02C}", "naïve", "cafés", "x"]);
        assert_eq!(tokens("退款订|单 a"), ["退款", "款订", "订单", "单", "a"]);
        assert_eq!(tokens("gpt模型🎉🎉"), ["gpt", "模型", "型", "🎉", "🎉"]);
        assert_eq!(tokens("शब्द"), ["शब्द"]);
    }

    #[test]
    fn every_short_part_of_a_long_word_is_within_a_piece() {
        let word: String =
            (0..200).filter_map(|number| char::from_u32(0x430 + number % 32 + number / 32)).collect();
        let pieces = tokens(&word);
        assert!(pieces.iter().all(|piece| piece.chars().count() <= PIECE));
        let chars: Vec<char> = word.chars().collect();
        for part in chars.windows(WITHIN_PIECE) {
            let part: String = part.iter().collect();
            assert!(pieces.iter().any(|piece| piece.contains(&part)), "{part}");
        }
        assert!(
            word.ends_with(pieces.last().unwrap()) && pieces.last().unwrap().chars().count() >= WITHIN_PIECE
        );
    }
}
