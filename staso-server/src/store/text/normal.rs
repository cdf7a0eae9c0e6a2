//! The form in which texts are compared.
//!
//! Compatible characters are one (NFKC: full width is half width, `ﬁ` is `fi`), upper and lower case are one, and so
//! are letters with accents, points or vowel signs of Latin, Greek, Cyrillic, Hebrew and Arabic and those without. What
//! joins or directs characters and has no width is left out. Every run of white space and control characters is one space.

use std::{
    iter,
    ops::ControlFlow::{self, Continue},
};

use unicode_normalization::{UnicodeNormalization as _, char::is_combining_mark};

/// A text is put in this form so many bytes at a time.
const PORTION: usize = 32 << 10;

/// The normal form of a text.
pub(crate) fn of(text: &str) -> String {
    let mut normal = String::with_capacity(text.len());
    let _all = in_portions(text, &mut |portion| {
        normal.push_str(portion);
        Continue(())
    });
    normal
}

/// Hands out the normal form of a text in portions, as a text may be large, until it is told to stop.
pub(crate) fn in_portions(text: &str, found: &mut dyn FnMut(&str) -> ControlFlow<()>) -> ControlFlow<()> {
    let mut normal = String::with_capacity(text.len().min(PORTION + 64));
    let mut after_space = false;
    for portion in portions(text) {
        normal.clear();
        let mut rest = portion;
        while !rest.is_empty() {
            // What is ASCII is composed with nothing that is not left out, so that either can be looked at by itself.
            let (ascii, behind) = rest.split_at(while_ascii(rest.as_bytes(), true));
            push_ascii(ascii, &mut after_space, &mut normal);
            let (other, behind) = behind.split_at(while_ascii(behind.as_bytes(), false));
            push_other(other, &mut after_space, &mut normal);
            rest = behind;
        }
        found(&normal)?;
    }
    Continue(())
}

/// How many bytes, from the first on, are ASCII, or are not.
fn while_ascii(bytes: &[u8], is_ascii: bool) -> usize {
    const STEP: usize = 64;
    // Most texts have nothing else: whole steps are looked at together.
    let steps = bytes.chunks_exact(STEP).take_while(|step| is_ascii && step.is_ascii()).count();
    let rest = bytes.get(steps * STEP..).unwrap_or_default();
    let end = rest.iter().position(|byte| byte.is_ascii() != is_ascii).unwrap_or(rest.len());
    steps * STEP + end
}

fn push_ascii(text: &str, after_space: &mut bool, normal: &mut String) {
    let is_gap = |byte: &u8| *byte <= b' ' || *byte == 0x7F;
    let mut rest = text;
    while !rest.is_empty() {
        let start = normal.len();
        let end = rest.bytes().position(|byte| is_gap(&byte)).unwrap_or(rest.len());
        let (word, behind) = rest.split_at(end);
        if !word.is_empty() {
            normal.push_str(word);
            normal[start..].make_ascii_lowercase();
            *after_space = false;
        }
        let gap = behind.bytes().take_while(is_gap).count();
        if gap > 0 && !std::mem::replace(after_space, true) {
            normal.push(' ');
        }
        rest = &behind[gap..];
    }
}

fn push_other(text: &str, after_space: &mut bool, normal: &mut String) {
    let bare = text.nfkd().filter(|char| !is_left_out(*char));
    // Upper case first: `ß` is `ss` and `ς` is `σ` only that way.
    let folded = bare.flat_map(char::to_uppercase).flat_map(char::to_lowercase);
    folded.nfc().for_each(|char| push(char, after_space, normal));
}

fn push(char: char, after_space: &mut bool, normal: &mut String) {
    if char.is_whitespace() || char.is_control() {
        if !std::mem::replace(after_space, true) {
            normal.push(' ');
        }
    } else {
        *after_space = false;
        normal.push(char);
    }
}

/// The text in parts of about [`PORTION`] bytes, cut where nothing is composed.
fn portions(mut text: &str) -> impl Iterator<Item = &str> {
    iter::from_fn(move || {
        if text.is_empty() {
            return None;
        }
        let least = text.ceil_char_boundary(PORTION);
        let more = text[least..].char_indices().find(|(_, char)| begins_anew(*char));
        let (portion, rest) = text.split_at(more.map_or(text.len(), |(index, _)| least + index));
        text = rest;
        Some(portion)
    })
}

/// Whether a character is composed with none before it.
fn begins_anew(char: char) -> bool {
    const VOWELS_AND_FINALS: std::ops::RangeInclusive<char> = '\u{1160}'..='\u{11FF}';
    const HALF_WIDTH_MARKS: std::ops::RangeInclusive<char> = '\u{FF9E}'..='\u{FF9F}';
    char.is_ascii()
        || !(is_combining_mark(char)
            || VOWELS_AND_FINALS.contains(&char)
            || ('\u{FFA0}'..='\u{FFDC}').contains(&char)
            || HALF_WIDTH_MARKS.contains(&char))
}

fn is_left_out(char: char) -> bool {
    matches!(char,
        // Accents; points of Hebrew; vowel signs of Arabic.
        '\u{300}'..='\u{36F}' | '\u{591}'..='\u{5BD}' | '\u{5BF}'..='\u{5C7}'
        | '\u{610}'..='\u{61A}' | '\u{640}' | '\u{64B}'..='\u{65F}' | '\u{670}'
        // Soft hyphen, joiners, directions, variants of glyphs, byte order mark.
        | '\u{AD}' | '\u{61C}' | '\u{180B}'..='\u{180E}' | '\u{200B}'..='\u{200F}'
        | '\u{202A}'..='\u{202E}' | '\u{2060}'..='\u{206F}' | '\u{FE00}'..='\u{FE0F}' | '\u{FEFF}'
        | '\u{E0100}'..='\u{E01EF}')
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    #[test]
    fn what_reads_the_same_is_the_same() {
        for (text, expected) in [
            ("Crème Brûlée", "creme brulee"),
            ("ZÜRICH", "zurich"),
            ("Straße ΣΊΣΥΦΟΣ", "strasse σισυφοσ"),
            ("İstanbul Işık", "istanbul isik"),
            ("ＡＢＣ１２ ｶﾞﾊﾟ", "abc12 ガパ"),
            ("がぎ が", "がぎ が"),
            ("ﬁne №5", "fine no5"),
            ("a \t\n\u{a0} b\0c", "a b c"),
            ("❤️ 👩‍🚀 zero\u{200b}width", "❤ 👩🚀 zerowidth"),
            ("שָׁלוֹם مُحَمَّد", "שלום محمد"),
            ("한글 한글", "한글 한글"),
            ("คืนเงิน शब्द", "คืนเงิน शब्द"),
        ] {
            assert_eq!(of(text), expected, "{text}");
        }
    }

    proptest! {
        #[test]
        fn it_is_the_same_in_portions(text in "(.|[a-zİé한ｶﾞ한 \u{301}\u{3099}\u{653}\u{200d}]{1,9}){0,30}") {
            let long = text.repeat(2 * PORTION / text.len().max(1));
            let (mut pieces, mut after_space) = (String::new(), false);
            for char in long.nfkd().filter(|char| !is_left_out(*char)).flat_map(char::to_uppercase).flat_map(char::to_lowercase).nfc() {
                push(char, &mut after_space, &mut pieces);
            }
            prop_assert_eq!(of(&long), pieces);
        }
    }
}
