use crossbeam_channel::Sender;

use super::Asked;
use crate::record::clock::Tick;

/// What a caller waits for. It is answered by dropping it.
#[derive(Debug)]
pub(super) struct Request {
    pub(super) asked: Asked,
    /// How long its caller waits.
    pub(super) deadline: Tick,
    _answer: Sender<()>,
}

impl Request {
    pub(super) fn new(asked: Asked, deadline: Tick, answer: Sender<()>) -> Self {
        Self { asked, deadline, _answer: answer }
    }
}

/// Until when a sender that is to stop may go on: as long as anybody waits. `None` for one that is not
/// to stop.
pub(super) fn stops_at(waiting: &[Request]) -> Option<Tick> {
    let stops = waiting.iter().any(|request| request.asked == Asked::Shutdown);
    waiting.iter().map(|request| request.deadline).max().filter(|_| stops)
}
