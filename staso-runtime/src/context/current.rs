use std::marker::PhantomData;

use super::{local, stack::Scope, stack::Token};
use crate::{
    record::{SpanId, TraceId},
    recorder,
};

/// Where code runs: the current span, agent and conversation, to take to another thread, task or process.
///
/// ```
/// use staso::{Context, Conversation, testing};
///
/// let spans = testing::capture(|| {
///     Conversation::new("conv-42").scope(|| {
///         let cx = Context::current();
///         std::thread::scope(|threads| {
///             threads.spawn(|| {
///                 cx.scope(|| staso::Span::builder("work").in_scope(|_| ()));
///             });
///         });
///     });
/// });
/// assert_eq!(spans[0].conversation_id, "conv-42");
/// ```
#[derive(Clone, Debug, Default)]
#[must_use = "a context does nothing until it is attached or runs something"]
pub struct Context {
    pub(super) scope: Scope,
}

impl Context {
    pub(crate) const fn of(scope: Scope) -> Self {
        Self { scope }
    }

    /// Where this code runs; empty where nothing is recorded.
    pub fn current() -> Self {
        if !recorder::is_wanted() {
            return Self::default();
        }
        Self { scope: local::with(local::Local::copy_scope).unwrap_or_default() }
    }

    /// Makes it the current one of this thread until the guard is dropped.
    ///
    /// Do not hold the guard across an `.await`: the thread runs other tasks meanwhile. An instrumented
    /// future takes a guard that was left behind away when its poll ends; in other futures it would
    /// leak. [`FutureExt::with_context`](super::FutureExt::with_context) is made for futures.
    #[must_use = "the context is left again when the guard is dropped"]
    pub fn attach(&self) -> ContextGuard {
        ContextGuard::enter(self.scope.clone())
    }

    /// Runs a closure in it.
    pub fn scope<R>(&self, f: impl FnOnce() -> R) -> R {
        let _guard = self.attach();
        f()
    }

    /// The trace of its span.
    #[must_use]
    pub fn trace_id(&self) -> Option<TraceId> {
        self.scope.span.map(|span| span.trace_id)
    }

    /// Its span.
    #[must_use]
    pub fn span_id(&self) -> Option<SpanId> {
        self.scope.span.map(|span| span.span_id)
    }

    /// The conversation that was opened around it.
    #[must_use]
    pub fn conversation_id(&self) -> Option<&str> {
        self.scope.conversation.as_ref().map(|conversation| &*conversation.id)
    }

    /// The end user of the conversation.
    #[must_use]
    pub fn user_id(&self) -> Option<&str> {
        self.scope.conversation.as_ref()?.user_id.as_deref()
    }

    /// The innermost agent; `None` for the client's own.
    #[must_use]
    pub fn agent_name(&self) -> Option<&str> {
        self.scope.agent.as_ref().map(crate::record::Name::as_str)
    }
}

/// Leaves a context when it is dropped; guards may be dropped in any order.
#[derive(Debug)]
#[must_use = "the context is left again when the guard is dropped"]
pub struct ContextGuard {
    token: Option<Token>,
    /// The context was entered on this thread and is left on it.
    not_send: PhantomData<*const ()>,
}

impl ContextGuard {
    pub(super) fn enter(scope: Scope) -> Self {
        Self { token: local::with(|local| local.stack.enter(scope)), not_send: PhantomData }
    }

    pub(super) const fn inert() -> Self {
        Self { token: None, not_send: PhantomData }
    }
}

impl Drop for ContextGuard {
    fn drop(&mut self) {
        if let Some(token) = self.token {
            // The scope is dropped outside of the stack: it may hold the last handle to something.
            let left = local::with(|local| local.stack.remove(token));
            drop(left);
        }
    }
}
