use std::sync::Arc;

use crate::{
    capture::Policy,
    queue::{Item as _, Load},
    record::{Finished, Resource, SpanRecord},
};

/// Takes spans in portions that fit one request.
#[derive(Debug)]
pub(super) struct Portions {
    most: Load,
    /// A span that did not fit the last portion.
    carried: Option<Finished>,
    /// How many spans have ever been taken.
    taken: u64,
}

impl Portions {
    pub(super) fn new(most: Load) -> Self {
        Self { most, carried: None, taken: 0 }
    }

    pub(super) fn taken(&self) -> u64 {
        self.taken
    }

    /// Up to a batch. A span that is larger than a batch goes alone.
    pub(super) fn take(&mut self, mut next: impl FnMut() -> Option<Finished>) -> Vec<Finished> {
        let mut spans = Vec::new();
        let mut bytes = 0;
        while (spans.len() as u64) < self.most.spans {
            let Some(span) = self.carried.take().or_else(&mut next) else { break };
            bytes += span.size();
            if bytes > self.most.bytes && !spans.is_empty() {
                self.carried = Some(span);
                break;
            }
            spans.push(span);
        }
        self.taken += spans.len() as u64;
        spans
    }
}

/// Spans of one batch as exporters see them: a root that was not announced before comes first, where its
/// announcement would have been.
pub(super) fn records(spans: Vec<Finished>, resource: &Arc<Resource>, policy: Policy) -> Vec<SpanRecord> {
    let mut records: Vec<SpanRecord> =
        spans.into_iter().map(|finished| SpanRecord::new(finished, Arc::clone(resource), policy)).collect();
    records.sort_by_key(|record| !record.goes_first());
    records
}
