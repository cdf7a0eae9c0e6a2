use std::{sync::Arc, time::Duration};

use crate::queue::Item;

use super::{CallSite, Conversation, Name, SpanId, TraceId, clock::WallTime};

/// A span as it crosses the queue: as small as it can be, and not yet interpreted.
#[derive(Debug)]
pub(crate) struct Finished {
    pub(crate) site: &'static CallSite,
    pub(crate) trace_id: TraceId,
    pub(crate) span_id: SpanId,
    pub(crate) parent: Option<SpanId>,
    pub(crate) started: WallTime,
    pub(crate) duration: Duration,
    /// Whether the parent is a span of another process.
    pub(crate) remote_parent: bool,
    /// `None` for the client's own agent.
    pub(crate) agent: Option<Name>,
    /// `None` for the process-wide conversation.
    pub(crate) conversation: Option<Arc<Conversation>>,
    /// An [`EntryBuf`](super::EntryBuf)'s bytes.
    pub(crate) log: Box<[u8]>,
    /// An announcement of a root that still runs.
    pub(crate) provisional: bool,
    /// A root of which an announcement is on its way or sent.
    pub(crate) announced: bool,
}

impl Item for Finished {
    fn size(&self) -> u64 {
        queue_cost(&self.log)
    }
}

/// What a span costs the queue.
pub(super) fn queue_cost(log: &[u8]) -> u64 {
    (size_of::<Finished>() + log.len()) as u64
}
