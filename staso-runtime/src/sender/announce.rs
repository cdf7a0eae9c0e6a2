use std::sync::Arc;

use crate::{
    record::Finished,
    recorder::Intake,
    span::{Look, RootSlot},
};

/// The roots that run, as far as the sender knows them.
#[derive(Default)]
pub(super) struct OpenRoots {
    slots: Vec<Arc<RootSlot>>,
}

impl OpenRoots {
    /// Announcements of the roots that run and were not announced yet.
    pub(super) fn announcements(&mut self, intake: &Intake) -> Vec<Finished> {
        while let Some(slot) = intake.roots.pop() {
            self.slots.push(slot);
        }
        let mut announcements = Vec::new();
        self.slots.retain(|slot| match slot.look() {
            Look::Nothing => true,
            Look::Gone => false,
            Look::Announce(root) => {
                announcements.push(root);
                true
            }
        });
        announcements
    }
}
