use std::collections::HashMap;

use crate::{
    queue::Load,
    record::{SpanRecord, TraceId},
};

/// Spans that are sent together, under one idempotency key.
///
/// Every attempt at a batch sees the same key and the same spans.
#[derive(Debug)]
pub struct Batch {
    key: String,
    attempt: u32,
    spans: Vec<SpanRecord>,
}

/// The spans of one batch that belong to one trace.
#[derive(Debug)]
pub struct TraceGroup<'a> {
    trace_id: TraceId,
    spans: Vec<&'a SpanRecord>,
}

impl Batch {
    pub(crate) fn new(key: String, spans: Vec<SpanRecord>) -> Self {
        Self { key, attempt: 1, spans }
    }

    pub(crate) fn with_new_key(spans: Vec<SpanRecord>) -> Self {
        Self::new(uuid::Uuid::new_v4().to_string(), spans)
    }

    /// Its halves, each a batch of its own.
    pub(crate) fn split(mut self) -> [Self; 2] {
        let second = self.spans.split_off(self.spans.len() / 2);
        [Self::with_new_key(self.spans), Self::with_new_key(second)]
    }

    /// What its spans cost the queue.
    pub(crate) fn load(&self) -> Load {
        Load { spans: self.spans.len() as u64, bytes: self.spans.iter().map(SpanRecord::queue_cost).sum() }
    }

    pub(crate) fn next_attempt(&mut self) {
        self.attempt = self.attempt.saturating_add(1);
    }

    /// A UUID that is the same for every attempt: a backend stores a batch once per key.
    #[must_use]
    pub fn idempotency_key(&self) -> &str {
        &self.key
    }

    /// 1 for the first attempt.
    #[must_use]
    pub fn attempt(&self) -> u32 {
        self.attempt
    }

    /// The spans, in the order in which they ended; a root that was not announced before comes before them.
    #[must_use]
    pub fn spans(&self) -> &[SpanRecord] {
        &self.spans
    }

    /// The spans by trace, the trace that began first coming first.
    #[must_use]
    pub fn traces(&self) -> Vec<TraceGroup<'_>> {
        let mut groups: Vec<TraceGroup<'_>> = Vec::new();
        let mut places: HashMap<TraceId, usize> = HashMap::new();
        for span in &self.spans {
            let place = *places.entry(span.trace_id()).or_insert_with(|| {
                groups.push(TraceGroup { trace_id: span.trace_id(), spans: Vec::new() });
                groups.len() - 1
            });
            if let Some(group) = groups.get_mut(place) {
                group.spans.push(span);
            }
        }
        groups.sort_by_key(|group| group.spans.iter().map(|span| span.started()).min());
        groups
    }
}

impl<'a> TraceGroup<'a> {
    /// The trace.
    #[must_use]
    pub fn trace_id(&self) -> TraceId {
        self.trace_id
    }

    /// Its spans in this batch.
    #[must_use]
    pub fn spans(&self) -> &[&'a SpanRecord] {
        &self.spans
    }
}
