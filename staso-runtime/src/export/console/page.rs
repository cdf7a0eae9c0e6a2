use super::{
    escape,
    style::{Ink, Style},
};

/// Text in lines that fit the terminal. Everything put on it is escaped and cut at the width.
pub struct Page {
    style: Style,
    text: String,
    /// Columns left on the line. One is kept for the `…` of a line that is cut.
    left: usize,
    cut: bool,
}

impl Page {
    const LEAST_WIDTH: usize = 20;

    /// An empty page for such a terminal.
    pub fn new(style: &Style) -> Self {
        let style = Style { width: style.width.max(Self::LEAST_WIDTH), ..*style };
        Self { style, text: String::new(), left: style.width, cut: false }
    }

    /// Appends to the line. What is not plain in the text is spelled out.
    pub fn put(&mut self, ink: Ink, text: &str) {
        if self.cut || text.is_empty() {
            return;
        }
        let sgr = ink.sgr().filter(|_| self.style.color && !text.trim().is_empty());
        if let Some(sgr) = sgr {
            self.text.extend(["\u{1b}[", sgr, "m"]);
        }
        for char in text.chars() {
            let before = self.text.len();
            let columns = escape::push(&mut self.text, char);
            if columns >= self.left {
                self.text.truncate(before);
                self.text.push('…');
                self.cut = true;
                break;
            }
            self.left -= columns;
        }
        if sgr.is_some() {
            self.text.push_str("\u{1b}[0m");
        }
    }

    /// Whether so many columns can follow without a cut.
    pub(super) fn has_room(&self, columns: usize) -> bool {
        columns < self.left
    }

    /// Begins the next line.
    pub fn end_line(&mut self) {
        self.text.push('\n');
        self.left = self.style.width;
        self.cut = false;
    }

    /// What was put on it.
    pub fn into_text(self) -> String {
        self.text
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn line(color: bool, pieces: &[(Ink, &str)]) -> String {
        let mut page = Page::new(&Style { color, width: 20 });
        for (ink, text) in pieces {
            page.put(*ink, text);
        }
        page.into_text()
    }

    #[test]
    fn a_long_line_is_cut_between_characters_and_says_so() {
        assert_eq!(line(false, &[(Ink::Plain, "0123456789012345678")]), "0123456789012345678");
        assert_eq!(line(false, &[(Ink::Plain, "01234567890123456789")]), "0123456789012345678…");
        assert_eq!(line(false, &[(Ink::Plain, "日本語日本語日本語日本語")]), "日本語日本語日本語…");
        assert_eq!(
            line(false, &[(Ink::Plain, "012345678901234\u{1b}x"), (Ink::Plain, "more")]),
            "012345678901234…"
        );
    }

    #[test]
    fn colour_ends_with_its_text_even_where_the_line_is_cut() {
        assert_eq!(line(true, &[(Ink::Bold, "a"), (Ink::Plain, "b")]), "\u{1b}[1ma\u{1b}[0mb");
        assert_eq!(
            line(true, &[(Ink::Dim, "0123456789"), (Ink::Bold, "0123456789")]),
            "\u{1b}[2m0123456789\u{1b}[0m\u{1b}[1m012345678…\u{1b}[0m"
        );
    }
}
