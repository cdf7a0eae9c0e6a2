use std::{
    fmt,
    marker::PhantomData,
    panic::{AssertUnwindSafe, catch_unwind, resume_unwind},
    thread,
};

use super::{Ending, Followed, OpenSpan, Span};
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

    /// Runs the body in the span, which ends with it. A panic is recorded and goes on unchanged.
    #[inline(always)]
    pub fn run<R>(self, body: impl FnOnce() -> R, outcome: impl FnOnce(&R, Outcome<'_>)) -> R {
        match self.open {
            None => body(),
            Some(open) => run_in(open, body, |value, ending| ending.with(value, outcome)),
        }
    }

    /// Runs the body in the span. What the body returned says when that ends.
    #[inline(always)]
    pub fn run_on<R>(self, body: impl FnOnce() -> R, end: impl FnOnce(R, Ending<'_>) -> R) -> R {
        match self.open {
            None => body(),
            Some(open) => run_in(open, body, end),
        }
    }

    /// As [`run_on`](Self::run_on), for a future or stream that gets another type on its way.
    #[inline(always)]
    pub fn run_into<R, P>(self, body: impl FnOnce() -> R, end: impl FnOnce(R, Ending<'_>) -> P) -> P {
        match self.open {
            None => end(body(), Ending::of(None)),
            Some(open) => run_in(open, body, end),
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
        CallGuard { open, token, unwinding: thread::panicking(), gives_closure: false, not_send: PhantomData }
    }

    /// As [`enter`](Self::enter), for a body whose value is a closure and not seen here.
    #[inline]
    #[must_use]
    pub fn enter_for_closure(self) -> CallGuard {
        let mut guard = self.enter();
        guard.gives_closure = true;
        guard
    }

    /// The future, with the span around every poll of it.
    #[inline]
    pub fn follow<F, K, R>(self, future: F, end: K) -> Followed<F, K>
    where
        F: Future,
        K: FnMut(F::Output, Ending<'_>) -> R,
    {
        Followed::new(self.open, future, end)
    }

    /// As [`follow`](Self::follow), for a future that a call returns: the span has begun already.
    pub fn promise<F, K, R>(mut self, future: F, end: K) -> Followed<F, K>
    where
        F: Future,
        K: FnMut(F::Output, Ending<'_>) -> R,
    {
        if let Some(open) = &mut self.open {
            open.ensure_running();
        }
        self.follow(future, end)
    }

    /// A handle to the span; inert when nothing is recorded.
    pub fn handle(&mut self) -> Span {
        Span::of(self.open.as_mut().and_then(|open| open.shared()))
    }
}

#[inline(never)]
fn run_in<R, P>(
    mut open: Box<OpenSpan>,
    body: impl FnOnce() -> R,
    end: impl FnOnce(R, Ending<'_>) -> P,
) -> P {
    open.announce();
    let token = open.enter();
    let result = catch_unwind(AssertUnwindSafe(body));
    open.leave(token);
    match result {
        Ok(value) => end(value, Ending::of(Some(open))),
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
    gives_closure: bool,
    not_send: PhantomData<*const ()>,
}

impl CallGuard {
    /// Leaves the span, whose code has returned.
    #[inline]
    #[must_use]
    pub fn leave(mut self) -> Ending<'static> {
        let mut open = self.open.take();
        if let Some(open) = &mut open {
            open.leave(self.token.take());
        }
        Ending::of(open)
    }

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
        } else if self.gives_closure {
            // As the name of its type would be.
            Slot::result(&mut open).display("<{{closure}}>");
        }
        open.close();
    }
}
