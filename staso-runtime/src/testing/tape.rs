use std::{
    collections::HashMap,
    mem,
    sync::{Arc, Mutex, MutexGuard, PoisonError},
};

use crate::{
    capture::Policy,
    record::{Finished, Resource, SpanId, SpanRecord},
};

/// Keeps the spans of one capture, in the order in which they started.
#[derive(Debug, Default)]
pub(crate) struct Tape {
    kept: Mutex<Kept>,
}

#[derive(Debug, Default)]
struct Kept {
    /// `None` for a span that was discarded.
    spans: Vec<Option<Taped>>,
    places: HashMap<SpanId, usize>,
}

#[derive(Debug)]
struct Taped {
    span: Finished,
    has_ended: bool,
}

impl Tape {
    pub(crate) fn started(&self, span: Finished) {
        let mut kept = self.kept();
        let place = kept.spans.len();
        kept.places.insert(span.span_id, place);
        kept.spans.push(Some(Taped { span, has_ended: false }));
    }

    pub(crate) fn ended(&self, span: Finished) {
        self.replace(span.span_id, Some(Taped { span, has_ended: true }));
    }

    pub(crate) fn discarded(&self, span_id: SpanId) {
        self.replace(span_id, None);
    }

    /// What was kept, each with whether it has ended. Spans that end later are not kept.
    pub(super) fn stop(&self, resource: &Arc<Resource>, policy: Policy) -> Vec<(SpanRecord, bool)> {
        let Kept { spans, .. } = mem::take(&mut *self.kept());
        let record =
            |taped: Taped| (SpanRecord::new(taped.span, Arc::clone(resource), policy), taped.has_ended);
        spans.into_iter().flatten().map(record).collect()
    }

    fn replace(&self, span_id: SpanId, taped: Option<Taped>) {
        let mut kept = self.kept();
        let Some(place) = kept.places.get(&span_id).copied() else { return };
        if let Some(kept) = kept.spans.get_mut(place) {
            *kept = taped;
        }
    }

    fn kept(&self) -> MutexGuard<'_, Kept> {
        self.kept.lock().unwrap_or_else(PoisonError::into_inner)
    }
}
