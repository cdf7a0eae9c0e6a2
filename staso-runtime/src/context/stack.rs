use std::{
    cell::{Cell, RefCell},
    sync::Arc,
};

use crate::{
    record::{Conversation, Name, SpanId, SpanKind, TraceId, clock::Anchor},
    recorder::Recorder,
    span::{OpenSlot, Shared},
};

/// What code inherits from where it runs: the innermost span, agent and conversation.
#[derive(Clone, Debug, Default)]
pub(crate) struct Scope {
    pub(crate) span: Option<SpanRef>,
    /// `None` for the client's own agent.
    pub(crate) agent: Option<Name>,
    pub(crate) conversation: Option<Arc<Conversation>>,
    /// The innermost span's shared state, once somebody has taken a handle to it.
    pub(crate) handle: Option<Arc<Shared>>,
    /// Where a test captures the spans of this scope.
    pub(crate) recorder: Option<&'static Recorder>,
    /// Where the innermost span shows itself, if this scope is the span's own.
    pub(crate) slot: Option<Arc<OpenSlot>>,
}

/// Enough of a span to be a parent.
#[derive(Clone, Copy, Debug)]
pub(crate) struct SpanRef {
    pub(crate) trace_id: TraceId,
    pub(crate) span_id: SpanId,
    /// `None` until the span starts, and for good when it is of another process, whose clock is not ours.
    pub(crate) anchor: Option<Anchor>,
    /// `None` when the span is of another process.
    pub(crate) owner: Option<Owner>,
}

/// Who records a span, and what it stands for.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Owner {
    pub(crate) recorder: &'static Recorder,
    pub(crate) kind: SpanKind,
}

/// The scopes that this thread has entered and not left, innermost last.
pub(crate) struct Stack {
    frames: RefCell<Vec<Frame>>,
    next: Cell<u64>,
}

struct Frame {
    token: Token,
    scope: Scope,
}

/// Names an entered scope on its thread.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) struct Token(u64);

impl Stack {
    pub(crate) const fn new() -> Self {
        Self { frames: RefCell::new(Vec::new()), next: Cell::new(0) }
    }

    #[inline]
    pub(crate) fn enter(&self, scope: Scope) -> Token {
        let token = Token(self.next.get());
        self.next.set(token.0.wrapping_add(1));
        self.frames.borrow_mut().push(Frame { token, scope });
        token
    }

    /// Leaves a scope whose code has returned, and with it every scope that was entered inside and never
    /// left: a guard that was forgotten, or held across an await.
    #[inline]
    pub(crate) fn leave(&self, token: Token) -> Option<Scope> {
        let mut frames = self.frames.borrow_mut();
        if frames.last().is_some_and(|frame| frame.token == token) {
            return frames.pop().map(|frame| frame.scope);
        }
        drop(frames);
        self.leave_all(token)
    }

    #[cold]
    fn leave_all(&self, token: Token) -> Option<Scope> {
        let mut frames = self.frames.borrow_mut();
        let place = frames.iter().rposition(|frame| frame.token == token)?;
        let mut left = frames.split_off(place).into_iter();
        drop(frames);
        left.next().map(|frame| frame.scope)
    }

    /// Takes one scope out, wherever it stands: its guard may be dropped in any order.
    pub(crate) fn remove(&self, token: Token) -> Option<Scope> {
        let mut frames = self.frames.borrow_mut();
        let place = frames.iter().rposition(|frame| frame.token == token)?;
        Some(frames.remove(place).scope)
    }

    /// In the child of a fork: leaves the parent's spans to the parent. Agents and conversations stay.
    #[cfg(unix)]
    pub(crate) fn forget_spans(&self) {
        for frame in self.frames.try_borrow_mut().iter_mut().flat_map(|frames| frames.iter_mut()) {
            let Frame { scope, .. } = frame;
            *scope = Scope { span: None, handle: None, recorder: None, ..std::mem::take(scope) };
        }
    }

    /// Runs `f` on the innermost scope. `f` must not run user code.
    #[inline]
    pub(crate) fn top<R>(&self, f: impl FnOnce(Option<&Scope>) -> R) -> R {
        f(self.frames.borrow().last().map(|frame| &frame.scope))
    }

    /// As [`top`](Self::top), to change the scope.
    pub(crate) fn top_mut<R>(&self, f: impl FnOnce(Option<&mut Scope>) -> R) -> R {
        f(self.frames.borrow_mut().last_mut().map(|frame| &mut frame.scope))
    }

    /// The shared state of the innermost spans, innermost first, made where it is the first handle.
    pub(crate) fn handles(&self, most: usize) -> Vec<Arc<Shared>> {
        let mut handles: Vec<Arc<Shared>> = Vec::new();
        for frame in self.frames.borrow_mut().iter_mut().rev() {
            let Scope { span: Some(span), handle, .. } = &mut frame.scope else { break };
            let Some(owner) = span.owner else { break };
            // A conversation repeats the span that it is in.
            if handles.last().is_some_and(|inner| inner.span_id == span.span_id) {
                continue;
            }
            if handles.len() == most {
                break;
            }
            let new = || Arc::new(Shared::new(owner, span.trace_id, span.span_id));
            handles.push(Arc::clone(handle.get_or_insert_with(new)));
        }
        handles
    }

    #[inline]
    pub(crate) fn bound_recorder(&self) -> Option<&'static Recorder> {
        self.frames.borrow().last().and_then(|frame| frame.scope.recorder)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn scope(agent: &'static str) -> Scope {
        Scope { agent: Some(Name::Static(agent)), ..Scope::default() }
    }

    fn top(stack: &Stack) -> String {
        stack.top(|scope| scope.and_then(|scope| scope.agent.as_ref()).map_or("-", Name::as_str).to_owned())
    }

    #[test]
    fn leaving_restores_the_scope_around() {
        let stack = Stack::new();
        let outer = stack.enter(scope("outer"));
        let inner = stack.enter(scope("inner"));
        assert_eq!(top(&stack), "inner");
        stack.leave(inner);
        assert_eq!(top(&stack), "outer");
        stack.leave(outer);
        assert_eq!(top(&stack), "-");
    }

    #[test]
    fn guards_may_go_in_any_order() {
        let stack = Stack::new();
        let first = stack.enter(scope("first"));
        let second = stack.enter(scope("second"));
        stack.remove(first);
        assert_eq!(top(&stack), "second");
        stack.remove(second);
        assert_eq!(top(&stack), "-");
        assert!(stack.remove(second).is_none());
    }

    #[test]
    fn a_scope_that_was_never_left_goes_with_the_one_around() {
        let stack = Stack::new();
        let poll = stack.enter(scope("poll"));
        let leaked = stack.enter(scope("leaked"));
        stack.leave(poll);
        assert_eq!(top(&stack), "-");
        assert!(stack.leave(leaked).is_none());
    }
}
