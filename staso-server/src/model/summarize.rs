use std::collections::{BTreeMap, BTreeSet, HashMap, HashSet};

use super::{Cost, SpanHead, SpanKind, Timestamp, Tokens, TraceStatus};

/// A trace is found and counted by so many agents, conversations, users, tags and calls of models each. Their records
/// keep the others: without a limit, one trace could take the whole index for itself.
pub const MAX_VALUES: usize = 100;

/// Everything that is known of a trace from its spans. A function of the set of spans alone: their order of
/// arrival does not show.
///
/// Each list has at most [`MAX_VALUES`] entries.
#[derive(Clone, Debug, PartialEq)]
pub struct TraceState {
    /// The root's name; without a root, that of the span that began first.
    pub name: String,
    /// How it stands.
    pub status: TraceStatus,
    /// When its first span began.
    pub started_at: Timestamp,
    /// How long the root ran; until it ended, up to the last end that is known.
    pub duration_micros: u64,
    /// How many spans.
    pub spans: u64,
    /// How many failed.
    pub errors: u64,
    /// Over its spans.
    pub tokens: Tokens,
    /// Over its spans.
    pub cost: Cost,
    /// The conversations of its spans, the root's first.
    pub conversations: Vec<String>,
    /// The end users of its spans, the root's first.
    pub users: Vec<String>,
    /// The kinds of its spans, in their own order.
    pub kinds: Vec<SpanKind>,
    /// The labels of its spans, in alphabetical order.
    pub tags: Vec<String>,
    /// One run per agent, the root's first.
    pub runs: Vec<AgentRun>,
    /// One entry per agent and model, in alphabetical order.
    pub models: Vec<ModelUse>,
}

/// What one agent did in a trace.
#[derive(Clone, Debug, PartialEq)]
pub struct AgentRun {
    /// The agent's name.
    pub agent: String,
    /// When its first span began.
    pub started_at: Timestamp,
    /// How long its longest span ran; absent while the trace's root runs.
    pub duration_micros: Option<u64>,
    /// Whether that span failed.
    pub failed: bool,
    /// Over the agent's own spans.
    pub tokens: Tokens,
    /// Over the agent's own spans.
    pub cost: Cost,
}

/// The calls of one model by one agent in a trace.
#[derive(Clone, Debug, PartialEq)]
pub struct ModelUse {
    /// The agent's name; may be empty.
    pub agent: String,
    /// The model's name.
    pub model: String,
    /// When the first call began.
    pub started_at: Timestamp,
    /// How long each call took, in microseconds, in ascending order.
    pub durations_micros: Vec<u64>,
    /// How many calls failed.
    pub errors: u64,
    /// Over the calls.
    pub tokens: Tokens,
    /// Over the calls.
    pub cost: Cost,
}

/// Sums up the spans of a trace, one version of each. `None` when there are none.
#[must_use]
pub fn summarize<'a>(spans: impl IntoIterator<Item = &'a SpanHead>) -> Option<TraceState> {
    let mut spans: Vec<&SpanHead> = spans.into_iter().collect();
    spans.sort_unstable_by(|a, b| order(a).cmp(&order(b)));
    let first = *spans.first()?;
    let root = spans.iter().copied().find(|span| span.is_root());
    let lead = root.unwrap_or(first);
    let ended = root.filter(|root| !root.provisional);
    let started_at = first.started_at;
    let last_end = spans.iter().map(|span| span.ended_at()).max().unwrap_or(started_at);

    let mut tokens = Tokens::default();
    let mut cost = Cost::default();
    let mut tags: BTreeSet<&str> = BTreeSet::new();
    let mut kinds: Vec<SpanKind> = Vec::new();
    let mut runs = Runs { ended: ended.is_some(), ..Runs::default() };
    let mut models: BTreeMap<(&str, &str), ModelUse> = BTreeMap::new();
    for &span in &spans {
        tokens += span.tokens.unwrap_or_default();
        cost += span.cost;
        for tag in span.tags.iter().filter(|tag| !tag.is_empty()) {
            tags.insert(tag);
            if tags.len() > MAX_VALUES {
                tags.pop_last();
            }
        }
        if !kinds.contains(&span.kind) {
            kinds.push(span.kind);
        }
        runs.add(span);
        if !span.model.is_empty() && !span.provisional {
            let key = (&*span.agent, &*span.model);
            if models.len() < MAX_VALUES || models.contains_key(&key) {
                add_to_model(models.entry(key).or_insert_with(|| unused(span)), span);
            }
        }
    }
    kinds.sort_unstable_by_key(|kind| SpanKind::ALL.iter().position(|known| known == kind));
    Some(TraceState {
        name: lead.name.clone(),
        status: ended.map_or(TraceStatus::Running, |root| match root.status {
            super::SpanStatus::Error => TraceStatus::Error,
            super::SpanStatus::Timeout => TraceStatus::Timeout,
            super::SpanStatus::Ok => TraceStatus::Ok,
            super::SpanStatus::Other => TraceStatus::Other,
        }),
        started_at,
        duration_micros: ended.map_or_else(
            || u64::try_from(last_end.as_micros().saturating_sub(started_at.as_micros())).unwrap_or(0),
            |root| root.duration_micros,
        ),
        spans: spans.len() as u64,
        errors: spans.iter().filter(|span| span.status.is_failure()).count() as u64,
        tokens,
        cost,
        conversations: values(lead, &spans, |span| &span.conversation_id),
        users: values(lead, &spans, |span| &span.user_id),
        kinds,
        tags: tags.into_iter().map(str::to_owned).collect(),
        runs: runs.led_by(&lead.agent),
        models: models.into_values().map(sorted).collect(),
    })
}

