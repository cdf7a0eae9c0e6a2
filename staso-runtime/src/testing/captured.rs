use std::{fmt::Write as _, ops::Deref, sync::Arc, time::Duration};

use serde_json::{Map, Value};

use crate::record::{SpanId, SpanKind, SpanRecord, SpanStatus, TraceId, Usage};

/// The spans of one capture, in the order in which they started. It derefs to a slice.
#[derive(Clone, Debug)]
pub struct Spans {
    all: Vec<CapturedSpan>,
}

/// One span of a capture. It derefs to its [`SpanData`].
#[derive(Clone, Debug)]
pub struct CapturedSpan {
    all: Arc<[SpanData]>,
    index: usize,
}

/// What is known of a span.
#[derive(Clone, Debug)]
#[non_exhaustive]
pub struct SpanData {
    /// The function's or the given name.
    pub name: String,
    /// What it stands for.
    pub kind: SpanKind,
    /// The trace it belongs to.
    pub trace_id: TraceId,
    /// Its identifier.
    pub span_id: SpanId,
    /// The span it was opened in.
    pub parent_span_id: Option<SpanId>,
    /// An object of the arguments, or what was set; `null` when nothing was captured.
    pub input: Value,
    /// `{"result": …}`, or what was set; `null` when nothing was captured.
    pub output: Value,
    /// How it ended.
    pub status: SpanStatus,
    /// The error's text.
    pub error_message: Option<String>,
    /// The error's type; `panic` and `cancelled` for those.
    pub exception_type: Option<String>,
    /// Metadata, by key.
    pub metadata: Map<String, Value>,
    /// Labels.
    pub tags: Vec<String>,
    /// The innermost agent; `test-agent` outside of all.
    pub agent_name: String,
    /// The conversation; `test-session` outside of all.
    pub conversation_id: String,
    /// The conversation's end user.
    pub user_id: Option<String>,
    /// The model that answered.
    pub model: Option<String>,
    /// Tokens, where known.
    pub usage: Option<Usage>,
    /// How long it ran; zero for one that has not ended.
    pub duration: Duration,
    /// Whether it had ended when the capture did.
    pub finished: bool,
}

impl Spans {
    pub(super) fn of(records: Vec<(SpanRecord, bool)>) -> Self {
        let all: Arc<[SpanData]> =
            records.iter().map(|(record, finished)| SpanData::of(record, *finished)).collect();
        Self { all: (0..all.len()).map(|index| CapturedSpan { all: Arc::clone(&all), index }).collect() }
    }

    /// The first span of a name.
    #[must_use]
    pub fn find(&self, name: &str) -> Option<&CapturedSpan> {
        self.all.iter().find(|span| span.name == name)
    }

    /// Every span of a name.
    pub fn named<'a>(&'a self, name: &'a str) -> impl Iterator<Item = &'a CapturedSpan> {
        self.all.iter().filter(move |span| span.name == name)
    }

    /// The spans without a parent in this capture.
    pub fn roots(&self) -> impl Iterator<Item = &CapturedSpan> {
        self.all.iter().filter(|span| span.parent().is_none())
    }

    /// All spans as an indented tree, one line each: kind, name, and the status when it is not `ok`. A
    /// picture to compare with in a test.
    #[must_use]
    pub fn tree(&self) -> String {
        let mut tree = String::new();
        let mut rest: Vec<(usize, CapturedSpan)> = self.roots().map(|root| (0, root.clone())).collect();
        rest.reverse();
        while let Some((depth, span)) = rest.pop() {
            let _ = write!(tree, "{:indent$}{} {}", "", span.kind, span.name, indent = depth * 2);
            if span.status != SpanStatus::Ok {
                let _ = write!(tree, " {}", span.status);
            }
            tree.push_str(if span.finished { "\n" } else { " (unfinished)\n" });
            let children: Vec<_> = span.children().map(|child| (depth + 1, child)).collect();
            rest.extend(children.into_iter().rev());
        }
        tree
    }
}

impl Deref for Spans {
    type Target = [CapturedSpan];

    fn deref(&self) -> &[CapturedSpan] {
        &self.all
    }
}

impl IntoIterator for Spans {
    type Item = CapturedSpan;
    type IntoIter = std::vec::IntoIter<CapturedSpan>;

    fn into_iter(self) -> Self::IntoIter {
        self.all.into_iter()
    }
}

impl CapturedSpan {
    /// The span around it; `None` for a root, or when that span is not part of the capture.
    #[must_use]
    pub fn parent(&self) -> Option<Self> {
        let parent = self.parent_span_id?;
        let index = self.all.iter().position(|span| span.span_id == parent)?;
        Some(Self { all: Arc::clone(&self.all), index })
    }

    /// The spans directly inside it, in the order in which they started.
    pub fn children(&self) -> impl Iterator<Item = Self> + '_ {
        let is_child = |(_, span): &(usize, &SpanData)| span.parent_span_id == Some(self.span_id);
        let children = self.all.iter().enumerate().filter(is_child);
        children.map(|(index, _)| Self { all: Arc::clone(&self.all), index })
    }
}

impl Deref for CapturedSpan {
    type Target = SpanData;

    #[expect(clippy::indexing_slicing, reason = "every index was made from the slice it points into")]
    fn deref(&self) -> &SpanData {
        &self.all[self.index]
    }
}

impl SpanData {
    fn of(record: &SpanRecord, finished: bool) -> Self {
        // Captured values are JSON; anything else would be a fault of the capture, shown as it is.
        let json = |text: &str| serde_json::from_str(text).unwrap_or_else(|_| Value::String(text.into()));
        Self {
            name: record.name().to_owned(),
            kind: record.kind(),
            trace_id: record.trace_id(),
            span_id: record.span_id(),
            parent_span_id: record.parent_span_id(),
            input: record.input().map_or(Value::Null, |text| json(&text)),
            output: record.output().map_or(Value::Null, |text| json(&text)),
            status: record.status(),
            error_message: record.error_message().map(str::to_owned),
            exception_type: record.exception_type().map(str::to_owned),
            metadata: record.metadata().map(|(key, text)| (key.to_owned(), json(text))).collect(),
            tags: record.tags().map(str::to_owned).collect(),
            agent_name: record.agent_name().to_owned(),
            conversation_id: record.conversation_id().to_owned(),
            user_id: record.user_id().map(str::to_owned),
            model: record.model().map(str::to_owned),
            usage: record.usage(),
            duration: record.duration(),
            finished,
        }
    }
}
