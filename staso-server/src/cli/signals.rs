use std::io;

use tokio::{
    signal::unix::{SignalKind, signal},
    sync::watch,
};

/// A signal that asks the process to end.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) struct Signal(i32);

impl Signal {
    /// What a shell calls the end by this signal.
    pub(super) fn exit_code(self) -> u8 {
        u8::try_from(128 + self.0).unwrap_or(u8::MAX)
    }

    /// Whether it is what a terminal sends for Ctrl-C.
    pub(super) fn is_interrupt(self) -> bool {
        self.0 == SignalKind::interrupt().as_raw_value()
    }

    pub(super) fn as_raw(self) -> i32 {
        self.0
    }
}

/// The signals that asked the process to end, so far.
#[derive(Clone, Debug)]
pub(super) struct Signals(watch::Receiver<Vec<Signal>>);

impl Signals {
    /// Takes interrupt, termination and hang-up from now on.
    ///
    /// # Errors
    ///
    /// When the system refuses.
    pub(super) fn listen() -> io::Result<Self> {
        let (seen, signals) = watch::channel(Vec::new());
        for kind in [SignalKind::interrupt(), SignalKind::terminate(), SignalKind::hangup()] {
            let (mut stream, seen) = (signal(kind)?, seen.clone());
            tokio::spawn(async move {
                while stream.recv().await.is_some() {
                    seen.send_modify(|seen| seen.push(Signal(kind.as_raw_value())));
                }
            });
        }
        Ok(Self(signals))
    }

    /// The first: what is under way may finish.
    pub(super) async fn first(&self) -> Signal {
        self.nth(0).await
    }

    /// The second: nothing may be waited for.
    pub(super) async fn second(&self) -> Signal {
        self.nth(1).await
    }

    async fn nth(&self, index: usize) -> Signal {
        let mut signals = self.0.clone();
        let seen = signals.wait_for(|seen| seen.len() > index).await.ok();
        match seen.and_then(|seen| seen.get(index).copied()) {
            Some(signal) => signal,
            // Nobody listens any more: the runtime ends.
            None => std::future::pending().await,
        }
    }
}
