use std::sync::{Arc, Mutex, MutexGuard, PoisonError};

use crate::{
    capture::Policy,
    record::{Finished, Resource, SpanId, SpanRecord},
};

/// Keeps the spans of one capture, in the order in which they started.
#[derive(Debug, Default)]
pub(crate) struct Tape {
    spans: Mutex<Vec<Taped>>,
}

#[derive(Debug)]
struct Taped {
    span: Finished,
    has_ended: bool,
}

impl Tape {
    pub(crate) fn started(&self, span: Finished) {
        self.spans().push(Taped { span, has_ended: false });
    }

    pub(crate) fn ended(&self, span: Finished) {
        let mut spans = self.spans();
        let taped = spans.iter_mut().find(|taped| taped.span.span_id == span.span_id);
        if let Some(taped) = taped {
            *taped = Taped { span, has_ended: true };
        }
    }

    pub(crate) fn discarded(&self, span_id: SpanId) {
        self.spans().retain(|taped| taped.span.span_id != span_id);
    }

    /// What was kept, each with whether it has ended.
    pub(super) fn stop(&self, resource: &Arc<Resource>, policy: Policy) -> Vec<(SpanRecord, bool)> {
        let spans = std::mem::take(&mut *self.spans());
        spans
            .into_iter()
            .map(|taped| (SpanRecord::new(taped.span, Arc::clone(resource), policy), taped.has_ended))
            .collect()
    }

    fn spans(&self) -> MutexGuard<'_, Vec<Taped>> {
        self.spans.lock().unwrap_or_else(PoisonError::into_inner)
    }
}
