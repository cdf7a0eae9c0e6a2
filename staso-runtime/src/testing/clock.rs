use std::{
    sync::{Arc, Condvar, Mutex, MutexGuard, PoisonError},
    time::Duration,
};

use crossbeam_channel::{Receiver, Sender, select, unbounded};

use crate::{
    record::clock::{Clock, Hands},
    sender::Waiting,
};

/// A clock for tests that only moves when told to; give it to
/// [`Builder::clock`](crate::Builder::clock).
///
/// The monotonic hand, which durations and waits follow, and the wall clock, which timestamps follow,
/// move apart. The sender waits on this clock, so that a test knows when it waits and for how long.
///
/// ```
/// use std::time::Duration;
/// use staso::testing::ManualClock;
///
/// let clock = ManualClock::new();
/// clock.advance(Duration::from_secs(1));
/// ```
#[derive(Clone, Debug)]
pub struct ManualClock {
    inner: Arc<Inner>,
}

#[derive(Debug)]
struct Inner {
    state: Mutex<State>,
    changed: Condvar,
    moved: (Sender<()>, Receiver<()>),
}

#[derive(Debug)]
struct State {
    monotonic: Duration,
    wall: Duration,
    waits: Vec<Duration>,
    is_waiting: bool,
}

/// 2026-01-01T00:00:00Z.
const START: Duration = Duration::from_secs(1_767_225_600);

/// A test that waits longer than this for the sender has found a fault.
const WATCHDOG: Duration = Duration::from_secs(30);

impl Default for ManualClock {
    fn default() -> Self {
        Self::new()
    }
}

impl ManualClock {
    /// A clock that stands at the beginning of 2026.
    #[must_use]
    pub fn new() -> Self {
        let state = State { monotonic: Duration::ZERO, wall: START, waits: Vec::new(), is_waiting: false };
        let inner = Inner { state: Mutex::new(state), changed: Condvar::new(), moved: unbounded() };
        Self { inner: Arc::new(inner) }
    }

    /// Moves both hands forward.
    pub fn advance(&self, by: Duration) {
        {
            let mut state = self.state();
            state.monotonic += by;
            state.wall += by;
        }
        let _ = self.inner.moved.0.send(());
    }

    /// Sets the wall clock alone, to a time since 1970, as a correction from outside would.
    pub fn set_wall(&self, since_epoch: Duration) {
        self.state().wall = since_epoch;
    }

    /// The waits that the sender has begun so far, each as long as it was meant to be.
    #[must_use]
    pub fn waits(&self) -> Vec<Duration> {
        self.state().waits.clone()
    }

    /// Blocks until the sender has begun its wait number `count`, counted from one, and sits in it or is
    /// past it; gives how long that wait is meant to be.
    ///
    /// # Panics
    ///
    /// When that takes half a minute.
    #[must_use]
    #[expect(clippy::panic, reason = "a test that waits in vain has failed")]
    pub fn wait_for_wait(&self, count: usize) -> Duration {
        let state = self.state();
        let not_yet = |state: &mut State| {
            state.waits.len() < count || (state.waits.len() == count && !state.is_waiting)
        };
        let (state, result) = self
            .inner
            .changed
            .wait_timeout_while(state, WATCHDOG, not_yet)
            .unwrap_or_else(PoisonError::into_inner);
        let waits = state.waits.clone();
        drop(state);
        match waits.get(count.saturating_sub(1)) {
            Some(wait) if !result.timed_out() => *wait,
            _ => panic!("the sender did not begin wait {count}; it began {waits:?}"),
        }
    }

    pub(crate) fn clock(self) -> Clock {
        Clock::Injected(Arc::new(self))
    }

    fn state(&self) -> MutexGuard<'_, State> {
        self.inner.state.lock().unwrap_or_else(PoisonError::into_inner)
    }

    fn set_waiting(&self, waiting: Option<Duration>) {
        let mut state = self.state();
        state.is_waiting = waiting.is_some();
        state.waits.extend(waiting);
        drop(state);
        self.inner.changed.notify_all();
    }
}

impl Hands for ManualClock {
    fn monotonic(&self) -> Duration {
        self.state().monotonic
    }

    fn since_epoch(&self) -> Duration {
        self.state().wall
    }

    fn wait(&self, wait: Duration, wake: &Receiver<()>) -> Waiting {
        let until = self.monotonic() + wait;
        self.set_waiting(Some(wait));
        let ended = loop {
            if self.monotonic() >= until {
                break Waiting::Over;
            }
            select! {
                recv(wake) -> _ => break Waiting::Woken,
                recv(self.inner.moved.1) -> _ => {}
            }
        };
        self.set_waiting(None);
        ended
    }
}
