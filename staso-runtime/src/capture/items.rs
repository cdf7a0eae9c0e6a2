//! What a stream gives, item by item: one JSON array, or one text when the items are texts.

use std::{mem, ops::Deref, time::Duration};

use super::{Slot, guarded, limits::Limits};
use crate::{
    context::Suspension,
    record::{EntryBuf, SpanKind},
    span::OpenSpan,
};

/// The items of a stream so far, of limited size however many they are.
#[derive(Debug, Default)]
pub(crate) struct Items {
    output: Output,
    /// Items that were no error.
    given: u64,
    first_after: Option<Duration>,
    /// The last error: a stream may give any number of them.
    failure: EntryBuf,
}

#[derive(Debug, Default)]
enum Output {
    /// No item was captured, be it that there was none.
    #[default]
    Nothing,
    /// An array without its closing bracket, and the number of items that it has no room for.
    Json(Vec<u8>, u64),
    /// Somewhat longer than the limit when something is missing, so that it will be cut and marked.
    Text(String),
}

impl Items {
    /// Counts an item that is no error.
    pub(super) fn count(&mut self, open: &OpenSpan) {
        self.given += 1;
        if self.given == 1 {
            self.first_after = open.elapsed();
        }
    }

    /// Where an error goes that is an item.
    pub(super) fn failure(&mut self) -> &mut EntryBuf {
        self.failure = EntryBuf::default();
        &mut self.failure
    }

    /// Whether the last word about the stream is an error.
    pub(crate) fn has_failed(&self) -> bool {
        !self.failure.as_bytes().is_empty()
    }

    pub(super) fn add(&mut self, limits: &Limits, write: impl FnOnce(&Limits, &mut Vec<u8>)) {
        if let Output::Nothing = self.output {
            self.output = Output::Json(Vec::new(), 0);
        }
        let Output::Json(json, left_out) = &mut self.output else { return };
        let left = limits.bytes.saturating_sub(json.len());
        if left == 0 {
            *left_out += 1;
            return;
        }
        json.push(if json.is_empty() { b'[' } else { b',' });
        let _suspended = Suspension::begin();
        write(&Limits { bytes: left, ..*limits }, json);
    }

    pub(super) fn add_text(&mut self, limits: &Limits, more: &str) {
        if let Output::Nothing = self.output {
            self.output = Output::Text(String::new());
        }
        let Output::Text(text) = &mut self.output else { return };
        let room = limits.bytes.saturating_add(1).saturating_sub(text.len());
        text.push_str(more.split_at(more.ceil_char_boundary(room)).0);
    }

    /// Makes them the output of the span, with how many there were and when the first one came.
    pub(crate) fn finish(&mut self, open: &mut OpenSpan) {
        open.hide();
        match mem::take(&mut self.output) {
            Output::Nothing if self.given > 0 || self.has_failed() => {}
            Output::Nothing => Slot::result(open).fill(|_, out| out.extend_from_slice(b"[]")),
            Output::Json(mut json, left_out) => {
                if left_out > 0 {
                    json.extend_from_slice(format!(",\"… [{left_out} more items]\"").as_bytes());
                }
                json.push(b']');
                Slot::result(open).fill(|_, out| out.extend_from_slice(&json));
            }
            // The mark says that it is cut, not by how much, which is not known here.
            Output::Text(text) => Slot::result(open).display(&text),
        }
        Slot::metadata(open, "items").json(&self.given);
        if let Some(time) = self.first_after {
            let key =
                if open.site.kind == SpanKind::Llm { "time_to_first_token" } else { "time_to_first_item" };
            Slot::metadata(open, key).json(&milliseconds(time));
        }
        open.log.extend(self.failure.as_bytes());
    }
}

/// With two decimals, as durations have on the wire.
fn milliseconds(time: Duration) -> f64 {
    (time.as_secs_f64() * 100_000.0).round() / 100.0
}

/// A value that may be a piece of text.
pub struct Piece<'a, T: ?Sized>(pub &'a T);

/// First choice: it reads as a `str`, as `String`, `&str`, `Cow`, `Arc<str>` and the strings of other crates do.
pub trait TextPiece<'a> {
    /// The text.
    fn __staso_text(&self) -> Option<&'a str>;
}

/// Otherwise it is none.
pub trait NoPiece<'a> {
    /// Nothing.
    fn __staso_text(&self) -> Option<&'a str>;
}

impl<'a, T: Deref<Target = str>> TextPiece<'a> for &Piece<'a, T> {
    fn __staso_text(&self) -> Option<&'a str> {
        let value = self.0;
        guarded(|| &**value).ok()
    }
}

impl<'a, T: ?Sized> NoPiece<'a> for Piece<'a, T> {
    fn __staso_text(&self) -> Option<&'a str> {
        None
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn limited(bytes: usize) -> Limits {
        Limits { bytes, ..Limits::default() }
    }

    #[test]
    fn a_joined_text_holds_little_more_than_its_limit() {
        let mut items = Items::default();
        for _ in 0..1_000 {
            items.add_text(&limited(10), "éé");
        }
        let Output::Text(text) = &items.output else { panic!("a text") };
        assert_eq!(text, "éééééé");
    }

    #[test]
    fn an_array_counts_what_it_has_no_room_for() {
        let mut items = Items::default();
        for _ in 0..1_000 {
            items.add(&limited(10), |_, out| out.extend_from_slice(b"1234"));
        }
        let Output::Json(json, left_out) = &items.output else { panic!("an array") };
        assert_eq!((json.as_slice(), *left_out), (&b"[1234,1234"[..], 998));
    }

    #[test]
    fn only_the_last_error_is_kept() {
        let mut items = Items::default();
        assert!(!items.has_failed());
        for _ in 0..1_000 {
            items.failure().push(&crate::record::Entry::Label("an error"));
        }
        assert_eq!(items.failure.as_bytes().len(), 5 + "an error".len());
        assert!(items.has_failed());
    }
}
