//! Whatever a span carries is hostile to a terminal until it went through here.

/// Appends a character as a terminal may see it. Returns how many columns it takes.
///
/// Line breaks, control characters (an ESC starts commands to the terminal) and invisible characters
/// that reorder or hide text are spelled out, such as `\n` and `\u{1b}`.
pub(super) fn push(out: &mut String, char: char) -> usize {
    if !is_hostile(char) {
        out.push(char);
        return if is_wide(char) { 2 } else { 1 };
    }
    let start = out.len();
    match char {
        '\n' => out.push_str("\\n"),
        '\r' => out.push_str("\\r"),
        '\t' => out.push_str("\\t"),
        _ => out.extend(char.escape_unicode()),
    }
    out.len() - start
}

/// How many columns a text takes once it is escaped.
pub fn columns(text: &str) -> usize {
    let mut scratch = String::new();
    text.chars()
        .map(|char| {
            scratch.clear();
            push(&mut scratch, char)
        })
        .sum()
}

fn is_hostile(char: char) -> bool {
    char.is_control()
        || matches!(char,
            | '\u{61c}' | '\u{200e}' | '\u{200f}' // marks of direction
            | '\u{202a}'..='\u{202e}' // embeddings and overrides
            | '\u{2028}' | '\u{2029}' // separators of lines and paragraphs
            | '\u{2060}'..='\u{206f}' // isolates, invisible operators
            | '\u{200b}' | '\u{feff}' | '\u{fff9}'..='\u{fffb}'
            | '\u{e0000}'..='\u{e0fff}' // tags, which spell invisible text
        )
}

/// The blocks that terminals show in two columns. Rough: a mistake costs alignment, nothing else.
fn is_wide(char: char) -> bool {
    matches!(char,
        | '\u{1100}'..='\u{115f}' // Hangul initials
        | '\u{2e80}'..='\u{a4cf}' // CJK
        | '\u{ac00}'..='\u{d7a3}' // Hangul syllables
        | '\u{f900}'..='\u{faff}' | '\u{fe30}'..='\u{fe6f}' // CJK compatibility
        | '\u{ff00}'..='\u{ff60}' | '\u{ffe0}'..='\u{ffe6}' // full-width forms
        | '\u{1f300}'..='\u{1faff}' // pictographs
        | '\u{20000}'..='\u{3fffd}' // CJK extensions
    )
}

#[cfg(test)]
mod tests {
    use super::*;

    fn check(text: &str, expected: &str) {
        let mut shown = String::new();
        let taken: usize = text.chars().map(|char| push(&mut shown, char)).sum();
        assert_eq!(shown, expected);
        assert_eq!(columns(text), taken);
    }

    #[test]
    fn commands_to_the_terminal_are_spelled_out() {
        check("\u{1b}[2J", "\\u{1b}[2J");
        check("\u{1b}]8;;http://evil\u{7}x", "\\u{1b}]8;;http://evil\\u{7}x");
        check("\u{9b}31m\u{7f}", "\\u{9b}31m\\u{7f}");
        check("a\rb\nc\td", "a\\rb\\nc\\td");
    }

    #[test]
    fn characters_that_reorder_or_hide_text_are_spelled_out() {
        check("user\u{202e}nimda", "user\\u{202e}nimda");
        check("\u{2066}\u{2069}\u{200e}\u{200f}", "\\u{2066}\\u{2069}\\u{200e}\\u{200f}");
        check("\u{200b}\u{feff}\u{e0041}", "\\u{200b}\\u{feff}\\u{e0041}");
    }

    #[test]
    fn text_of_every_script_stays_as_it_is_and_wide_characters_count_twice() {
        check("naïve агент \"q\\n\"", "naïve агент \"q\\n\"");
        assert_eq!(columns("日本"), 4);
        assert_eq!(columns("a\u{1b}"), 7);
    }
}
