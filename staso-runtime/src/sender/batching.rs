use std::sync::Arc;

use crate::{
    capture::Policy,
    queue::{Item as _, Load, Queue},
    record::{Finished, Resource, SpanRecord},
};

/// Takes spans out of the queue in portions that fit one request.
#[derive(Debug)]
pub(super) struct Portions {
    most: Load,
    /// A span that did not fit the last portion.
    carried: Option<Finished>,
    /// How many spans have ever been taken.
    taken: u64,
}

/// Spans for one request, and what they cost the queue.
#[derive(Debug, Default)]
pub(super) struct Portion {
    pub(super) spans: Vec<Finished>,
    pub(super) load: Load,
}

impl Portions {
    pub(super) fn new(most: Load) -> Self {
        Self { most, carried: None, taken: 0 }
    }

    pub(super) fn taken(&self) -> u64 {
        self.taken
    }

    /// Up to a batch. A span that is larger than a batch goes alone.
    pub(super) fn take(&mut self, queue: &Queue<Finished>) -> Portion {
        let mut portion = Portion::default();
        while portion.load.spans < self.most.spans {
            let Some(span) = self.carried.take().or_else(|| queue.pop()) else { break };
            let bytes = portion.load.bytes + span.size();
            if bytes > self.most.bytes && portion.load.spans > 0 {
                self.carried = Some(span);
                break;
            }
            portion.load = Load { spans: portion.load.spans + 1, bytes };
            portion.spans.push(span);
        }
        self.taken += portion.load.spans;
        portion
    }
}

/// Puts announcements and ended spans of one batch together: an announcement whose root has ended since
/// gives way to it, and a root that was not announced before goes where its announcement would have been.
pub(super) fn coalesce(
    announcements: Vec<Finished>,
    ended: Vec<Finished>,
    resource: &Arc<Resource>,
    policy: Policy,
) -> Vec<SpanRecord> {
    let mut ended = ended;
    let mut records = Vec::with_capacity(announcements.len() + ended.len());
    for root in announcements {
        match ended.iter_mut().find(|span| span.span_id == root.span_id && span.trace_id == root.trace_id) {
            // The announcement was never sent, so its place is the root's.
            Some(span) => span.announced = false,
            None => records.push(root),
        }
    }
    records.append(&mut ended);
    let mut records: Vec<SpanRecord> =
        records.into_iter().map(|finished| SpanRecord::new(finished, Arc::clone(resource), policy)).collect();
    records.sort_by_key(|record| !record.goes_first());
    records
}
