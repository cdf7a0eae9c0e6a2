use std::{collections::HashMap, sync::Arc};

use crate::{
    record::{Finished, SpanId, clock::Tick},
    recorder::Intake,
    span::{Found, OpenSlot, Shared},
};

/// The slots of spans that run, or may run again.
#[derive(Default)]
pub(super) struct OpenSlots {
    slots: Vec<Arc<OpenSlot>>,
    /// So many are looked through before those go that nobody uses any more.
    most: usize,
}

const FEW: usize = 64;

impl OpenSlots {
    /// Takes in new ones.
    pub(super) fn gather(&mut self, intake: &Intake) {
        while let Some(slot) = intake.open_slots.pop() {
            self.slots.push(slot);
        }
        if self.slots.len() > self.most.max(FEW) {
            // Those whose thread has ended.
            self.slots.retain(|slot| Arc::strong_count(slot) > 1);
            self.most = self.slots.len() * 2;
        }
    }

    /// The spans that run, as far as they got, which are the sender's from now on; and handles to roots,
    /// which show themselves elsewhere.
    pub(super) fn take(&mut self, now: Tick) -> (Vec<Finished>, HashMap<SpanId, Arc<Shared>>) {
        let (mut spans, mut handles) = (Vec::new(), HashMap::new());
        for slot in self.slots.drain(..) {
            match slot.take(now) {
                Found::Span(span) => spans.push(span),
                Found::Handle(handle) => _ = handles.insert(handle.span_id, handle),
                Found::Nothing => {}
            }
        }
        (spans, handles)
    }
}
