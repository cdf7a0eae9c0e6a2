use std::{borrow::Cow, hash::Hash, time::Duration, time::SystemTime};

use crate::record::{SpanId, SpanKind, SpanRecord, SpanStatus, Usage};

/// What a picture shows of a span, whoever keeps it.
pub trait SpanView {
    /// What tells the spans of a trace apart.
    type Id: Copy + Eq + Hash;

    /// The text of its trace's identifier.
    fn trace_id(&self) -> Cow<'_, str>;
    /// Its own identifier.
    fn span_id(&self) -> Self::Id;
    /// The span it was opened in; `None` for the root of a trace.
    fn parent_span_id(&self) -> Option<Self::Id>;
    /// Whether it is the outermost span that can be shown, though its parent may be elsewhere.
    fn is_local_root(&self) -> bool;
    /// Whether it announces a root that still runs.
    fn is_provisional(&self) -> bool;
    /// The step's name.
    fn name(&self) -> &str;
    /// What it stands for.
    fn kind(&self) -> SpanKind;
    /// When it began.
    fn started_at(&self) -> SystemTime;
    /// How long it ran.
    fn duration(&self) -> Duration;
    /// The name of a status that stands for a failure.
    fn failure(&self) -> Option<&str>;
    /// The word for how it stands when it did not fail.
    fn standing(&self) -> &str {
        if self.is_provisional() { "running" } else { "ok" }
    }
    /// The error's text.
    fn error_message(&self) -> Option<&str>;
    /// The error's type.
    fn exception_type(&self) -> Option<&str>;
    /// What went in, as JSON text.
    fn input(&self) -> Option<Cow<'_, str>>;
    /// What came out, as JSON text.
    fn output(&self) -> Option<Cow<'_, str>>;
    /// Keys and JSON texts.
    fn metadata(&self) -> impl Iterator<Item = (&str, &str)>;
    /// Labels.
    fn tags(&self) -> impl Iterator<Item = &str>;
    /// The model that answered, else the one that was asked for.
    fn model(&self) -> Option<&str>;
    /// Tokens, where they are known.
    fn usage(&self) -> Option<Usage>;
    /// The agent that it belongs to; may be empty.
    fn agent_name(&self) -> &str;
    /// The conversation that it belongs to.
    fn conversation_id(&self) -> Option<&str>;
    /// The end user.
    fn user_id(&self) -> Option<&str>;
}

impl SpanView for SpanRecord {
    type Id = SpanId;

    fn trace_id(&self) -> Cow<'_, str> {
        self.trace_id().to_string().into()
    }

    fn span_id(&self) -> SpanId {
        self.span_id()
    }

    fn parent_span_id(&self) -> Option<SpanId> {
        self.parent_span_id()
    }

    fn is_local_root(&self) -> bool {
        self.is_local_root()
    }

    fn is_provisional(&self) -> bool {
        self.is_provisional()
    }

    fn name(&self) -> &str {
        self.name()
    }

    fn kind(&self) -> SpanKind {
        self.kind()
    }

    fn started_at(&self) -> SystemTime {
        self.started_at()
    }

    fn duration(&self) -> Duration {
        self.duration()
    }

    fn failure(&self) -> Option<&str> {
        (self.status() != SpanStatus::Ok).then(|| self.status().as_str())
    }

    fn error_message(&self) -> Option<&str> {
        self.error_message()
    }

    fn exception_type(&self) -> Option<&str> {
        self.exception_type()
    }

    fn input(&self) -> Option<Cow<'_, str>> {
        self.input()
    }

    fn output(&self) -> Option<Cow<'_, str>> {
        self.output()
    }

    fn metadata(&self) -> impl Iterator<Item = (&str, &str)> {
        self.metadata()
    }

    fn tags(&self) -> impl Iterator<Item = &str> {
        self.tags()
    }

    fn model(&self) -> Option<&str> {
        self.model().or_else(|| self.requested_model())
    }

    fn usage(&self) -> Option<Usage> {
        self.usage()
    }

    fn agent_name(&self) -> &str {
        self.agent_name()
    }

    fn conversation_id(&self) -> Option<&str> {
        self.in_conversation().then(|| self.conversation_id())
    }

    fn user_id(&self) -> Option<&str> {
        self.user_id()
    }
}
