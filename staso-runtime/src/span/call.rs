use std::{
    fmt,
    marker::PhantomData,
    panic::{AssertUnwindSafe, catch_unwind, resume_unwind},
    thread,
};

use super::{Followed, FollowedStream, OpenSpan, Span};
use crate::{
    capture::{Outcome, Slot},
    context::Token,
    record::CallSite,
    recorder,
};

/// One run of an instrumented function or block: a span, or nothing when recording is off.
pub struct Call {
    pub(super) open: Option<Box<OpenSpan>>,
}

/// Runs an instrumented function, with a call that is recorded or not.
///
/// Both ways call the same closure, each with a copy of its own: the one without recording comes down to
/// the function's body.
#[inline(always)]
pub fn enter<R>(site: &'static CallSite, run: impl FnOnce(Call) -> R) -> R {
    if recorder::is_wanted() { Recording { site, run }.enter() } else { run(Call { open: None }) }
}

/// Both in one value, which has to be put together in memory of its own: on the way where nothing is
/// recorded, what the closure captured then stays in registers.
struct Recording<F> {
    site: &'static CallSite,
    run: F,
}

impl<F> Recording<F> {
    #[inline(never)]
    fn enter<R>(self) -> R
    where
        F: FnOnce(Call) -> R,
    {
        (self.run)(Call::started(self.site))
    }
}

impl Call {
    /// A span that starts now, under the current one.
    #[inline]
    #[must_use]
    pub fn new(site: &'static CallSite) -> Self {
        if recorder::is_wanted() { Self::started(site) } else { Self { open: None } }
    }

    /// A span whose parent is the current one, and which starts at the first poll.
    #[inline]
    #[must_use]
    pub fn deferred(site: &'static CallSite) -> Self {
        Self { open: if recorder::is_wanted() { OpenSpan::prepare(site) } else { None } }
    }

    #[inline(never)]
    fn started(site: &'static CallSite) -> Self {
        let mut open = OpenSpan::prepare(site);
        if let Some(open) = &mut open {
            open.begin();
        }
        Self { open }
    }

    /// Whether anything is recorded.
    #[inline]
    #[must_use]
    pub fn is_on(&self) -> bool {
        self.open.is_some()
    }

    /// Replaces the name of the call site.
    pub fn set_name(&mut self, name: impl fmt::Display) {
        if let Some(open) = &mut self.open {
            let name = crate::capture::display_text(&name, &open.recorder.limits);
            open.rename(&name);
        }
    }

    /// Writes the arguments, unless they are not to be captured.
    #[inline(never)]
    pub fn write_arguments(&mut self, write: impl FnOnce(&mut Arguments<'_>)) {
        if let Some(open) = &mut self.open
            && open.recorder.policy.takes_input(open.site.kind)
        {
            write(&mut Arguments::begin(open));
        }
    }

    /// Where one metadata value goes.
    pub fn metadata(&mut self, key: &'static str) -> Slot<'_> {
        match &mut self.open {
            Some(open) => Slot::metadata(open, key),
            None => Slot::nowhere(),
        }
    }

    /// Runs the body in the span. A panic is recorded and goes on unchanged.
    #[inline(always)]
    pub fn run<R>(self, body: impl FnOnce() -> R, outcome: impl FnOnce(&R, Outcome<'_>)) -> R {
        match self.open {
            None => body(),
            Some(open) => run_in(open, body, outcome),
        }
    }

    /// Enters the span until the guard is closed or dropped.
    #[inline]
    #[must_use]
    pub fn enter(self) -> CallGuard {
        let mut open = self.open;
        let token = open.as_mut().and_then(|open| {
            open.announce();
            open.enter()
        });
        CallGuard { open, token, unwinding: thread::panicking(), not_send: PhantomData }
    }

    /// The future, with the span around every poll of it.
    #[inline]
    pub fn follow<F, O>(self, future: F, outcome: O) -> Followed<F, O>
    where
        F: Future,
        O: FnOnce(&F::Output, Outcome<'_>),
    {
        Followed::new(self.open, future, outcome)
    }

    /// The stream, with the span around every poll of it; its items are the output.
    #[inline]
    pub fn follow_stream<S, I>(self, stream: S, item: I) -> FollowedStream<S, I>
    where
        S: futures_core::Stream,
        I: FnMut(&S::Item, Slot<'_>),
    {
        FollowedStream::new(self.open, stream, item)
    }

    /// A handle to the span; inert when nothing is recorded.
    pub fn handle(&mut self) -> Span {
        Span::of(self.open.as_mut().and_then(|open| open.shared()))
    }
}

#[inline(never)]
fn run_in<R>(mut open: Box<OpenSpan>, body: impl FnOnce() -> R, outcome: impl FnOnce(&R, Outcome<'_>)) -> R {
    open.announce();
    let token = open.enter();
    let result = catch_unwind(AssertUnwindSafe(body));
    open.leave(token);
    match result {
        Ok(value) => {
            outcome(&value, Outcome::of(&mut open));
            open.close();
            value
        }
        Err(payload) => {
            open.panicked(&*payload);
            open.close();
            resume_unwind(payload)
        }
    }
}

/// Writes the arguments of a call as one JSON object.
pub struct Arguments<'a> {
    open: &'a mut OpenSpan,
    begun: crate::record::Begun,
    any: bool,
}

impl<'a> Arguments<'a> {
    fn begin(open: &'a mut OpenSpan) -> Self {
        let begun = open.log.begin_arguments();
        open.log.payload().push(b'{');
        Self { open, begun, any: false }
    }

    /// Where the next argument goes.
    #[inline]
    pub fn slot(&mut self, name: &'static str) -> Slot<'_> {
        Slot::argument(self.open, name, &mut self.any)
    }
}

impl Drop for Arguments<'_> {
    #[inline]
    fn drop(&mut self) {
        self.open.log.payload().push(b'}');
        self.open.log.end(self.begun);
    }
}

/// A span entered by plain code, on one thread.
pub struct CallGuard {
    open: Option<Box<OpenSpan>>,
    token: Option<Token>,
    /// Whether a panic was under way when the span began, as in a destructor.
    unwinding: bool,
    not_send: PhantomData<*const ()>,
}

impl CallGuard {
    /// Ends the span with the value that its code gave.
    #[inline]
    pub fn close<R>(mut self, value: &R, outcome: impl FnOnce(&R, Outcome<'_>)) {
        if let Some(mut open) = self.open.take() {
            open.leave(self.token.take());
            outcome(value, Outcome::of(&mut open));
            open.close();
        }
    }
}

impl Drop for CallGuard {
    fn drop(&mut self) {
        let Some(mut open) = self.open.take() else { return };
        open.leave(self.token.take());
        if thread::panicking() && !self.unwinding {
            open.failed("panic", Some("panicked"));
        }
        open.close();
    }
}
