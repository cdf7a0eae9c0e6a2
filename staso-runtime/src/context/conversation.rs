use std::{fmt, sync::Arc};

use super::{ContextGuard, WithContext, local, stack::Scope};
use crate::{
    record::{Conversation as Membership, short_text},
    recorder,
    span::{BlockFuture, Done},
};

/// A conversation: the set of traces that belong together, and the end user they are for.
///
/// The innermost conversation wins; leaving it restores the one around it. One that names no user keeps
/// the user of the one around it. A span takes its conversation when it starts.
///
/// ```
/// use staso::{Conversation, Span, testing};
///
/// let spans = testing::capture(|| {
///     Conversation::new("conv-42").user_id("user-alice").scope(|| {
///         Span::builder("turn").in_scope(|_| ());
///     });
/// });
/// assert_eq!(spans[0].conversation_id, "conv-42");
/// assert_eq!(spans[0].user_id.as_deref(), Some("user-alice"));
/// ```
#[derive(Clone, Debug)]
#[must_use = "a conversation holds what runs in it: call `scope` or `scope_async`"]
pub struct Conversation {
    /// `None` when nothing is recorded, for then nothing is allocated.
    id: Option<String>,
    user_id: Option<String>,
}

impl Conversation {
    /// A conversation of a given id. If that is blank, it gets a new UUID.
    pub fn new(id: impl fmt::Display) -> Self {
        Self { id: recorder::is_wanted().then(|| short_text(id)), user_id: None }
    }

    /// A conversation of its own: its id is a new UUID.
    pub fn generate() -> Self {
        Self::new(uuid::Uuid::new_v4())
    }

    /// The end user. A blank one is none: that of the conversation around it stays.
    pub fn user_id(mut self, user_id: impl fmt::Display) -> Self {
        self.user_id = self.id.as_ref().map(|_| short_text(user_id));
        self
    }

    /// Runs a closure in it.
    pub fn scope<R>(self, f: impl FnOnce() -> R) -> R {
        let _guard = self.enter().attach();
        f()
    }

    /// Runs a future in it, from any thread that polls it.
    pub fn scope_async<F: Future>(self, future: F) -> WithContext<F> {
        WithContext::new(self.enter().0, future)
    }

    fn enter(self) -> ConversationScope {
        let Some(id) = self.id else { return ConversationScope(None) };
        conversation_scope(Some(|| id), self.user_id.map(|user_id| || user_id))
    }
}

/// A conversation that is about to be entered; empty when nothing is recorded.
#[derive(Debug)]
pub struct ConversationScope(Option<Scope>);

/// What `conversation!` opens. The closures run only when something is recorded; without an id, or with a
/// blank one, there is a new one.
pub fn conversation_scope<I: fmt::Display, U: fmt::Display>(
    id: Option<impl FnOnce() -> I>,
    user_id: Option<impl FnOnce() -> U>,
) -> ConversationScope {
    if !recorder::is_wanted() {
        return ConversationScope(None);
    }
    let given = |text: &String| !text.trim().is_empty();
    let id = id.map(|id| short_text(id())).filter(given);
    let id: Arc<str> = id.unwrap_or_else(|| uuid::Uuid::new_v4().to_string()).into();
    let user_id: Option<Arc<str>> = user_id.map(|user_id| short_text(user_id())).filter(given).map(Arc::from);
    ConversationScope(local::with(|local| {
        let mut scope = local.copy_scope();
        let user_id = user_id.or_else(|| scope.conversation.as_ref()?.user_id.clone());
        scope.conversation = Some(Arc::new(Membership { id, user_id }));
        scope
    }))
}

impl ConversationScope {
    /// Enters it until the guard is dropped.
    pub fn attach(self) -> ContextGuard {
        self.0.map_or_else(ContextGuard::inert, ContextGuard::enter)
    }

    /// Runs the block of `conversation!` in it.
    pub fn follow_block<'a, F: Future + 'a>(
        self,
        block: F,
        done: &'a Done,
    ) -> impl Future<Output = Option<F::Output>> + 'a {
        WithContext::new(self.0, BlockFuture::new(block, done))
    }
}
