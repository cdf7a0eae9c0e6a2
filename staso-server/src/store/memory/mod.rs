//! A store in memory, for tests. It is written to be right at a glance, not to be fast: every query looks at
//! every trace. What it answers is what other engines are held against.

mod conversations;
mod metrics;
mod page;
mod state;
#[cfg(test)]
mod tests;
mod trace;

use std::{
    sync::{Mutex, MutexGuard, PoisonError},
    time::Duration,
};

use async_trait::async_trait;
use tokio::sync::watch;

use self::state::State;
use super::{
    Facets, MAX_FACETS, NewKey, Revision, Store, StoreError,
    cursor::{Place, traces_list},
    text::TextQuery,
};
use crate::model::{
    Annotation, Batch, Conversation, ConversationFilter, ConversationSummary, IngestOutcome, KeyId,
    KeyRecord, KeyScope, Metrics, MetricsFilter, MetricsQuery, Page, PageRequest, Slug, SpanId, StoredSpan,
    Timestamp, TraceDetail, TraceFilter, TraceId, TraceSort, TraceSummary, UserSummary, Workspace,
    WorkspaceId,
};

/// Keeps everything until it is dropped.
#[derive(Debug)]
pub struct MemoryStore {
    state: Mutex<State>,
    revision: watch::Sender<Revision>,
}

impl Default for MemoryStore {
    fn default() -> Self {
        Self { state: Mutex::default(), revision: watch::Sender::new(Revision(0)) }
    }
}

impl MemoryStore {
    /// A store with nothing but the workspace `default`.
    #[must_use]
    pub fn new() -> Self {
        Self::default()
    }

    fn state(&self) -> MutexGuard<'_, State> {
        self.state.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// Tells who watches that something was stored.
    fn announce(&self, state: &State) {
        self.revision.send_replace(Revision(state.revision));
    }
}

/// Whether a trace contains what is asked for, if anything is asked for.
fn says(trace: &trace::TraceView<'_>, query: Option<&Option<TextQuery>>) -> bool {
    query.is_none_or(|query| query.as_ref().is_some_and(|query| query.matches(trace.kept.records())))
}

#[async_trait]
impl Store for MemoryStore {
    async fn ingest(&self, batch: Batch) -> Result<IngestOutcome, StoreError> {
        let mut state = self.state();
        let outcome = state.ingest(batch);
        self.announce(&state);
        Ok(outcome)
    }

    async fn annotate(
        &self,
        workspace: Option<WorkspaceId>,
        trace_id: TraceId,
        annotation: Annotation,
    ) -> Result<(), StoreError> {
        let mut state = self.state();
        let annotated = state.annotate(workspace, &trace_id, &annotation);
        self.announce(&state);
        annotated
    }

    async fn traces(
        &self,
        workspace: WorkspaceId,
        filter: TraceFilter,
        sort: TraceSort,
        page: PageRequest,
    ) -> Result<Page<TraceSummary>, StoreError> {
        let query = filter.text.as_deref().map(|text| TextQuery::parse(text, filter.text_in));
        let state = self.state();
        let found = state
            .traces(workspace)
            .filter(|trace| trace.matches(&filter) && says(trace, query.as_ref()))
            .map(|trace| (Place { key: trace.sort_key(sort), tie: trace.kept.number }, trace.summary()));
        page::descending(traces_list(sort), found.collect(), &page)
    }

    async fn trace(
        &self,
        workspace: WorkspaceId,
        trace_id: TraceId,
    ) -> Result<Option<TraceDetail>, StoreError> {
        let state = self.state();
        let found = state.traces(workspace).find(|trace| *trace.id == trace_id);
        Ok(found.map(|trace| TraceDetail {
            summary: trace.summary(),
            spans: trace.kept.in_order().into_iter().map(|(head, _)| head.into()).collect(),
            annotations: state.annotations_of(workspace, &trace_id),
        }))
    }

    async fn spans(
        &self,
        workspace: WorkspaceId,
        trace_id: TraceId,
        page: PageRequest,
    ) -> Result<Page<StoredSpan>, StoreError> {
        let state = self.state();
        let found = state.traces(workspace).find(|trace| *trace.id == trace_id);
        let spans = found.map(|trace| trace.kept.in_order()).unwrap_or_default();
        let placed = spans.into_iter().map(|(head, record)| {
            let tie = format!("{}{}", u8::from(!head.is_root()), head.span_id);
            let place = Place { key: head.started_at.as_micros(), tie };
            (place, StoredSpan { row: head.into(), record: record.clone() })
        });
        page::ascending("spans", placed.collect(), &page)
    }

    async fn span(
        &self,
        workspace: WorkspaceId,
        trace_id: TraceId,
        span_id: SpanId,
    ) -> Result<Option<StoredSpan>, StoreError> {
        let state = self.state();
        let found = state.traces(workspace).find(|trace| *trace.id == trace_id);
        Ok(found
            .and_then(|trace| trace.kept.spans.get(&span_id))
            .map(|(head, record)| StoredSpan { row: head.into(), record: record.clone() }))
    }

    async fn conversations(
        &self,
        workspace: WorkspaceId,
        filter: ConversationFilter,
        page: PageRequest,
    ) -> Result<Page<ConversationSummary>, StoreError> {
        let found = conversations::list(&self.state(), workspace, &filter);
        let keyed = found.into_iter().map(|summary| {
            let tie = summary.conversation_id.clone();
            (Place { key: summary.last_at.as_micros(), tie }, summary)
        });
        page::descending("conversations", keyed.collect(), &page)
    }