/// The order of spans in every list: by start, then by identifier. A root before what began with it.
fn order(span: &SpanHead) -> (Timestamp, bool, &str) {
    (span.started_at, !span.is_root(), span.span_id.as_str())
}

/// The distinct values that are not empty, the leading span's first, the others as they first occur.
fn values<'a>(
    lead: &'a SpanHead,
    spans: &[&'a SpanHead],
    of: impl Fn(&'a SpanHead) -> &'a String,
) -> Vec<String> {
    let mut seen: HashSet<&String> = HashSet::new();
    let leading_first = std::iter::once(lead).chain(spans.iter().copied()).map(of);
    leading_first.filter(|value| !value.is_empty() && seen.insert(*value)).take(MAX_VALUES).cloned().collect()
}

/// One run per agent, in the order in which they began, and the longest span of each.
#[derive(Default)]
struct Runs<'a> {
    ended: bool,
    runs: Vec<(AgentRun, &'a SpanHead)>,
    by_agent: HashMap<&'a str, usize>,
}

impl<'a> Runs<'a> {
    fn add(&mut self, span: &'a SpanHead) {
        let known = self.by_agent.get(&*span.agent).copied();
        if span.agent.is_empty() || (known.is_none() && self.runs.len() >= MAX_VALUES) {
            return;
        }
        let index = known.unwrap_or_else(|| self.begin(span));
        let Some((run, longest)) = self.runs.get_mut(index) else { return };
        if span.duration_micros > longest.duration_micros {
            *longest = span;
            run.duration_micros = self.ended.then_some(span.duration_micros);
            run.failed = span.status.is_failure();
        }
        run.tokens += span.tokens.unwrap_or_default();
        run.cost += span.cost;
    }

    fn begin(&mut self, span: &'a SpanHead) -> usize {
        let index = self.runs.len();
        let run = AgentRun {
            agent: span.agent.clone(),
            started_at: span.started_at,
            duration_micros: self.ended.then_some(span.duration_micros),
            failed: span.status.is_failure(),
            tokens: Tokens::default(),
            cost: Cost::default(),
        };
        self.runs.push((run, span));
        self.by_agent.insert(&span.agent, index);
        index
    }

    fn led_by(self, agent: &str) -> Vec<AgentRun> {
        let mut runs: Vec<AgentRun> = self.runs.into_iter().map(|(run, _)| run).collect();
        runs.sort_by_key(|run| run.agent != agent);
        runs
    }
}

fn unused(span: &SpanHead) -> ModelUse {
    ModelUse {
        agent: span.agent.clone(),
        model: span.model.clone(),
        started_at: span.started_at,
        durations_micros: Vec::new(),
        errors: 0,
        tokens: Tokens::default(),
        cost: Cost::default(),
    }
}

fn add_to_model(usage: &mut ModelUse, span: &SpanHead) {
    usage.durations_micros.push(span.duration_micros);
    usage.errors += u64::from(span.status.is_failure());
    usage.tokens += span.tokens.unwrap_or_default();
    usage.cost += span.cost;
}

fn sorted(mut usage: ModelUse) -> ModelUse {
    usage.durations_micros.sort_unstable();
    usage
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::model::SpanId;

    /// A span that started at this moment, with its number as every name.
    fn span(number: i64) -> SpanHead {
        let name = format!("{number:05}");
        SpanHead {
            span_id: SpanId::new(&*name),
            parent_span_id: Some(SpanId::new("root")),
            name: name.clone(),
            kind: SpanKind::Llm,
            started_at: Timestamp::from_micros(number),
            duration_micros: 1,
            status: super::super::SpanStatus::Ok,
            provisional: false,
            agent: name.clone(),
            conversation_id: name.clone(),
            user_id: name.clone(),
            model: name.clone(),
            tags: vec![name],
            tokens: Some(Tokens { input: 1, output: 1, total: 2 }),
            cost: Cost::of_call(Some(1)),
        }
    }

    #[test]
    fn lists_are_limited_and_sums_are_not() {
        const SPANS: i64 = 50_000;
        let mut spans: Vec<SpanHead> = (0..SPANS).rev().map(span).collect();
        spans.push(SpanHead { parent_span_id: None, user_id: "root's".to_owned(), ..span(SPANS) });
        let state = summarize(&spans).unwrap();
        let lengths = [&state.conversations, &state.users, &state.tags].map(Vec::len);
        assert_eq!(
            (lengths, state.runs.len(), state.models.len()),
            ([MAX_VALUES; 3], MAX_VALUES, MAX_VALUES)
        );
        assert_eq!((&*state.users[0], &*state.users[1], &*state.tags[0]), ("root's", "00000", "00000"));
        assert_eq!((state.spans, state.tokens.total, state.cost.priced), (50_001, 100_002, 50_001));
    }
}
