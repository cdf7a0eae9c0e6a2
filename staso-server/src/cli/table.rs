use staso_runtime::export::console::{Ink, Page, Style, columns};

/// Rows of texts under headers. Whatever a text holds is escaped.
///
/// Where the terminal is too narrow, the widest columns give way first, and those that are better whole last.
pub(super) struct Table<const N: usize> {
    headers: [&'static str; N],
    rows: Vec<[Cell; N]>,
}

/// A text and what it means.
pub(super) struct Cell {
    text: String,
    ink: Ink,
    right: bool,
    whole: bool,
}

impl From<String> for Cell {
    fn from(text: String) -> Self {
        Self { text, ink: Ink::Plain, right: false, whole: false }
    }
}

impl Cell {
    /// A number, which stands at the right.
    pub(super) fn number(text: String) -> Self {
        Self { right: true, ..Self::whole(text) }
    }

    /// A text that is of no use when it is cut, such as an identifier.
    pub(super) fn whole(text: String) -> Self {
        Self { whole: true, ..text.into() }
    }

    pub(super) fn ink(self, ink: Ink) -> Self {
        Self { ink, ..self }
    }
}

impl<const N: usize> Table<N> {
    const GAP: usize = 2;
    const LEAST_WIDTH: usize = 6;

    pub(super) fn new(headers: [&'static str; N]) -> Self {
        Self { headers, rows: Vec::new() }
    }

    pub(super) fn row(&mut self, cells: [Cell; N]) {
        self.rows.push(cells);
    }

    /// The table as lines that fit, or as wide as it is where nobody said how wide that is.
    pub(super) fn draw(&self, style: &Style) -> String {
        let widths = self.widths(style.width);
        let mut page = Page::new(style);
        let headers = self.headers.map(|header| Cell::from(header.to_owned()).ink(Ink::Dim));
        let right: Vec<bool> = match self.rows.first() {
            Some(row) => row.iter().map(|cell| cell.right).collect(),
            None => vec![false; N],
        };
        let headers = headers.into_iter().zip(right).map(|(cell, right)| Cell { right, ..cell });
        draw_row(&mut page, headers.collect::<Vec<_>>().iter(), &widths);
        for row in &self.rows {
            draw_row(&mut page, row.iter(), &widths);
        }
        page.into_text()
    }

    fn widths(&self, width: usize) -> Vec<usize> {
        let mut widths: Vec<usize> = self.headers.iter().map(|header| columns(header)).collect();
        for row in &self.rows {
            for (width, cell) in widths.iter_mut().zip(row) {
                *width = (*width).max(columns(&cell.text));
            }
        }
        // One column stays free for the `…` of a line that is cut.
        let room = width.saturating_sub(Self::GAP * N.saturating_sub(1) + 1);
        let whole: Vec<bool> = match self.rows.first() {
            Some(row) => row.iter().map(|cell| cell.whole).collect(),
            None => vec![false; N],
        };
        while widths.iter().sum::<usize>() > room {
            let wide = widths.iter_mut().zip(&whole).filter(|(width, _)| **width > Self::LEAST_WIDTH);
            match wide.max_by_key(|(width, whole)| (!**whole, **width)) {
                Some((widest, _)) => *widest -= 1,
                None => break,
            }
        }
        widths
    }
}

fn draw_row<'a>(page: &mut Page, cells: impl Iterator<Item = &'a Cell>, widths: &[usize]) {
    let last = widths.len().saturating_sub(1);
    for (index, (cell, width)) in cells.zip(widths).enumerate() {
        let text = fitted(&cell.text, *width);
        let padding = " ".repeat(width.saturating_sub(columns(&text)));
        if index > 0 {
            page.put(Ink::Plain, "  ");
        }
        if cell.right {
            page.put(Ink::Plain, &padding);
        }
        page.put(cell.ink, &text);
        if !cell.right && index < last {
            page.put(Ink::Plain, &padding);
        }
    }
    page.end_line();
}

/// As much of the text as has room, with `…` where some is missing.
fn fitted(text: &str, width: usize) -> String {
    if columns(text) <= width {
        return text.to_owned();
    }
    let mut left = width.saturating_sub(1);
    let mut fitted = String::new();
    for char in text.chars() {
        let taken = columns(char.encode_utf8(&mut [0; 4]));
        if taken > left {
            break;
        }
        left -= taken;
        fitted.push(char);
    }
    fitted.push('…');
    fitted
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    fn draw(width: usize, rows: &[[&str; 2]]) -> String {
        let mut table = Table::new(["NAME", "COUNT"]);
        for [name, count] in rows {
            table.row([(*name).to_owned().into(), Cell::number((*count).to_owned())]);
        }
        table.draw(&Style { color: false, width })
    }

    #[test]
    fn texts_stand_left_and_numbers_right() {
        assert_eq!(
            draw(80, &[["support", "7"], ["日本", "1,024"]]),
            "NAME     COUNT\nsupport      7\n日本     1,024\n"
        );
    }

    #[test]
    fn the_widest_column_gives_way() {
        assert_eq!(draw(20, &[["a name that is long", "7"]]), "NAME          COUNT\na name that…      7\n");
    }

    #[test]
    fn what_would_command_the_terminal_is_shown_as_text() {
        assert_eq!(
            draw(80, &[["\u{1b}]8;;x\u{7}\r\u{202e}", "\u{9b}2J"]]),
            "NAME                           COUNT\n\\u{1b}]8;;x\\u{7}\\r\\u{202e}  \\u{9b}2J\n"
        );
    }

    proptest! {
        #[test]
        fn every_line_fits(name: String, count: String, width in 40_usize..120) {
            for line in draw(width, &[[&name, &count]]).lines() {
                prop_assert!(columns(line) <= width, "{:?}", line);
            }
        }
    }
}
