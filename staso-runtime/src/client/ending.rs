use std::sync::{Mutex, MutexGuard, PoisonError};

use crate::report::DeliveryReport;

/// How far the end of a client has come, and who waits for its sender.
///
/// All who wait while it stops wait for one end. Whoever runs out of time leaves, and only
/// the last one cuts short what the sender does: a short wait takes nothing from a longer one.
#[derive(Debug, Default)]
pub(super) struct Ending(Mutex<State>);

#[derive(Debug, Default)]
struct State {
    phase: Phase,
    waiting: usize,
}

#[derive(Clone, Copy, Debug, Default)]
enum Phase {
    #[default]
    Running,
    /// Somebody called for the end.
    Stopping,
    Over(DeliveryReport),
}

/// Somebody who waits for the sender, counted until this is dropped.
#[derive(Debug)]
pub(super) struct Wait<'a> {
    ending: &'a Ending,
    /// Whether it waits for the end, which it asked for or found under way.
    for_end: bool,
    has_left: bool,
}

impl Ending {
    /// Joins those who wait. `None` once it is over.
    pub(super) fn join(&self, stop: bool) -> Option<Wait<'_>> {
        let mut state = self.lock();
        match state.phase {
            Phase::Over(_) => return None,
            Phase::Running if stop => state.phase = Phase::Stopping,
            _ => {}
        }
        state.waiting += 1;
        Some(Wait { ending: self, for_end: matches!(state.phase, Phase::Stopping), has_left: false })
    }

    /// The report that the end was given.
    pub(super) fn report(&self) -> Option<DeliveryReport> {
        match self.lock().phase {
            Phase::Over(report) => Some(report),
            Phase::Running | Phase::Stopping => None,
        }
    }

    #[cfg(test)]
    pub(super) fn waiting(&self) -> usize {
        self.lock().waiting
    }

    fn lock(&self) -> MutexGuard<'_, State> {
        self.0.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

impl Wait<'_> {
    pub(super) fn is_for_end(&self) -> bool {
        self.for_end
    }

    /// Leaves without having seen the end. Whether the client stops and nobody else waits for it: of those
    /// who leave together one is the last. Somebody may still join, and sees the end.
    pub(super) fn leave(&mut self) -> bool {
        let mut state = self.ending.lock();
        self.has_left = true;
        state.waiting -= 1;
        state.waiting == 0 && matches!(state.phase, Phase::Stopping)
    }

    /// It is over: everybody gets the report of the first who sees it.
    pub(super) fn over(self, report: impl FnOnce() -> DeliveryReport) -> DeliveryReport {
        let mut state = self.ending.lock();
        if let Phase::Over(report) = state.phase {
            return report;
        }
        let report = report();
        state.phase = Phase::Over(report);
        report
    }
}

impl Drop for Wait<'_> {
    fn drop(&mut self) {
        if !self.has_left {
            self.ending.lock().waiting -= 1;
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn of_those_who_leave_together_one_is_the_last() {
        let ending = Ending::default();
        let mut first = ending.join(true).expect("it runs");
        let mut second = ending.join(false).expect("it stops");
        assert_eq!([first.leave(), second.leave()], [false, true], "neither was dropped yet");
        drop((first, second));
        assert_eq!(ending.waiting(), 0);
    }
}
