use std::{
    any::type_name,
    fmt::{self, Debug, Display},
};

use serde::Serialize;

use super::{
    items::Items,
    json,
    limits::Limits,
    redact::{Field, FieldKind, redact_json},
    text,
};
use crate::{
    context::Suspension,
    credentials::holds_credentials,
    record::{EntryBuf, SpanKind},
    recorder::Recorder,
    span::OpenSpan,
};

/// The place of one value in a span: an argument, a result, a metadata value, an item of a stream.
pub struct Slot<'a>(Place<'a>);

enum Place<'a> {
    Nowhere,
    Argument { open: &'a mut OpenSpan, name: &'static str, any: &'a mut bool },
    Metadata { open: &'a mut OpenSpan, key: &'static str },
    Result(&'a mut OpenSpan),
    Item { items: &'a mut Items, recorder: &'static Recorder },
}

impl<'a> Slot<'a> {
    pub(crate) const fn nowhere() -> Self {
        Self(Place::Nowhere)
    }

    #[inline]
    pub(crate) fn argument(open: &'a mut OpenSpan, name: &'static str, any: &'a mut bool) -> Self {
        Self(Place::Argument { open, name, any })
    }

    pub(crate) fn metadata(open: &'a mut OpenSpan, key: &'static str) -> Self {
        open.hide();
        if open.recorder.policy.takes_metadata(key) {
            Self(Place::Metadata { open, key })
        } else {
            Self::nowhere()
        }
    }

    #[inline]
    pub(crate) fn result(open: &'a mut OpenSpan) -> Self {
        open.hide();
        if open.recorder.policy.takes_output() { Self(Place::Result(open)) } else { Self::nowhere() }
    }

    /// The place of a stream's next item.
    pub(super) fn item(items: &'a mut Items, recorder: &'static Recorder) -> Self {
        Self(Place::Item { items, recorder })
    }

    /// Fills it with a value's JSON.
    #[inline]
    pub fn json<T: Serialize + ?Sized>(self, value: &T) {
        self.fill(|limits, out| json::write_json(value, limits, out));
    }

    /// Fills it with the text that `Debug` gives.
    ///
    /// Of clients, connections and headers, which show how they log in, it is the name of the type.
    pub fn debug<T: Debug + ?Sized>(self, value: &T) {
        if self.masks_credentials() && holds_credentials(type_name::<T>()) {
            return self.type_name::<T>();
        }
        self.fill(|limits, out| text::write_debug(value, limits, out));
    }

    /// Fills it with the text that `Display` gives.
    pub fn display<T: Display + ?Sized>(self, value: &T) {
        self.fill(|limits, out| text::write_display(value, limits, out));
    }

    /// Fills it with a text. The user's `as_ref` runs as guarded as his `Display` would.
    pub fn text<T: AsRef<str> + ?Sized>(self, value: &T) {
        struct AsText<'a, T: ?Sized>(&'a T);

        impl<T: AsRef<str> + ?Sized> Display for AsText<'_, T> {
            fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
                f.write_str(self.0.as_ref())
            }
        }

        self.display(&AsText(value));
    }

    /// Fills it with the name of a type.
    pub fn type_name<T: ?Sized>(self) {
        self.fill(|limits, out| text::write_type_name::<T>(limits, out));
    }

    fn masks_credentials(&self) -> bool {
        let recorder = match &self.0 {
            Place::Nowhere => return false,
            Place::Argument { open, .. } | Place::Metadata { open, .. } | Place::Result(open) => {
                open.recorder
            }
            Place::Item { recorder, .. } => recorder,
        };
        recorder.policy.masks_credentials()
    }

    #[inline]
    pub(super) fn fill(self, write: impl FnOnce(&Limits, &mut Vec<u8>)) {
        match self.0 {
            Place::Nowhere => {}
            Place::Argument { open, name, any } => {
                let (recorder, kind) = (open.recorder, open.site.kind);
                let out = open.log.payload();
                let before = out.len();
                if *any {
                    out.push(b',');
                }
                out.push(b'"');
                out.extend_from_slice(name.as_bytes());
                out.extend_from_slice(b"\":");
                if value(recorder, kind, FieldKind::Argument, name, out, write) {
                    *any = true;
                } else {
                    out.truncate(before);
                }
            }
            Place::Metadata { open, key } => {
                let (recorder, kind) = (open.recorder, open.site.kind);
                push_value(recorder, kind, Set::Metadata(key), &mut open.log, write);
            }
            Place::Result(open) => {
                let (recorder, kind) = (open.recorder, open.site.kind);
                let begun = open.log.begin_returned();
                if value(recorder, kind, FieldKind::Result, "result", open.log.payload(), write) {
                    open.log.end(begun);
                } else {
                    open.log.cancel(begun);
                }
            }
            Place::Item { items, recorder } => items.add(&recorder.limits, write),
        }
    }
}

/// Writes one value and passes it to the hook. `false` when nothing is to be kept.
#[inline]
fn value(
    recorder: &Recorder,
    span_kind: SpanKind,
    kind: FieldKind,
    name: &str,
    out: &mut Vec<u8>,
    write: impl FnOnce(&Limits, &mut Vec<u8>),
) -> bool {
    let start = out.len();
    {
        let _suspended = Suspension::begin();
        write(&recorder.limits, out);
    }
    let Some(hook) = &recorder.redact else { return true };
    // The copy frees `out` for the replacement; only redacting programs pay for it.
    let written =
        out.get(start..).and_then(|json| std::str::from_utf8(json).ok()).unwrap_or_default().to_owned();
    redact_json(recorder, hook, &Field { kind, name, value: &written, span_kind }, start, out)
}

/// What a handle sets.
#[derive(Clone, Copy)]
pub(crate) enum Set<'a> {
    Input,
    Output,
    Metadata(&'a str),
}

/// Adds a value that a handle sets to a log.
pub(crate) fn push_set<T: Serialize + ?Sized>(
    recorder: &Recorder,
    span_kind: SpanKind,
    what: Set<'_>,
    set: &T,
    log: &mut EntryBuf,
) {
    push_value(recorder, span_kind, what, log, |limits, out| json::write_json(set, limits, out));
}

fn push_value(
    recorder: &Recorder,
    span_kind: SpanKind,
    what: Set<'_>,
    log: &mut EntryBuf,
    write: impl FnOnce(&Limits, &mut Vec<u8>),
) {
    let (kind, name, begun) = match what {
        Set::Input => (FieldKind::Input, "input", log.begin_input()),
        Set::Output => (FieldKind::Output, "output", log.begin_output()),
        Set::Metadata(key) => (FieldKind::Metadata, key, log.begin_metadata(key)),
    };
    if value(recorder, span_kind, kind, name, log.payload(), write) {
        log.end(begun);
    } else {
        log.cancel(begun);
    }
}
