use std::{any::Any, mem, sync::Arc, time::Duration};

use super::open_slot::{OpenSlot, Running, wall};
use crate::{
    capture::{FieldKind, panic_message, redacted_text},
    context::{Owner, Scope, SpanRef, Token, local},
    record::{
        CallSite, Conversation, Entry, EntryBuf, Finished, Name, SHORT, SpanId, SpanKind,
        clock::{Nanos, Tick, WallTime},
        cut,
    },
    recorder::{Intake, Recorder, Sink},
    span::{RootSlot, Shared},
};

/// A span between its start and its end, owned by the code that runs it.
pub(crate) struct OpenSpan {
    pub(crate) recorder: &'static Recorder,
    pub(crate) site: &'static CallSite,
    parent: Option<SpanId>,
    remote_parent: bool,
    started: Option<Tick>,
    running: bool,
    polled: bool,
    /// The span is entered, for the time in which the future that it followed is dropped.
    last: Option<Token>,
    /// Whether its log is in its slot.
    shown: bool,
    /// What it shows, while it is not shown.
    pub(super) unshown: Option<Box<Running>>,
    /// What runs inside inherits this. On the thread's stack while the span is entered.
    pub(super) scope: Scope,
    pub(crate) log: EntryBuf,
    root: Option<Arc<RootSlot>>,
}

impl OpenSpan {
    /// Takes identifiers, parent, agent and conversation. The span starts with [`begin`](Self::begin).
    ///
    /// `None` when nothing records here, or the span around it was discarded.
    pub(crate) fn prepare(site: &'static CallSite) -> Option<Box<Self>> {
        local::with(|local| {
            let recorder = local.recorder()?;
            if !recorder.admits() {
                return None;
            }
            let span_id = local.ids.span_id();
            let (around, agent, conversation, bound) = local.stack.top(|scope| {
                let Some(scope) = scope else { return Some((None, None, None, None)) };
                if scope.handle.as_ref().is_some_and(|handle| handle.is_discarded()) {
                    return None;
                }
                let agent = if site.kind == SpanKind::Agent { None } else { scope.agent.clone() };
                Some((scope.span, agent, scope.conversation.clone(), scope.recorder))
            })?;
            let span = SpanRef {
                trace_id: around.map_or_else(|| local.ids.trace_id(), |span| span.trace_id),
                span_id,
                anchor: around.and_then(|span| span.anchor),
                owner: Some(Owner { recorder, kind: site.kind }),
            };
            let agent = if site.kind == SpanKind::Agent && !site.name.is_empty() {
                Some(Name::Static(site.name))
            } else {
                agent
            };
            Some(local.scratch.place(Self {
                recorder,
                site,
                parent: around.map(|span| span.span_id),
                remote_parent: around.is_some_and(|span| span.owner.is_none()),
                started: None,
                running: false,
                polled: false,
                last: None,
                shown: false,
                unshown: None,
                scope: Scope {
                    span: Some(span),
                    agent,
                    conversation,
                    handle: None,
                    recorder: bound,
                    slot: None,
                },
                log: EntryBuf::default(),
                root: None,
            }))
        })?
    }

    /// Starts the clock.
    pub(crate) fn begin(&mut self) {
        let tick = self.recorder.clock.tick();
        self.started = Some(tick);
        if let Some(span) = &mut self.scope.span {
            span.anchor.get_or_insert_with(|| self.recorder.clock.anchor(tick));
        }
    }

    /// Starts a span whose body is about to run for the first time, if that has not happened yet.
    #[inline]
    pub(crate) fn ensure_running(&mut self) {
        if !self.running {
            if self.started.is_none() {
                self.begin();
            }
            self.announce();
        }
    }

    /// Whether its body has begun to run.
    pub(crate) fn is_running(&self) -> bool {
        self.running
    }

    /// As [`ensure_running`](Self::ensure_running), for a poll.
    #[inline]
    pub(crate) fn ensure_polled(&mut self) {
        if !self.polled {
            self.ensure_running();
            self.polled = true;
        }
    }

    /// It goes on in something else, which may never be polled.
    pub(crate) fn expect_polls(&mut self) {
        self.polled = false;
    }

