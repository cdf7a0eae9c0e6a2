//! Records for tests, made without a client.

use std::{
    num::{NonZeroU64, NonZeroU128},
    sync::{Arc, OnceLock},
    time::Duration,
};

use crate::{
    capture::Policy,
    record::{
        CallSite, Conversation, Entry, EntryBuf, Finished, Resource, SpanId, SpanKind, SpanRecord, TraceId,
        clock::WallTime,
    },
};

/// A span that is being described: number 1 of trace 1, a root, unless said otherwise.
pub(crate) struct Draft {
    finished: Finished,
    log: EntryBuf,
}

pub(crate) fn agent(name: &str) -> Draft {
    Draft::new(name, SpanKind::Agent)
}

pub(crate) fn tool(name: &str) -> Draft {
    Draft::new(name, SpanKind::Tool)
}

impl Draft {
    pub(crate) fn new(name: &str, kind: SpanKind) -> Self {
        let site = CallSite::function("", kind, "");
        let finished = Finished {
            site: Box::leak(Box::new(site)),
            trace_id: trace_id(1),
            span_id: span_id(1),
            parent: None,
            started: WallTime(0),
            duration: Duration::from_millis(1).into(),
            agent: None,
            conversation: None,
            log: Box::default(),
            provisional: false,
            remote_parent: false,
            announced: false,
        };
        let mut log = EntryBuf::default();
        log.push(&Entry::Name(name));
        Self { finished, log }
    }

    pub(crate) fn id(mut self, id: u64) -> Self {
        self.finished.span_id = span_id(id);
        self
    }

    pub(crate) fn parent(mut self, id: u64) -> Self {
        self.finished.parent = Some(span_id(id));
        self
    }

    pub(crate) fn trace(mut self, id: u128) -> Self {
        self.finished.trace_id = trace_id(id);
        self
    }

    /// Milliseconds after the trace began.
    pub(crate) fn at(mut self, millis: u64) -> Self {
        self.finished.started = WallTime(millis * 1_000_000);
        self
    }

    pub(crate) fn lasting(mut self, duration: Duration) -> Self {
        self.finished.duration = duration.into();
        self
    }

    pub(crate) fn conversation(mut self, id: &str, user: &str) -> Self {
        let conversation = Conversation { id: id.into(), user_id: Some(user.into()) };
        self.finished.conversation = Some(Arc::new(conversation));
        self
    }

    pub(crate) fn provisional(mut self) -> Self {
        self.finished.provisional = true;
        self.finished.duration = Duration::ZERO.into();
        self
    }

    pub(crate) fn with(mut self, entry: Entry<'_>) -> Self {
        self.log.push(&entry);
        self
    }

    pub(crate) fn failing(self, type_name: &str, message: &str) -> Self {
        self.with(Entry::Error { type_name, message: Some(message) })
    }

    pub(crate) fn record(self) -> SpanRecord {
        let resource = Resource {
            agent_name: "support-bot".to_owned(),
            agent_version: String::new(),
            environment: "default".to_owned(),
            workspace: "default".to_owned(),
            session_id: "process-wide".to_owned(),
            git: OnceLock::new(),
        };
        let finished = Finished { log: self.log.as_bytes().into(), ..self.finished };
        SpanRecord::new(finished, Arc::new(resource), Policy::default())
    }
}

pub(crate) fn trace_id(id: u128) -> TraceId {
    TraceId::new(NonZeroU128::new(id).expect("trace ids are not zero"))
}

fn span_id(id: u64) -> SpanId {
    SpanId::new(NonZeroU64::new(id).expect("span ids are not zero"))
}
