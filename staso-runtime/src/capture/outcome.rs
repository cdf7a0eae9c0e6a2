use super::{Slot, failure::Told, guarded, items::Items, limits::Limits, short_type_name};
use crate::{
    context::{Suspension, local},
    record::{Entry, EntryBuf, SpanKind, SpanStatus},
    recorder::Recorder,
    span::{OpenSpan, push_failure},
};

/// Where the outcome of a function or block is recorded.
pub struct Outcome<'a>(Target<'a>);

enum Target<'a> {
    Open(&'a mut OpenSpan),
    /// One item of the stream that a span follows.
    Item(&'a mut OpenSpan, &'a mut Items),
    /// Of this thread, this many. Handles are taken only if there is an error to record.
    Innermost(usize),
}

impl<'a> Outcome<'a> {
    #[inline]
    pub(crate) fn of(open: &'a mut OpenSpan) -> Self {
        Self(Target::Open(open))
    }

    pub(crate) fn of_item(open: &'a mut OpenSpan, items: &'a mut Items) -> Self {
        Self(Target::Item(open, items))
    }

    /// The innermost spans of this thread: that of a block, and those of the blocks around it that are left
    /// together with it.
    #[must_use]
    pub const fn of_innermost(spans: usize) -> Self {
        Self(Target::Innermost(spans))
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
            Target::Innermost(_) => Slot::nowhere(),
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
                let told = ask(open.recorder, type_name, tell);
                push(open.recorder, open.site.kind, &mut open.log, type_name, &told);
            }
            Target::Item(open, items) => {
                open.settle_between();
                let told = ask(open.recorder, type_name, tell);
                push(open.recorder, open.site.kind, items.failure(), type_name, &told);
            }
            Target::Innermost(spans) => {
                let Some(shared) = local::with(|local| local.stack.handles(spans)) else { return };
                let Some(first) = shared.first() else { return };
                let told = ask(first.recorder, type_name, tell);
                for shared in shared.iter().filter(|shared| shared.is_running()) {
                    let mut log = EntryBuf::default();
                    push(shared.recorder, shared.kind, &mut log, type_name, &told);
                    shared.append(&log);
                }
            }
        }
    }
}

/// Asks an error of the user's for its text.
fn ask(recorder: &Recorder, type_name: &str, tell: impl FnOnce(&Limits) -> Told) -> Told {
    let _suspended = Suspension::begin();
    guarded(|| tell(&recorder.limits)).unwrap_or_else(|message| Told {
        text: format!("<{}: panicked: {message}>", short_type_name(type_name)),
        is_timeout: false,
    })
}

fn push(recorder: &Recorder, kind: SpanKind, log: &mut EntryBuf, type_name: &str, told: &Told) {
    push_failure(recorder, kind, log, &short_type_name(type_name), Some(&told.text));
    if told.is_timeout {
        log.push(&Entry::Status(SpanStatus::Timeout, ""));
    }
}
