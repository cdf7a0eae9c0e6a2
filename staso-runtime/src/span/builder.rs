use std::borrow::Cow;

use super::{Call, Span};
use crate::{
    record::{CallSite, SpanKind},
    recorder,
    span::OpenSpan,
};

/// A span that is made without a macro.
///
/// ```
/// use staso::{Span, SpanKind, testing};
///
/// let spans = testing::capture(|| {
///     let hits = Span::builder("embed-query").kind(SpanKind::Retriever).in_scope(|span| {
///         span.set_input("reset password");
///         ["a.md", "b.md"]
///     });
///     assert_eq!(hits.len(), 2);
/// });
/// assert_eq!(spans[0].name, "embed-query");
/// ```
#[derive(Debug)]
#[must_use = "a builder makes a span once it runs something: call `in_scope` or `in_scope_async`"]
pub struct SpanBuilder<'a> {
    name: Cow<'a, str>,
    kind: SpanKind,
    tags: Vec<Cow<'a, str>>,
}

static MANUAL: [CallSite; 6] = [
    CallSite::manual("", SpanKind::Agent),
    CallSite::manual("", SpanKind::Tool),
    CallSite::manual("", SpanKind::Llm),
    CallSite::manual("", SpanKind::Retriever),
    CallSite::manual("", SpanKind::Chain),
    CallSite::manual("", SpanKind::Custom),
];

impl<'a> SpanBuilder<'a> {
    pub(crate) fn new(name: Cow<'a, str>) -> Self {
        Self { name, kind: SpanKind::default(), tags: Vec::new() }
    }

    /// What it stands for; [`SpanKind::Chain`] unless said otherwise. An agent names the spans inside it.
    pub fn kind(mut self, kind: SpanKind) -> Self {
        self.kind = kind;
        self
    }

    /// Adds a label.
    pub fn tag(mut self, tag: impl Into<Cow<'a, str>>) -> Self {
        // Nothing is allocated while nothing is recorded.
        if recorder::is_wanted() {
            self.tags.push(tag.into());
        }
        self
    }

    /// Runs a closure in the span. A panic is recorded and goes on unchanged.
    ///
    /// An error that the closure returns is not seen, as any type may be returned: call
    /// [`Span::record_error`], or use the `span!` macro.
    pub fn in_scope<R>(self, f: impl FnOnce(&Span) -> R) -> R {
        let mut call = self.call();
        let span = call.handle();
        call.run(|| f(&span), |_, _| ())
    }

    /// Runs a future in the span: it starts at the first poll, and is current during each.
    ///
    /// ```
    /// # use staso::Span;
    /// # async fn search(query: &str) -> Vec<String> { vec![query.to_owned()] }
    /// # async fn example() {
    /// let hits = Span::builder("search")
    ///     .in_scope_async(|span| async move {
    ///         let hits = search("reset password").await;
    ///         span.set_metadata("hits", &hits.len());
    ///         hits
    ///     })
    ///     .await;
    /// # }
    /// ```
    pub fn in_scope_async<F: Future>(self, f: impl FnOnce(Span) -> F) -> impl Future<Output = F::Output> {
        let mut call = self.deferred();
        let span = call.handle();
        call.follow(f(span), |value, ending| ending.with(value, |_, _| ()))
    }

    fn call(self) -> Call {
        let mut call = self.deferred();
        if let Some(open) = &mut call.open {
            open.begin();
        }
        call
    }

    fn deferred(self) -> Call {
        let site = MANUAL.iter().find(|site| site.kind == self.kind);
        let mut call = Call { open: site.filter(|_| recorder::is_wanted()).and_then(OpenSpan::prepare) };
        if let Some(open) = &mut call.open {
            open.rename(&self.name);
            for tag in &self.tags {
                open.label(tag);
            }
        }
        call
    }
}
