use std::{collections::BTreeMap, sync::Arc};

use serde_json::value::RawValue;

use crate::model::{
    SpanHead, SpanId, Timestamp, TraceFilter, TraceId, TraceSort, TraceState, TraceStatus, TraceSummary,
};

/// What is kept of a trace: everything else follows from it.
#[derive(Debug)]
pub(super) struct KeptTrace {
    /// Counts traces in the order in which they first arrived.
    pub(super) number: i64,
    pub(super) revision: u64,
    pub(super) environment: String,
    pub(super) updated_at: Timestamp,
    pub(super) spans: BTreeMap<SpanId, (SpanHead, Arc<RawValue>)>,
}

impl KeptTrace {
    /// The spans in the order of every list.
    pub(super) fn in_order(&self) -> Vec<&(SpanHead, Arc<RawValue>)> {
        let mut spans: Vec<_> = self.spans.values().collect();
        spans.sort_by_key(|(head, _)| (head.started_at, !head.is_root(), &head.span_id));
        spans
    }

    pub(super) fn records(&self) -> impl Iterator<Item = &str> {
        self.spans.values().map(|(_, record)| record.get())
    }
}

/// A trace and what follows from its spans.
#[derive(Debug)]
pub(super) struct TraceView<'a> {
    pub(super) id: &'a TraceId,
    pub(super) kept: &'a KeptTrace,
    pub(super) state: TraceState,
}

impl TraceView<'_> {
    pub(super) fn summary(&self) -> TraceSummary {
        let Self { id, kept, state } = self;
        TraceSummary {
            trace_id: (*id).clone(),
            name: state.name.clone(),
            status: self.status(),
            environment: kept.environment.clone(),
            agents: self.agents(),
            conversation_id: state.conversations.first().cloned().unwrap_or_default(),
            user_id: state.users.first().cloned().unwrap_or_default(),
            models: self.models(),
            tags: state.tags.clone(),
            started_at: state.started_at,
            duration_micros: state.duration_micros,
            spans: state.spans,
            errors: state.errors,
            tokens: state.tokens,
            cost: state.cost,
            updated_at: kept.updated_at,
        }
    }

    fn status(&self) -> TraceStatus {
        self.state.status.at(Timestamp::now(), self.kept.updated_at)
    }

    pub(super) fn agents(&self) -> Vec<String> {
        self.state.runs.iter().map(|run| run.agent.clone()).collect()
    }

    fn models(&self) -> Vec<String> {
        let mut models: Vec<String> = self.state.models.iter().map(|usage| usage.model.clone()).collect();
        models.sort_unstable();
        models.dedup();
        models
    }

    /// Whether every condition but the text holds.
    pub(super) fn matches(&self, filter: &TraceFilter) -> bool {
        let state = &self.state;
        let among = |wanted: &Option<String>, values: &[String]| {
            wanted.as_ref().is_none_or(|wanted| values.contains(wanted))
        };
        among(&filter.environment, std::slice::from_ref(&self.kept.environment))
            && among(&filter.agent, &self.agents())
            && among(&filter.conversation, &state.conversations)
            && among(&filter.user, &state.users)
            && among(&filter.model, &self.models())
            && among(&filter.tag, &state.tags)
            && filter.kind.is_none_or(|kind| state.kinds.contains(&kind))
            && filter.status.is_none_or(|status| status.matches(self.status()))
            && filter.range.contains(state.started_at)
            && filter.min_duration_micros.is_none_or(|least| state.duration_micros >= least)
    }

    /// What lists in this order begin with the greatest of.
    pub(super) fn sort_key(&self, sort: TraceSort) -> i64 {
        let amount = match sort {
            TraceSort::Newest => return self.state.started_at.as_micros(),
            TraceSort::Slowest => self.state.duration_micros,
            TraceSort::Costliest => self.state.cost.nano_usd,
            TraceSort::MostTokens => self.state.tokens.total,
        };
        i64::try_from(amount).unwrap_or(i64::MAX)
    }
}