    /// Whether the future or stream that it follows was ever polled.
    pub(crate) fn is_polled(&self) -> bool {
        self.polled
    }

    /// How long it has been running.
    pub(crate) fn elapsed(&self) -> Option<Duration> {
        self.started.map(|started| self.recorder.clock.tick().since(started))
    }

    /// Enters the span to drop what it followed.
    pub(crate) fn enter_last(&mut self) {
        self.last = self.enter();
    }

    pub(crate) fn leave_last(&mut self) {
        let token = self.last.take();
        self.leave(token);
    }

    /// Shows the span to whoever watches running ones, once its input is captured: roots made by an
    /// attribute to the sender, all spans to a test.
    pub(crate) fn announce(&mut self) {
        self.running = true;
        match &self.recorder.sink {
            Sink::Sender(intake)
                if self.parent.is_none() && self.site.is_function() && !self.recorder.is_inherited() =>
            {
                self.root = local::with(|local| {
                    let log = self.log.as_bytes();
                    let started = (self.started_at(), self.started.unwrap_or_default());
                    local.roots.open(self.recorder, intake, self.site, &self.scope, started, log)
                })
                .flatten();
                if let Some(handle) = &self.scope.handle {
                    OpenSlot::attach(&mut self.scope.slot, handle);
                }
            }
            Sink::Sender(intake) => self.show(intake),
            Sink::Tape(tape) => {
                if let Some(span) = self.scope.span.filter(|_| !self.recorder.is_inherited()) {
                    let around = (self.scope.agent.clone(), self.scope.conversation.clone());
                    tape.started(self.finished(span, Nanos::default(), around, false));
                }
            }
        }
    }

    /// Shows the span to a sender that stops. It must not be entered.
    #[inline(always)]
    fn show(&mut self, intake: &Intake) {
        if !self.scope.slot.as_ref().is_some_and(|slot| slot.is_of(self.recorder)) {
            self.scope.slot = OpenSlot::find(self.recorder, intake);
        }
        if let Some(handle) = &self.scope.handle {
            OpenSlot::attach(&mut self.scope.slot, handle);
        }
        let Some(slot) = &self.scope.slot else { return };
        let mut running = self.unshown.take().unwrap_or_default();
        running.site = Some(self.site);
        running.span = self.scope.span;
        running.parent = self.parent;
        running.remote_parent = self.remote_parent;
        running.started = self.started;
        running.agent.clone_from(&self.scope.agent);
        running.conversation.clone_from(&self.scope.conversation);
        mem::swap(&mut running.log, &mut self.log);
        slot.show(running);
        self.shown = true;
    }

    /// Takes back what the span showed, once its body has ended. One that a sender took has lost its log.
    #[inline]
    pub(crate) fn hide(&mut self) {
        if self.shown
            && let Some(slot) = &self.scope.slot
        {
            self.shown = false;
            if let Some(mut running) = slot.hide() {
                mem::swap(&mut running.log, &mut self.log);
                self.unshown = Some(running);
            }
        }
    }

    /// Gives the span a name that was not known when the program was compiled.
    pub(crate) fn rename(&mut self, name: &str) {
        if !self.recorder.policy.hides_name(self.site.kind) {
            self.log.push(&Entry::Name(name));
        }
        if self.site.kind == SpanKind::Agent {
            self.scope.agent = Some(Name::shared(name));
        }
    }

    pub(crate) fn label(&mut self, tag: &str) {
        if self.recorder.policy.hides_metadata() {
            return;
        }
        let most = self.recorder.limits.by_hand();
        if self.log.as_bytes().len() + tag.len().min(SHORT) > most {
            crate::diagnostics::span_full(self.site.kind, most);
        } else {
            self.log.push(&Entry::Label(tag));
        }
    }

    /// Makes this span the current one of the thread. `None` when the thread is being torn down.
    #[inline]
    pub(crate) fn enter(&mut self) -> Option<Token> {
        local::with(|local| local.stack.enter(mem::take(&mut self.scope)))
    }

    #[inline]
    pub(crate) fn leave(&mut self, token: Option<Token>) {
        let Some(token) = token else { return };
        local::with(|local| {
            if let Some(scope) = local.stack.leave(token) {
                // What it replaces is the empty one that `enter` left: there is nothing to look through and
                // drop.
                mem::forget(mem::replace(&mut self.scope, scope));
            }
        });
    }

