use std::sync::Arc;

use crate::queue::Item;

use super::{
    CallSite, Conversation, Entry, EntryBuf, Name, SpanId, TraceId,
    clock::{Nanos, WallTime},
    short::SHORT,
};

/// A span as it crosses the queue: as small as it can be, and not yet interpreted.
#[derive(Debug)]
pub(crate) struct Finished {
    pub(crate) site: &'static CallSite,
    pub(crate) trace_id: TraceId,
    pub(crate) span_id: SpanId,
    pub(crate) parent: Option<SpanId>,
    pub(crate) started: WallTime,
    pub(crate) duration: Nanos,
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
        let agent = self.agent.as_ref().map_or(0, Name::held);
        let conversation = self.conversation.as_ref().map_or(0, |conversation| conversation.held());
        (size_of::<Self>() + self.log.len() + agent + conversation) as u64
    }
}

impl Finished {
    /// Cuts what a program was compiled with as what it makes up at run time was when it was recorded.
    pub(super) fn cut(mut self) -> Self {
        let site = self.site;
        if let Some(Name::Static(agent)) = self.agent
            && agent.len() > SHORT
        {
            self.agent = Some(Name::shared(agent));
        }
        if site.name.len() > SHORT || site.tags.iter().any(|tag| tag.len() > SHORT) {
            let mut log = EntryBuf::default();
            log.push(&Entry::Name(site.name));
            for tag in site.tags.iter().filter(|tag| tag.len() > SHORT) {
                log.push(&Entry::Label(tag));
            }
            // In front: what was set while it ran wins.
            log.extend(&self.log);
            self.log = log.as_bytes().into();
        }
        self
    }
}
