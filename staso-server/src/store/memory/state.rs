use std::{
    collections::{BTreeMap, HashMap},
    sync::Arc,
};

use super::trace::{KeptTrace, TraceView};
use crate::model::{
    Annotation, Batch, IncomingTrace, IngestOutcome, KeyRecord, Receipt, Timestamp, TraceId, Workspace,
    WorkspaceId, summarize, supersedes,
};
use crate::store::{MAX_ANNOTATIONS, StoreError};

/// Everything that the store knows.
#[derive(Debug)]
pub(super) struct State {
    pub(super) workspaces: Vec<Workspace>,
    pub(super) keys: Vec<(KeyRecord, [u8; 32])>,
    pub(super) revision: u64,
    receipts: HashMap<(Option<WorkspaceId>, String), ([u8; 32], Receipt)>,
    traces: BTreeMap<(WorkspaceId, TraceId), KeptTrace>,
    /// Without a workspace until a trace with this identifier arrives.
    annotations: Vec<(Option<WorkspaceId>, TraceId, Annotation)>,
    traces_so_far: i64,
}

impl Default for State {
    fn default() -> Self {
        let default =
            Workspace { id: WorkspaceId(1), slug: "default".to_owned(), created_at: Timestamp::default() };
        Self {
            workspaces: vec![default],
            keys: Vec::new(),
            revision: 0,
            receipts: HashMap::new(),
            traces: BTreeMap::new(),
            annotations: Vec::new(),
            traces_so_far: 0,
        }
    }
}

impl State {
    pub(super) fn traces(&self, workspace: WorkspaceId) -> impl Iterator<Item = TraceView<'_>> {
        self.traces.iter().filter(move |((of, _), _)| *of == workspace).filter_map(|((_, id), kept)| {
            Some(TraceView { id, kept, state: summarize(kept.spans.values().map(|(head, _)| head))? })
        })
    }

    pub(super) fn ingest(&mut self, batch: Batch) -> IngestOutcome {
        let key = (batch.sender, batch.idempotency_key);
        if let Some((digest, receipt)) = self.receipts.get(&key) {
            return if *digest == batch.digest {
                IngestOutcome::Repeated(receipt.clone())
            } else {
                IngestOutcome::Conflict
            };
        }
        for trace in batch.traces {
            self.revision += 1;
            self.add(trace, batch.received_at);
        }
        let receipt = Receipt { receipt_id: key.1.clone(), accepted: batch.accepted };
        self.receipts.insert(key, (batch.digest, receipt.clone()));
        IngestOutcome::Stored(receipt)
    }

    fn add(&mut self, incoming: IncomingTrace, received_at: Timestamp) {
        let IncomingTrace { workspace, trace_id, environment, spans } = incoming;
        for (of, id, _) in &mut self.annotations {
            if of.is_none() && *id == trace_id {
                *of = Some(workspace);
            }
        }
        let kept = self.traces.entry((workspace, trace_id)).or_insert_with(|| {
            self.traces_so_far += 1;
            KeptTrace {
                number: self.traces_so_far,
                revision: 0,
                environment: environment.clone(),
                updated_at: received_at,
                spans: BTreeMap::new(),
            }
        });
        let mut changed = kept.spans.is_empty() || kept.environment < environment;
        kept.environment = kept.environment.clone().max(environment);
        for span in spans {
            let replaces = kept.spans.get(&span.head.span_id).is_none_or(|(head, record)| {
                supersedes((&span.head, span.record.get()), (head, record.get()))
            });
            if replaces {
                kept.spans.insert(span.head.span_id.clone(), (span.head, Arc::from(span.record)));
                changed = true;
            }
        }
        // What brings nothing new is no change.
        if changed {
            kept.revision = self.revision;
            kept.updated_at = kept.updated_at.max(received_at);
        }
    }

    pub(super) fn annotate(
        &mut self,
        workspace: Option<WorkspaceId>,
        trace_id: &TraceId,
        annotation: &Annotation,
    ) -> Result<(), StoreError> {
        let mut owners: Vec<Option<WorkspaceId>> = match workspace {
            Some(workspace) => vec![Some(workspace)],
            None => self.traces.keys().filter(|(_, id)| id == trace_id).map(|(of, _)| Some(*of)).collect(),
        };
        if owners.is_empty() {
            owners.push(None);
        }
        let known = |owner: &Option<WorkspaceId>| {
            self.annotations.iter().filter(|(of, about, _)| of == owner && about == trace_id).count()
        };
        if owners.iter().any(|owner| known(owner) >= MAX_ANNOTATIONS) {
            return Err(StoreError::TooManyAnnotations);
        }
        self.revision += 1;
        for owner in owners {
            if let Some(kept) = owner.and_then(|owner| self.traces.get_mut(&(owner, trace_id.clone()))) {
                kept.revision = self.revision;
            }
            self.annotations.push((owner, trace_id.clone(), annotation.clone()));
        }
        Ok(())
    }

    pub(super) fn annotations_of(&self, workspace: WorkspaceId, trace_id: &TraceId) -> Vec<Annotation> {
        let found = self.annotations.iter().filter(|(of, id, _)| *of == Some(workspace) && id == trace_id);
        found.map(|(_, _, annotation)| annotation.clone()).collect()
    }

    pub(super) fn prune(&mut self, before: Timestamp) -> u64 {
        let kept = self.traces.len();
        self.revision += 1;
        self.traces.retain(|(workspace, id), trace| {
            let state = summarize(trace.spans.values().map(|(head, _)| head));
            let keep = state.is_some_and(|state| state.started_at >= before);
            if !keep {
                self.annotations.retain(|(of, about, _)| *of != Some(*workspace) || about != id);
            }
            keep
        });
        (kept - self.traces.len()) as u64
    }
}