    /// The state that handles share with this span, which must not be entered.
    pub(crate) fn shared(&mut self) -> Option<Arc<Shared>> {
        let span = self.scope.span?;
        let shared = self.scope.handle.get_or_insert_with(|| {
            let owner = Owner { recorder: self.recorder, kind: self.site.kind };
            Arc::new(Shared::new(owner, span.trace_id, span.span_id))
        });
        Some(Arc::clone(shared))
    }

    pub(crate) fn panicked(&mut self, payload: &(dyn Any + Send)) {
        self.failed("panic", Some(panic_message(payload)));
    }

    pub(crate) fn cancelled(&mut self) {
        self.failed("cancelled", Some("dropped before it finished"));
    }

    pub(crate) fn failed(&mut self, type_name: &str, message: Option<&str>) {
        self.settle();
        push_failure(self.recorder, self.site.kind, &mut self.log, type_name, message);
    }

    /// Takes over what handles set so far, so that what is written next comes after it: of two statuses
    /// the later one counts. The span must not be entered.
    pub(crate) fn settle(&mut self) {
        self.hide();
        if let Some(handle) = &self.scope.handle {
            handle.move_to(&mut self.log);
        }
    }

    /// As [`settle`](Self::settle), for a span that goes on: it is shown as before.
    pub(crate) fn settle_between(&mut self) {
        let was_shown = self.shown;
        self.settle();
        if let Sink::Sender(intake) = &self.recorder.sink
            && was_shown
        {
            self.show(intake);
        }
    }

    /// Ends the span and hands it over.
    pub(crate) fn close(mut self: Box<Self>) {
        let recorder = self.recorder;
        if recorder.is_inherited() {
            return;
        }
        let ended = recorder.clock.tick();
        self.hide();
        let announced = match self.root.take() {
            Some(slot) => local::with(|local| local.roots.close(recorder, slot)).unwrap_or(true),
            None => false,
        };
        let kept = self.scope.handle.take().is_none_or(|handle| {
            if let Some(slot) = &self.scope.slot {
                slot.detach();
            }
            handle.end(&mut self.log)
        });
        if let Some(span) = self.scope.span {
            if kept {
                let duration = ended.nanos_since(self.started.unwrap_or(ended));
                let around = (self.scope.agent.take(), self.scope.conversation.take());
                recorder.record(self.finished(span, duration, around, announced));
            } else {
                (self.scope.agent, self.scope.conversation) = (None, None);
                if let Sink::Tape(tape) = &recorder.sink {
                    tape.discarded(span.span_id);
                }
            }
        }
        // Boxes go back to the thread on which their span ended; one that is torn down drops them.
        let mut span = Some(self);
        local::with(|local| span.take().map(|span| local.scratch.keep(span)));
    }

    #[inline(always)]
    fn finished(
        &self,
        span: SpanRef,
        duration: Nanos,
        (agent, conversation): (Option<Name>, Option<Arc<Conversation>>),
        announced: bool,
    ) -> Finished {
        Finished {
            site: self.site,
            trace_id: span.trace_id,
            span_id: span.span_id,
            parent: self.parent,
            remote_parent: self.remote_parent,
            started: self.started_at(),
            duration,
            agent,
            conversation,
            log: self.log.as_bytes().into(),
            provisional: false,
            announced,
        }
    }

    fn started_at(&self) -> WallTime {
        wall(self.scope.span.and_then(|span| span.anchor), self.started)
    }
}

/// Writes an error as far as the policy lets its text through, past the user's `redact` hook.
pub(crate) fn push_failure(
    recorder: &Recorder,
    kind: SpanKind,
    log: &mut EntryBuf,
    type_name: &str,
    message: Option<&str>,
) {
    let message = message.filter(|_| recorder.policy.takes_errors());
    let message =
        message.and_then(|message| redacted_text(recorder, kind, FieldKind::Error, "error", message));
    let message = message.as_deref().map(|message| cut(message, recorder.limits.bytes));
    log.push(&Entry::Error { type_name, message: message.as_deref() });
}
