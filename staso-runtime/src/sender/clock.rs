use std::{thread, time::Duration};

use crossbeam_channel::{Receiver, RecvTimeoutError};

use crate::record::clock::{Clock, Tick};

/// Why a wait ended.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Waiting {
    /// Somebody woke the sender.
    Woken,
    /// The time came.
    Over,
}

impl Clock {
    /// Waits for a wake-up, until a moment of the monotonic hand.
    pub(super) fn wait_until(&self, moment: Tick, wake: &Receiver<()>) -> Waiting {
        let wait: Duration = moment.since(self.tick());
        match self {
            Self::System { .. } => match wake.recv_timeout(wait) {
                Err(RecvTimeoutError::Timeout) => Waiting::Over,
                Ok(()) | Err(RecvTimeoutError::Disconnected) => Waiting::Woken,
            },
            Self::Injected(hands) => hands.wait(wait, wake),
        }
    }

    /// Lets other threads go on.
    pub(super) fn yield_now(&self) {
        match self {
            Self::System { .. } => thread::yield_now(),
            Self::Injected(hands) => hands.yield_now(),
        }
    }
}
