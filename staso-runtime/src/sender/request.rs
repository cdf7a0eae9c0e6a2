use crossbeam_channel::Sender;

use crate::record::clock::Tick;

/// What a caller waits for. It is answered by dropping it.
#[derive(Debug)]
pub(super) enum Request {
    /// Everything that was accepted before it.
    Flush { answer: Sender<()> },
    /// The same, and the end of the sender.
    Shutdown {
        answer: Sender<()>,
        /// No wait for another attempt goes beyond it.
        deadline: Tick,
    },
}

impl Request {
    /// Says that what was asked for is done.
    pub(super) fn answer(self) {
        let (Self::Flush { answer } | Self::Shutdown { answer, .. }) = self;
        drop(answer);
    }
}
