use super::{Slot, failure::Told, guarded, limits::Limits, short_type_name};
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
    /// The handle is taken only if there is an error to record.
    Current,
}

impl<'a> Outcome<'a> {
    #[inline]
    pub(crate) fn of(open: &'a mut OpenSpan) -> Self {
        Self(Target::Open(open))
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
            Target::Current => Slot::nowhere(),
        }
    }

    pub(super) fn fail(self, type_name: &str, tell: impl FnOnce(&Limits) -> Told) {
        match self.0 {
            Target::Open(open) => {
                open.settle();
                push(open.recorder, open.site.kind, &mut open.log, type_name, tell);
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
