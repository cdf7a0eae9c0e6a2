use std::{borrow::Cow, fmt, sync::Arc};

use serde::Serialize;

use super::{Shared, SpanBuilder};
use crate::{
    annotation::{Annotation, AnnotationValue},
    capture::{Set, display_text, push_set, short_type_name},
    context::local,
    record::{Entry, EntryBuf, SpanId, SpanStatus, TraceId, Usage, cut},
};

/// A handle to a span, to add to it while it runs.
///
/// It may be cloned and sent anywhere. It is inert when there is no span, or once the span has ended:
/// then everything below does nothing. A handle keeps nothing alive and never ends its span.
///
/// ```
/// use staso::{Span, SpanKind, Usage, testing};
///
/// let spans = testing::capture(|| {
///     Span::builder("chat").kind(SpanKind::Llm).in_scope(|span| {
///         span.set_model("claude-sonnet-4");
///         span.set_usage(Usage::new(120, 345));
///     });
/// });
/// assert_eq!(spans[0].model.as_deref(), Some("claude-sonnet-4"));
/// ```
#[derive(Clone)]
#[must_use = "a handle does nothing by itself"]
pub struct Span {
    shared: Option<Arc<Shared>>,
}

/// The innermost span of this thread or task; inert when there is none.
///
/// The first handle to a span allocates the state that they share.
///
/// ```
/// let span = staso::current_span();
/// assert_eq!(span.span_id(), None);
/// ```
pub fn current_span() -> Span {
    Span::of(local::with(|local| local.shared()).flatten())
}

impl Span {
    pub(crate) const fn of(shared: Option<Arc<Shared>>) -> Self {
        Self { shared }
    }

    /// A span of your own, to be run with [`SpanBuilder::in_scope`].
    pub fn builder<'a>(name: impl Into<Cow<'a, str>>) -> SpanBuilder<'a> {
        SpanBuilder::new(name.into())
    }

    /// The trace it belongs to; also after it has ended.
    #[must_use]
    pub fn trace_id(&self) -> Option<TraceId> {
        self.shared.as_ref().map(|shared| shared.trace_id)
    }

    /// Its identifier; also after it has ended.
    #[must_use]
    pub fn span_id(&self) -> Option<SpanId> {
        self.shared.as_ref().map(|shared| shared.span_id)
    }

    /// Replaces what was captured as its input.
    pub fn set_input<T: Serialize + ?Sized>(&self, value: &T) {
        self.set(|shared, log| {
            if shared.recorder.policy.takes_set_input(shared.kind) {
                push_set(shared.recorder, shared.kind, Set::Input, value, log);
            }
        });
    }

    /// Replaces what is captured as its output.
    pub fn set_output<T: Serialize + ?Sized>(&self, value: &T) {
        self.set(|shared, log| {
            if shared.recorder.policy.takes_output() {
                push_set(shared.recorder, shared.kind, Set::Output, value, log);
            }
        });
    }

    /// Sets one value of its metadata. A later value of the same key replaces an earlier one.
    pub fn set_metadata<T: Serialize + ?Sized>(&self, key: &str, value: &T) {
        self.set(|shared, log| {
            if shared.recorder.policy.takes_metadata(key) {
                push_set(shared.recorder, shared.kind, Set::Metadata(key), value, log);
            }
        });
    }

    /// Adds a label, unless it has that already.
    pub fn add_tag(&self, tag: &str) {
        self.set(|shared, log| {
            if !shared.recorder.policy.hides_metadata() {
                log.push(&Entry::Label(tag));
            }
        });
    }

    /// Says how it ends, with a description; an empty one leaves an earlier description as it is.
    ///
    /// Order decides: an error, a panic or another `set_status` that comes later replaces it, and it
    /// replaces an earlier one, of which the description and the type of the error remain. That the
    /// function returns without an error changes nothing.
    pub fn set_status(&self, status: SpanStatus, message: &str) {
        self.set(|shared, log| {
            let message = if shared.recorder.policy.takes_errors() { message } else { "" };
            log.push(&Entry::Status(status, &cut(message, shared.recorder.limits.bytes)));
        });
    }

    /// Marks it as failed, with the error's text and type. A later error replaces an earlier one.
    pub fn record_error<E: fmt::Display + ?Sized>(&self, error: &E) {
        self.set(|shared, log| {
            let text = display_text(error, &shared.recorder.limits);
            let type_name = short_type_name(std::any::type_name::<E>());
            super::open::push_failure(shared.recorder, shared.kind, log, &type_name, Some(&text));
        });
    }

    /// The model that answers. The first one set counts as the requested model, unless that is set too.
    pub fn set_model(&self, model: &str) {
        self.set(|_, log| log.push(&Entry::Model(model)));
    }

    /// The model that was asked for.
    pub fn set_requested_model(&self, model: &str) {
        self.set(|_, log| log.push(&Entry::RequestedModel(model)));
    }

    /// Who serves the model, such as `openai`.
    pub fn set_provider(&self, provider: &str) {
        self.set(|_, log| log.push(&Entry::Provider(provider)));
    }

    /// The effort that is asked of a reasoning model, such as `low`.
    pub fn set_reasoning_effort(&self, effort: &str) {
        self.set(|_, log| log.push(&Entry::ReasoningEffort(effort)));
    }

    /// The tokens that the provider reports.
    pub fn set_usage(&self, usage: Usage) {
        self.set(|_, log| log.push(&Entry::Usage(usage)));
    }

    /// Drops the span: it is not sent, nor is any span that starts inside it from now on. Spans inside it
    /// that have ended already are kept.
    pub fn discard(&self) {
        if let Some(shared) = &self.shared {
            shared.discard();
        }
    }

    /// Scores or labels it: a number, one of a set of texts, or a boolean.
    ///
    /// The sender thread sends it, before the span itself if need be; also after the span has ended.
    ///
    /// ```
    /// let span = staso::current_span();
    /// span.annotate("helpfulness", 0.9);
    /// span.annotate("verdict", "good");
    /// span.annotate("resolved", true);
    /// ```
    ///
    /// Anything else does not compile:
    ///
    /// ```compile_fail
    /// staso::current_span().annotate("helpfulness", vec![0.9]);
    /// ```
    pub fn annotate(&self, name: impl Into<String>, value: impl Into<AnnotationValue>) {
        self.annotate_with(Annotation::new(name, value));
    }

    /// As [`annotate`](Self::annotate), with a comment.
    pub fn annotate_with(&self, annotation: Annotation) {
        if let Some(shared) = &self.shared {
            let annotation = annotation.on(shared.trace_id, Some(shared.span_id));
            crate::sender::annotate(shared.recorder, annotation);
        }
    }

    fn set(&self, write: impl FnOnce(&Shared, &mut EntryBuf)) {
        let Some(shared) = self.shared.as_ref().filter(|shared| shared.is_running()) else { return };
        let mut log = EntryBuf::default();
        write(shared, &mut log);
        if !log.as_bytes().is_empty() {
            shared.append(&log);
        }
    }
}

impl fmt::Debug for Span {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Span").field("trace_id", &self.trace_id()).field("span_id", &self.span_id()).finish()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn handles_can_be_kept_and_sent_anywhere() {
        fn anywhere<T: Clone + Send + Sync + 'static>() {}
        anywhere::<Span>();
    }
}
