use std::{
    io::{self, IsTerminal as _, Stderr, Write},
    time::Duration,
};

use tokio::time::{MissedTickBehavior, interval};

use crate::web::format;

/// One line on standard error that tells a person how far it is, and goes away in the end.
pub(super) struct Progress<W: Write = Stderr> {
    out: W,
    is_watched: bool,
    is_shown: bool,
    next: u64,
}

const STEP: u64 = 1_000;
const TICK: Duration = Duration::from_secs(1);

impl Progress {
    pub(super) fn new() -> Self {
        Self::to(io::stderr(), io::stderr().is_terminal())
    }
}

impl<W: Write> Progress<W> {
    fn to(out: W, is_watched: bool) -> Self {
        Self { out, is_watched, is_shown: false, next: STEP }
    }

    /// Says how many are done, now and then.
    pub(super) fn count(&mut self, done: u64, what: &str) {
        if done >= self.next {
            self.next = done + STEP;
            self.show(&format!("{} {what}", format::count(done)));
        }
    }

    /// Says how many of how many are done.
    pub(super) fn share(&mut self, done: u64, of: u64, what: &str) {
        self.show(&format!("{} of {} {what}", format::count(done), format::count(of)));
    }

    /// Says for how long something goes on.
    pub(super) async fn wait<T>(&mut self, what: &str, work: impl Future<Output = T>) -> T {
        let mut work = std::pin::pin!(work);
        let mut ticks = interval(TICK);
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
            let _ = write!(self.out, "\r\u{1b}[K{text}");
        }
    }

    /// Takes the line away.
    pub(super) fn clear(&mut self) {
        if std::mem::take(&mut self.is_shown) {
            let _ = write!(self.out, "\r\u{1b}[K");
        }
    }
}

impl<W: Write> Drop for Progress<W> {
    fn drop(&mut self) {
        self.clear();
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn every_thousand_is_told_in_one_line_that_goes_away() {
        let mut written = Vec::new();
        let mut progress = Progress::to(&mut written, true);
        (1..=2_500).for_each(|done| progress.count(done, "traces"));
        drop(progress);
        let lines = "\r\u{1b}[K1,000 traces\r\u{1b}[K2,000 traces\r\u{1b}[K";
        assert_eq!(String::from_utf8(written).unwrap(), lines);
    }

    #[test]
    fn nothing_is_told_where_nobody_watches() {
        let mut written = Vec::new();
        Progress::to(&mut written, false).count(5_000, "traces");
        assert!(written.is_empty());
    }

    #[test]
    fn a_share_is_told_as_it_grows() {
        let mut written = Vec::new();
        Progress::to(&mut written, true).share(1_500, 20_000, "traces");
        assert_eq!(String::from_utf8(written).unwrap(), "\r\u{1b}[K1,500 of 20,000 traces\r\u{1b}[K");
    }

    #[tokio::test(start_paused = true)]
    async fn who_waits_hears_for_how_long() {
        let mut written = Vec::new();
        let work = tokio::time::sleep(Duration::from_millis(2_500));
        Progress::to(&mut written, true).wait("Deleting", work).await;
        let lines = "\r\u{1b}[KDeleting, 1 s\r\u{1b}[KDeleting, 2 s\r\u{1b}[K";
        assert_eq!(String::from_utf8(written).unwrap(), lines);
    }
}
