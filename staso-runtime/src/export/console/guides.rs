use super::{
    page::Page,
    style::{Ink, Style},
    tree::Row,
};

/// The lines that lead from a parent to its children.
pub(super) struct Guides {
    /// Of the span that is drawn and of those around it: whether others follow beside them.
    open: Vec<bool>,
    /// Spans deeper than this are not indented further.
    deepest: usize,
}

impl Guides {
    const BAR: &str = "│  ";
    const GAP: &str = "   ";

    /// Half of the width stays for the text.
    pub(super) fn new(style: &Style) -> Self {
        Self { open: Vec::new(), deepest: (style.width / 2 / 3).clamp(2, 32) }
    }

    pub(super) fn enter<S>(&mut self, row: &Row<'_, S>) {
        if !self.is_too_deep(row) {
            self.open.truncate(row.depth);
            self.open.push(!row.last);
        }
    }

    pub(super) fn is_too_deep<S>(&self, row: &Row<'_, S>) -> bool {
        row.depth > self.deepest
    }

    /// What leads to the span's own line.
    pub(super) fn put_before<S>(&self, page: &mut Page, row: &Row<'_, S>) {
        if self.is_too_deep(row) {
            self.put_bars(page, self.deepest);
            page.put(Ink::Dim, "┆  ");
        } else if row.depth > 0 {
            self.put_bars(page, row.depth - 1);
            page.put(Ink::Dim, if row.last { "└─ " } else { "├─ " });
        }
    }

    /// What runs along the lines below it.
    pub(super) fn put_below<S>(&self, page: &mut Page, row: &Row<'_, S>) {
        self.put_bars(page, row.depth.min(self.deepest));
        let deep = self.is_too_deep(row);
        if deep {
            page.put(Ink::Plain, Self::GAP);
        }
        page.put(Ink::Dim, if row.has_children && !deep { Self::BAR } else { Self::GAP });
    }

    /// What stands at the top has no guide of its own.
    fn put_bars(&self, page: &mut Page, levels: usize) {
        for open in self.open.iter().skip(1).take(levels) {
            page.put(Ink::Dim, if *open { Self::BAR } else { Self::GAP });
        }
    }
}
