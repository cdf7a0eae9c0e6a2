use std::{collections::HashMap, sync::Arc, time::Duration};

use super::retry::CoolDown;
use crate::{
    export::{ExportError, Retry},
    queue::{Item as _, Load},
    record::{Finished, SpanId, clock::Tick},
    recorder::Intake,
    span::{Look, RootSlot, Shared},
};

/// The roots that run, as far as the sender knows them.
///
/// A root is announced in requests that hold announcements alone, so that their fate is not that of spans
/// that ended. It counts as announced once its request was acknowledged: until then every round tries it
/// again, and a root that ends before costs one record.
#[derive(Default)]
pub(super) struct OpenRoots {
    slots: Vec<Arc<RootSlot>>,
    /// Where the round goes on.
    next: usize,
    on_their_way: HashMap<SpanId, Arc<RootSlot>>,
    last_round: Tick,
    /// No round begins before: the backend asked for a wait.
    put_off: Option<Tick>,
    /// Of announcements alone: spans that end meanwhile are sent when they are due.
    cool_down: CoolDown,
}

impl OpenRoots {
    /// Whether a round is due on its own, not because somebody flushes.
    pub(super) fn is_due(&self, now: Tick, interval: Duration) -> bool {
        now >= self.last_round.after(interval)
    }

    /// Begins a round. `false` when it is too early for one; a flush does not sit out an outage.
    pub(super) fn begin(&mut self, intake: &Intake, now: Tick, asked: bool) -> bool {
        let is_early = |until: Option<Tick>| until.is_some_and(|until| until > now);
        if is_early(self.put_off) || !asked && is_early(self.cool_down.until(now)) {
            return false;
        }
        self.gather(intake);
        self.slots.retain(|slot| !slot.is_gone());
        self.next = 0;
        self.last_round = now;
        true
    }

    fn gather(&mut self, intake: &Intake) {
        while let Some(slot) = intake.roots.pop() {
            self.slots.push(slot);
        }
    }

    /// The roots that run, as far as they got. They are the sender's from now on.
    pub(super) fn unfinished(
        &mut self,
        intake: &Intake,
        now: Tick,
        handles: &HashMap<SpanId, Arc<Shared>>,
    ) -> Vec<Finished> {
        self.gather(intake);
        self.slots.drain(..).filter_map(|slot| slot.take(now, handles)).collect()
    }

    /// Announcements for one request, of roots that run and were not announced yet. None are left when it
    /// is empty. An announcement that is larger than a request goes alone.
    pub(super) fn take(&mut self, most: Load) -> Vec<Finished> {
        self.on_their_way.clear();
        let mut taken = Vec::new();
        let mut bytes = 0;
        while let Some(slot) = self.slots.get(self.next) {
            if taken.len() as u64 >= most.spans {
                break;
            }
            let room = if taken.is_empty() { u64::MAX } else { most.bytes.saturating_sub(bytes) };
            match slot.look(room) {
                Look::Nothing => {}
                Look::TooLarge => break,
                Look::Announce(root) => {
                    bytes += root.size();
                    self.on_their_way.insert(root.span_id, Arc::clone(slot));
                    taken.push(root);
                }
            }
            self.next += 1;
        }
        taken
    }

    pub(super) fn delivered(&mut self, roots: impl Iterator<Item = SpanId>) {
        self.cool_down.succeeded();
        self.settle(roots);
    }

    /// The next round tries them again where that can help.
    pub(super) fn failed(&mut self, roots: impl Iterator<Item = SpanId>, error: &ExportError, now: Tick) {
        match error.retry_advice() {
            Retry::After(wait) => self.put_off = Some(now.after(wait)),
            Retry::Backoff => self.cool_down.failed(error.kind(), now),
            Retry::Never | Retry::Split => self.settle(roots),
        }
    }

    fn settle(&mut self, roots: impl Iterator<Item = SpanId>) {
        for root in roots {
            if let Some(slot) = self.on_their_way.remove(&root) {
                slot.announced(root);
            }
        }
    }
}
