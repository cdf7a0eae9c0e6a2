use std::{
    borrow::Cow,
    fmt,
    sync::{Arc, Weak},
};

use super::{guarded::guarded, text};
use crate::{context::Suspension, record::SpanKind, recorder::Recorder};

/// The user's hook, shared by all threads.
pub(crate) type RedactHook = Arc<Hook>;

/// The hook as a recorder knows it, which outlives its client: what the hook holds goes with the client,
/// and values that are captured later are left out, as their spans are rejected.
pub(crate) type ClientsHook = Weak<Hook>;

type Hook = dyn Fn(&Field<'_>) -> Redaction + Send + Sync;

/// One captured value, before it leaves the traced thread.
#[derive(Clone, Copy)]
#[non_exhaustive]
pub struct Field<'a> {
    /// What the value is.
    pub kind: FieldKind,
    /// The argument's name or the metadata's key; `result`, `input`, `output` or `error` for the others.
    pub name: &'a str,
    /// JSON text; of an error, its plain text.
    pub value: &'a str,
    /// What the span stands for.
    pub span_kind: SpanKind,
}

/// What a [`Field`] is.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
#[non_exhaustive]
pub enum FieldKind {
    /// An argument of an instrumented function.
    Argument,
    /// What the function returned, or the items of its stream.
    Result,
    /// A metadata value.
    Metadata,
    /// Set by hand with `set_input`.
    Input,
    /// Set by hand with `set_output`.
    Output,
    /// The text of an error or panic.
    Error,
}

/// What becomes of a [`Field`].
#[derive(Clone, Debug, Default, PartialEq, Eq)]
#[non_exhaustive]
pub enum Redaction {
    /// It stays as it is.
    #[default]
    Keep,
    /// It becomes this text, a JSON string, cut at the limit of a field.
    Replace(String),
    /// It is left out.
    Remove,
}

impl fmt::Debug for Field<'_> {
    /// Leaves the value out: what is about to be redacted must not reach a log.
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Field")
            .field("kind", &self.kind)
            .field("name", &self.name)
            .field("span_kind", &self.span_kind)
            .finish_non_exhaustive()
    }
}

/// Passes the JSON that `out` holds from `start` on to the hook. `false` when it is to be left out, or
/// the hook panicked; `out` then ends at `start`.
#[cold]
pub(super) fn redact_json(
    recorder: &Recorder,
    hook: &ClientsHook,
    field: &Field<'_>,
    start: usize,
    out: &mut Vec<u8>,
) -> bool {
    match ask(hook, field) {
        Redaction::Keep => true,
        Redaction::Replace(text) => {
            out.truncate(start);
            text::write_display(&text, &recorder.limits, out);
            true
        }
        Redaction::Remove => {
            out.truncate(start);
            false
        }
    }
}

/// A plain text, past the hook if there is one. `None` when it is to be left out.
pub(crate) fn redacted_text<'a>(
    recorder: &Recorder,
    span_kind: SpanKind,
    kind: FieldKind,
    name: &str,
    value: &'a str,
) -> Option<Cow<'a, str>> {
    let Some(hook) = &recorder.redact else { return Some(Cow::Borrowed(value)) };
    match ask(hook, &Field { kind, name, value, span_kind }) {
        Redaction::Keep => Some(Cow::Borrowed(value)),
        Redaction::Replace(text) => Some(Cow::Owned(text::display_text(&text, &recorder.limits))),
        Redaction::Remove => None,
    }
}

fn ask(hook: &ClientsHook, field: &Field<'_>) -> Redaction {
    let _suspended = Suspension::begin();
    let asked = guarded(|| match hook.upgrade() {
        Some(hook) => hook(field),
        None => Redaction::Remove,
    });
    asked.unwrap_or_else(|_| {
        crate::diagnostics::redact_panicked();
        Redaction::Remove
    })
}
