use std::collections::BTreeMap;

use super::{state::State, trace::TraceView};
use crate::model::{
    Bucket, Dimension, Measures, Metrics, MetricsFilter, MetricsQuery, Series, Timestamp, UserSummary,
    WorkspaceId,
};

pub(super) fn metrics(state: &State, workspace: WorkspaceId, query: &MetricsQuery) -> Metrics {
    let mut groups = BTreeMap::<String, Vec<Fact>>::new();
    for fact in facts(state, workspace, query.by, &query.filter) {
        let key = match query.by {
            None => String::new(),
            Some(Dimension::Agent) => fact.agent.clone(),
            Some(Dimension::Environment) => fact.environment.clone(),
            Some(Dimension::Model) => fact.model.clone(),
            Some(Dimension::User) => fact.user.clone(),
        };
        if query.by.is_none() || !key.is_empty() {
            groups.entry(key).or_default().push(fact);
        }
    }
    let mut series: Vec<Series> = groups
        .into_iter()
        .filter_map(|(key, facts)| {
            Some(Series {
                key,
                last_at: facts.iter().map(|fact| fact.started_at).max()?,
                total: sum(&facts),
                buckets: buckets(facts, query),
            })
        })
        .collect();
    series.sort_by_key(|series| std::cmp::Reverse(series.total.count));
    let omitted = series.len().saturating_sub(query.limit);
    series.truncate(query.limit);
    Metrics { series, omitted }
}

pub(super) fn users(state: &State, workspace: WorkspaceId, filter: &MetricsFilter) -> Vec<UserSummary> {
    let by_user =
        MetricsQuery { filter: filter.clone(), by: Some(Dimension::User), bucket: None, limit: usize::MAX };
    let series = metrics(state, workspace, &by_user).series.into_iter();
    series
        .map(|series| UserSummary { user_id: series.key, last_at: series.last_at, measures: series.total })
        .collect()
}

/// A trace, an agent's run in one, or its calls of a model in one.
struct Fact {
    started_at: Timestamp,
    agent: String,
    environment: String,
    model: String,
    user: String,
    measures: Measures,
}

fn facts(state: &State, workspace: WorkspaceId, by: Option<Dimension>, filter: &MetricsFilter) -> Vec<Fact> {
    let of_traces: fn(&TraceView<'_>) -> Vec<Fact> = if by == Some(Dimension::Model) {
        calls
    } else if by == Some(Dimension::Agent) || filter.agent.is_some() {
        runs
    } else {
        whole
    };
    let wanted = |filter: &Option<String>, value: &String| filter.as_ref().is_none_or(|want| want == value);
    let traces = state.traces(workspace);
    let mut facts: Vec<Fact> = match &filter.model {
        Some(model) if by != Some(Dimension::Model) => {
            traces.flat_map(|trace| with_calls_of(model, of_traces(&trace), &calls(&trace))).collect()
        }
        _ => traces.flat_map(|trace| of_traces(&trace)).collect(),
    };
    facts.retain(|fact| {
        wanted(&filter.environment, &fact.environment)
            && wanted(&filter.agent, &fact.agent)
            && wanted(&filter.user, &fact.user)
            && wanted(&filter.model, &fact.model)
            && filter.range.contains(fact.started_at)
    });
    facts
}

/// Those that called the model, with what its calls used and cost.
fn with_calls_of(model: &str, facts: Vec<Fact>, calls: &[Fact]) -> Vec<Fact> {
    let narrowed = |mut fact: Fact| {
        let calls = calls.iter().filter(|call| call.model == model);
        let calls: Vec<&Fact> =
            calls.filter(|call| fact.agent.is_empty() || call.agent == fact.agent).collect();
        fact.model = calls.first()?.model.clone();
        fact.measures.narrow_to(calls.iter().map(|call| &call.measures));
        Some(fact)
    };
    facts.into_iter().filter_map(narrowed).collect()
}

fn whole(trace: &TraceView<'_>) -> Vec<Fact> {
    vec![fact(trace, trace.state.started_at, "", "", Measures::from(&trace.state))]
}

fn runs(trace: &TraceView<'_>) -> Vec<Fact> {
    let runs = trace.state.runs.iter();
    runs.map(|run| fact(trace, run.started_at, &run.agent, "", run.into()))
        .filter(|fact| !fact.measures.is_empty())
        .collect()
}

fn calls(trace: &TraceView<'_>) -> Vec<Fact> {
    let models = trace.state.models.iter();
    models.map(|usage| fact(trace, usage.started_at, &usage.agent, &usage.model, usage.into())).collect()
}

fn fact(trace: &TraceView<'_>, started_at: Timestamp, agent: &str, model: &str, measures: Measures) -> Fact {
    Fact {
        started_at,
        agent: agent.to_owned(),
        environment: trace.kept.environment.clone(),
        model: model.to_owned(),
        user: trace.state.users.first().cloned().unwrap_or_default(),
        measures,
    }
}

fn buckets(facts: Vec<Fact>, query: &MetricsQuery) -> Vec<Bucket> {
    let Some(first) = facts.iter().map(|fact| fact.started_at).min() else { return Vec::new() };
    let whole_range = query.filter.range.since.unwrap_or(first);
    let mut buckets = BTreeMap::<Timestamp, Vec<Fact>>::new();
    for fact in facts {
        let start = query.bucket.map_or(whole_range, |width| fact.started_at.floor(width));
        buckets.entry(start).or_default().push(fact);
    }
    buckets.into_iter().map(|(start, facts)| Bucket { start, measures: sum(&facts) }).collect()
}

fn sum(facts: &[Fact]) -> Measures {
    let mut sum = Measures::default();
    facts.iter().for_each(|fact| sum.add(&fact.measures));
    sum
}