    async fn conversation(
        &self,
        workspace: WorkspaceId,
        conversation_id: String,
        turns: PageRequest,
    ) -> Result<Option<Conversation>, StoreError> {
        conversations::one(&self.state(), workspace, &conversation_id, turns)
    }

    async fn metrics(&self, workspace: WorkspaceId, query: MetricsQuery) -> Result<Metrics, StoreError> {
        Ok(metrics::metrics(&self.state(), workspace, &query))
    }

    async fn users(
        &self,
        workspace: WorkspaceId,
        filter: MetricsFilter,
        page: PageRequest,
    ) -> Result<Page<UserSummary>, StoreError> {
        let keyed = metrics::users(&self.state(), workspace, &filter).into_iter().map(|user| {
            let tie = user.user_id.clone();
            (Place { key: user.last_at.as_micros(), tie }, user)
        });
        page::descending("users", keyed.collect(), &page)
    }

    async fn facets(&self, workspace: WorkspaceId) -> Result<Facets, StoreError> {
        let summaries: Vec<_> = self.state().traces(workspace).map(|trace| trace.summary()).collect();
        let most_frequent = |of: fn(&TraceSummary) -> Vec<String>| {
            let mut counts = std::collections::BTreeMap::<String, u64>::new();
            for value in summaries.iter().flat_map(of) {
                *counts.entry(value).or_default() += 1;
            }
            let mut values: Vec<_> = counts.into_iter().collect();
            values.sort_by_key(|(_, traces)| std::cmp::Reverse(*traces));
            values.into_iter().take(MAX_FACETS).map(|(value, _)| value).collect()
        };
        Ok(Facets {
            environments: most_frequent(|trace| vec![trace.environment.clone()]),
            agents: most_frequent(|trace| trace.agents.clone()),
            models: most_frequent(|trace| trace.models.clone()),
            tags: most_frequent(|trace| trace.tags.clone()),
        })
    }

    fn revision(&self) -> watch::Receiver<Revision> {
        self.revision.subscribe()
    }

    async fn changes(
        &self,
        workspace: WorkspaceId,
        after: Revision,
        limit: usize,
    ) -> Result<(Vec<TraceSummary>, Revision), StoreError> {
        let state = self.state();
        let mut changed: Vec<_> =
            state.traces(workspace).filter(|trace| trace.kept.revision > after.0).collect();
        changed.sort_by_key(|trace| trace.kept.revision);
        changed.truncate(limit);
        let complete = changed.last().map_or(after, |trace| Revision(trace.kept.revision));
        Ok((changed.iter().map(|trace| trace.summary()).collect(), complete))
    }

    async fn workspaces(&self) -> Result<Vec<Workspace>, StoreError> {
        let mut workspaces = self.state().workspaces.clone();
        workspaces.sort_by(|a, b| a.slug.cmp(&b.slug));
        Ok(workspaces)
    }

    async fn workspace(&self, slug: &str) -> Result<Option<Workspace>, StoreError> {
        Ok(self.state().workspaces.iter().find(|workspace| workspace.slug == slug).cloned())
    }

    async fn create_workspace(&self, slug: Slug) -> Result<Workspace, StoreError> {
        let workspaces = &mut self.state().workspaces;
        if workspaces.iter().any(|workspace| workspace.slug == slug.as_str()) {
            return Err(StoreError::WorkspaceExists(slug.to_string()));
        }
        let id = WorkspaceId(workspaces.len() as i64 + 1);
        let workspace = Workspace { id, slug: slug.to_string(), created_at: Timestamp::now() };
        workspaces.push(workspace.clone());
        Ok(workspace)
    }

    async fn create_key(&self, key: NewKey) -> Result<KeyRecord, StoreError> {
        let mut state = self.state();
        if let KeyScope::Workspace(slug) = &key.scope
            && !state.workspaces.iter().any(|workspace| workspace.slug == *slug)
        {
            return Err(StoreError::NoSuchWorkspace(slug.clone()));
        }
        let record = KeyRecord {
            id: KeyId(state.keys.len() as i64 + 1),
            prefix: key.prefix,
            name: key.name,
            scope: key.scope,
            created_at: Timestamp::now(),
            revoked_at: None,
        };
        state.keys.push((record.clone(), key.hash));
        Ok(record)
    }

    async fn keys(&self) -> Result<Vec<KeyRecord>, StoreError> {
        Ok(self.state().keys.iter().rev().map(|(key, _)| key.clone()).collect())
    }

    async fn keys_with_prefix(&self, prefix: &str) -> Result<Vec<(KeyRecord, [u8; 32])>, StoreError> {
        let state = self.state();
        let opening = state.keys.iter().filter(|(key, _)| key.prefix == prefix && key.revoked_at.is_none());
        Ok(opening.cloned().collect())
    }

    async fn revoke_key(&self, id: KeyId) -> Result<bool, StoreError> {
        let mut state = self.state();
        let Some((key, _)) = state.keys.iter_mut().find(|(key, _)| key.id == id) else { return Ok(false) };
        key.revoked_at.get_or_insert_with(Timestamp::now);
        Ok(true)
    }

    async fn prune(&self, before: Timestamp) -> Result<u64, StoreError> {
        let mut state = self.state();
        let pruned = state.prune(before);
        self.announce(&state);
        Ok(pruned)
    }

    async fn ready(&self) -> Result<(), StoreError> {
        Ok(())
    }

    async fn close(&self, _within: Duration) {}
}
