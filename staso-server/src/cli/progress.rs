use std::{
    io::{self, IsTerminal as _, Write as _},
    time::Duration,
};

use tokio::time::{MissedTickBehavior, interval};

use crate::web::format;

/// One line on standard error that tells a person how far it is, and goes away in the end.
pub(super) struct Progress {
    is_watched: bool,
    is_shown: bool,
    next: u64,
}

impl Progress {
    const STEP: u64 = 1_000;
    const TICK: Duration = Duration::from_secs(1);

    pub(super) fn new() -> Self {
        Self { is_watched: io::stderr().is_terminal(), is_shown: false, next: Self::STEP }
    }

    /// Says how many are done, now and then.
    pub(super) fn count(&mut self, done: u64, what: &str) {
        if done >= self.next {
            self.next = done + Self::STEP;
            self.show(&format!("{} {what}", format::count(done)));
        }
    }

    /// Says for how long something goes on.
    pub(super) async fn wait<T>(&mut self, what: &str, work: impl Future<Output = T>) -> T {
        let mut work = std::pin::pin!(work);
        let mut ticks = interval(Self::TICK);
        ticks.set_missed_tick_behavior(MissedTickBehavior::Skip);
        let mut seconds = 0_u64;
        // The first tick comes at once.
        ticks.tick().await;
        loop {
            tokio::select! {
                done = &mut work => return done,
                _ = ticks.tick() => seconds += 1,
            }
            self.show(&format!("{what}, {seconds} s"));
        }
    }

    fn show(&mut self, text: &str) {
        if self.is_watched {
            self.is_shown = true;
            let _ = write!(io::stderr(), "\r\u{1b}[K{text}");
        }
    }

    /// Takes the line away.
    pub(super) fn clear(&mut self) {
        if std::mem::take(&mut self.is_shown) {
            let _ = write!(io::stderr(), "\r\u{1b}[K");
        }
    }
}

impl Drop for Progress {
    fn drop(&mut self) {
        self.clear();
    }
}
