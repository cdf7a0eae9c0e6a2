use super::{Slot, failure::Told, guarded, items::Items, limits::Limits, short_type_name};
use crate::{
    context::Suspension,
    record::{Entry, EntryBuf, SpanKind, SpanStatus},
    recorder::Recorder,
    span::{OpenSpan, current_span, push_failure},
};

/// Where the outcome of a function or block is recorded.
pub struct Outcome<'a>(Target<'a>);

enum Target<'a> {
    Open(&'a mut OpenSpan),
    /// One item of the stream that a span follows.
    Item(&'a mut OpenSpan, &'a mut Items),
    /// The handle is taken only if there is an error to record.
    Current,
}

impl<'a> Outcome<'a> {
    #[inline]
    pub(crate) fn of(open: &'a mut OpenSpan) -> Self {
        Self(Target::Open(open))
    }

    pub(crate) fn of_item(open: &'a mut OpenSpan, items: &'a mut Items) -> Self {
        Self(Target::Item(open, items))
    }

    /// The innermost span of this thread.
    #[must_use]
    pub const fn of_current() -> Self {
        Self(Target::Current)
    }

    /// Where the returned value goes.
    #[inline]
    #[must_use]
    pub fn result(self) -> Slot<'a> {
        match self.0 {
            Target::Open(open) => Slot::result(open),
            Target::Item(open, items) => {
                items.count(open);
                if open.recorder.policy.takes_output() {
                    Slot::item(items, open.recorder)
                } else {
                    Slot::nowhere()
                }
            }
            Target::Current => Slot::nowhere(),
        }
    }

    /// Adds the text of a stream's item to those before it. Anything else is given back.
    #[must_use]
    pub fn join<'t>(self, text: impl FnOnce() -> Option<&'t str>) -> Option<Self> {
        let Target::Item(open, items) = self.0 else { return Some(self) };
        let _suspended = Suspension::begin();
        let Some(text) = text() else { return Some(Self(Target::Item(open, items))) };
        items.count(open);
        if open.recorder.policy.takes_output() {
            items.add_text(&open.recorder.limits, text);
        }
        None
    }

    /// Counts an item of a stream that is not captured.
    pub fn pass(self) {
        if let Target::Item(open, items) = self.0 {
            items.count(open);
        }
    }

    pub(super) fn fail(self, type_name: &str, tell: impl FnOnce(&Limits) -> Told) {
        match self.0 {
            Target::Open(open) => {
                open.settle();
                push(open.recorder, open.site.kind, &mut open.log, type_name, tell);
            }
            Target::Item(open, items) => {
                open.settle();
                push(open.recorder, open.site.kind, items.failure(), type_name, tell);
            }
            Target::Current => {
                let span = current_span();
                let Some(shared) = span.shared().filter(|shared| shared.is_running()) else { return };
                let mut log = EntryBuf::default();
                push(shared.recorder, shared.kind, &mut log, type_name, tell);
                shared.append(&log);
            }
        }
    }
}

fn push(
    recorder: &Recorder,
    kind: SpanKind,
    log: &mut EntryBuf,
    type_name: &str,
    tell: impl FnOnce(&Limits) -> Told,
) {
    let type_name = short_type_name(type_name);
    let told = {
        let _suspended = Suspension::begin();
        guarded(|| tell(&recorder.limits))
    };
    let told = told.unwrap_or_else(|message| Told {
        text: format!("<{type_name}: panicked: {message}>"),
        is_timeout: false,
    });
    push_failure(recorder, kind, log, &type_name, Some(&told.text));
    if told.is_timeout {
        log.push(&Entry::Status(SpanStatus::Timeout, ""));
    }
}
