use jiff::tz::TimeZone;
use staso_runtime::export::console::{Ink, Page, Style, columns};

use crate::model::Timestamp;

/// Rows of texts under headers. Whatever a text holds is escaped.
///
/// Where the terminal is too narrow, the last columns are left out until texts need only be cut that can be.
pub(super) struct Table<const N: usize> {
    headers: [&'static str; N],
    rows: Vec<[Cell; N]>,
}

/// `2026-01-02 04:04:05 CET`; what no calendar has is as the model writes it.
fn at(moment: Timestamp, zone: TimeZone) -> String {
    jiff::Timestamp::from_microsecond(moment.as_micros()).map_or_else(
        |_| moment.to_string(),
        |moment| moment.to_zoned(zone).strftime("%Y-%m-%d %H:%M:%S %Z").to_string(),
    )
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
    /// A moment on the reader's clock, which `TZ` sets, with its zone.
    pub(super) fn time(moment: Timestamp) -> Self {
        Self::whole(at(moment, TimeZone::system()))
    }

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

    /// The widths of the columns that have room.
    fn widths(&self, width: usize) -> Vec<usize> {
        let mut widths: Vec<(usize, bool)> =
            self.headers.iter().map(|header| (columns(header), false)).collect();
        for row in &self.rows {
            for ((width, whole), cell) in widths.iter_mut().zip(row) {
                *width = (*width).max(columns(&cell.text));
                *whole = cell.whole;
            }
        }
        // One column stays free for the `…` of a line that is cut.
        let room = |columns: usize| width.saturating_sub(Self::GAP * columns.saturating_sub(1) + 1);
        let least =
            |(width, whole): &(usize, bool)| if *whole { *width } else { (*width).min(Self::LEAST_WIDTH) };
        while widths.len() > 1 && widths.iter().map(least).sum::<usize>() > room(widths.len()) {
            widths.pop();
        }
        let room = room(widths.len());
        while widths.iter().map(|(width, _)| width).sum::<usize>() > room {
            let cut = widths.iter_mut().filter(|(width, whole)| !whole && *width > Self::LEAST_WIDTH);
            match cut.max_by_key(|(width, _)| *width) {
                Some((widest, _)) => *widest -= 1,
                None => break,
            }
        }
        widths.into_iter().map(|(width, _)| width).collect()
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
    fn what_is_of_no_use_when_it_is_cut_is_whole_or_left_out() {
        let mut table = Table::new(["TRACE", "NAME", "SPANS"]);
        table.row([
            Cell::whole("c931d6ba-7556".to_owned()),
            "support_agent".to_owned().into(),
            Cell::number("12".to_owned()),
        ]);
        for (width, expected) in [
            (40, "TRACE          NAME           SPANS\nc931d6ba-7556  support_agent     12\n"),
            (30, "TRACE          NAME     SPANS\nc931d6ba-7556  suppor…     12\n"),
            (28, "TRACE          NAME\nc931d6ba-7556  support_age…\n"),
            (20, "TRACE\nc931d6ba-7556\n"),
        ] {
            assert_eq!(table.draw(&Style { color: false, width }), expected, "{width}");
        }
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

    #[test]
    fn times_are_of_the_readers_zone_and_say_which() {
        let moment: Timestamp = "2026-01-02T03:04:05Z".parse().unwrap();
        assert_eq!(at(moment, TimeZone::UTC), "2026-01-02 03:04:05 UTC");
        let east = TimeZone::posix("CET-1CEST,M3.5.0,M10.5.0").unwrap();
        assert_eq!(at(moment, east), "2026-01-02 04:04:05 CET");
    }
}
