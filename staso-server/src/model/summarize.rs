use std::collections::{BTreeMap, BTreeSet, HashMap, HashSet};

use super::{
    Cost, SpanHead, SpanKind, SpanStatus, Timestamp, Tokens, TraceStatus,
    counted::{Counted, counted},
    topmost::{parents, topmost},
};

/// A trace is found and counted by so many agents, conversations, users, tags and calls of models each. Their records
/// keep the others: without a limit, one trace could take the whole index for itself.
pub const MAX_VALUES: usize = 100;

/// Everything that is known of a trace from its spans. A function of the set of spans alone: their order of
/// arrival does not show.
///
/// Each list has at most [`MAX_VALUES`] entries.
#[derive(Clone, Debug, PartialEq)]
pub struct TraceState {
    /// The root's name; without a root, that of the first of its topmost spans.
    pub name: String,
    /// How it stands.
    pub status: TraceStatus,
    /// When the root began, or the first of its topmost spans.
    pub started_at: Timestamp,
    /// From then to the end of the root, or of its topmost spans; until it has ended, to the last end that is known.
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
    /// One entry per agent, the root's first.
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
    /// Whether it ran: a span of kind `agent` is its own, or a topmost one of kind `chain`. Other spans, such as those of a tool
    /// that another process calls, are no run of the agent that they name.
    pub ran: bool,
    /// How long its longest such span ran; absent without one, and while the trace runs.
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
    let topmost = topmost(&spans);
    let tops: Vec<&SpanHead> = topmost.iter().filter_map(|place| spans.get(*place).copied()).collect();
    let lead = *tops.first()?;
    let status = status(&tops);
    let started_at = lead.started_at;
    let last_end = |spans: &[&SpanHead]| spans.iter().map(|span| span.ended_at()).max().unwrap_or(started_at);
    let ended_at = last_end(if status.has_ended() { &tops } else { &spans });

    let mut tokens = Tokens::default();
    let mut cost = Cost::default();
    let mut tags: BTreeSet<&str> = BTreeSet::new();
    let mut kinds: Vec<SpanKind> = Vec::new();
    let mut runs = Runs { ended: status.has_ended(), ..Runs::default() };
    let mut models: BTreeMap<(&str, &str), ModelUse> = BTreeMap::new();
    for (place, ((&span, agent), own)) in spans.iter().zip(agents(&spans)).zip(counted(&spans)).enumerate() {
        tokens += own.tokens;
        cost += own.cost;
        for tag in span.tags.iter().filter(|tag| !tag.is_empty()) {
            tags.insert(tag);
            if tags.len() > MAX_VALUES {
                tags.pop_last();
            }
        }
        if !kinds.contains(&span.kind) {
            kinds.push(span.kind);
        }
        runs.add(span, agent, own, topmost.binary_search(&place).is_ok());
        if !span.model.is_empty() && !span.provisional {
            let key = (agent, &*span.model);
            if models.len() < MAX_VALUES || models.contains_key(&key) {
                add_to_model(models.entry(key).or_insert_with(|| unused(span, agent)), span, own);
            }
        }
    }
    kinds.sort_unstable_by_key(|kind| SpanKind::ALL.iter().position(|known| known == kind));
    Some(TraceState {
        name: lead.name.clone(),
        status,
        started_at,
        duration_micros: u64::try_from(ended_at.as_micros().saturating_sub(started_at.as_micros()))
            .unwrap_or(0),
        spans: spans.len() as u64,
        errors: spans.iter().filter(|span| span.status.is_failure()).count() as u64,
        tokens,
        cost,
        conversations: values(lead, &spans, |span| &span.conversation_id),
        users: values(lead, &spans, |span| &span.user_id),
        kinds,
        tags: tags.into_iter().map(str::to_owned).collect(),
        runs: runs.led_by(lead),
        models: models.into_values().map(sorted).collect(),
    })
}

/// How those stand together that speak for a trace.
fn status(tops: &[&SpanHead]) -> TraceStatus {
    if tops.iter().any(|span| span.provisional) {
        return TraceStatus::Running;
    }
    let worst_first = [
        (SpanStatus::Error, TraceStatus::Error),
        (SpanStatus::Timeout, TraceStatus::Timeout),
        (SpanStatus::Other, TraceStatus::Other),
    ];
    let worst = worst_first.into_iter().find(|(status, _)| tops.iter().any(|span| span.status == *status));
    worst.map_or(TraceStatus::Ok, |(_, status)| status)
}

/// The agent of each span: its own or, where its sender names none, that of the nearest span above that has one.
fn agents<'a>(spans: &[&'a SpanHead]) -> Vec<&'a str> {
    let mut agents: Vec<&str> = spans.iter().map(|span| &*span.agent).collect();
    if agents.iter().all(|agent| agent.is_empty()) || agents.iter().all(|agent| !agent.is_empty()) {
        return agents;
    }
    let parents = parents(spans);
    let mut asked = vec![false; spans.len()];
    for start in 0..spans.len() {
        let mut nameless = Vec::new();
        let mut place = Some(start);
        let agent = loop {
            let (Some(at), Some(agent)) = (place, place.and_then(|at| agents.get(at).copied())) else {
                break "";
            };
            if !agent.is_empty() || asked.get(at) == Some(&true) {
                break agent;
            }
            if let Some(asked) = asked.get_mut(at) {
                *asked = true;
            }
            nameless.push(at);
            place = parents.get(at).copied().flatten();
        };
        for at in nameless {
            if let Some(unnamed) = agents.get_mut(at) {
                *unnamed = agent;
            }
        }
    }
    agents
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

/// One entry per agent, in the order in which they began, and the span that is its run, if one is.
#[derive(Default)]
struct Runs<'a> {
    ended: bool,
    runs: Vec<(AgentRun, Option<&'a SpanHead>)>,
    by_agent: HashMap<&'a str, usize>,
}

impl<'a> Runs<'a> {
    fn add(&mut self, span: &'a SpanHead, agent: &'a str, own: Counted, is_top: bool) {
        let known = self.by_agent.get(agent).copied();
        if agent.is_empty() || (known.is_none() && self.runs.len() >= MAX_VALUES) {
            return;
        }
        let index = known.unwrap_or_else(|| self.begin(span, agent));
        let Some((run, its_span)) = self.runs.get_mut(index) else { return };
        if is_run(span, is_top) && its_span.is_none_or(|known| rank_of_run(span) > rank_of_run(known)) {
            *its_span = Some(span);
            run.ran = true;
            run.duration_micros = self.ended.then_some(span.duration_micros);
            run.failed = span.status.is_failure();
        }
        run.tokens += own.tokens;
        run.cost += own.cost;
    }

    fn begin(&mut self, span: &SpanHead, agent: &'a str) -> usize {
        let index = self.runs.len();
        let run = AgentRun {
            agent: agent.to_owned(),
            started_at: span.started_at,
            ran: false,
            duration_micros: None,
            failed: false,
            tokens: Tokens::default(),
            cost: Cost::default(),
        };
        self.runs.push((run, None));
        self.by_agent.insert(agent, index);
        index
    }

    fn led_by(self, lead: &SpanHead) -> Vec<AgentRun> {
        let mut runs: Vec<AgentRun> = self.runs.into_iter().map(|(run, _)| run).collect();
        runs.sort_by_key(|run| run.agent != lead.agent);
        runs
    }
}

/// Whether a span is a run of its agent: one of kind `agent`, or a topmost one of kind `chain`, as programs have that mark
/// no agent. Tools, calls of models and what joins the trace of another process only carry the name that their program
/// was given.
fn is_run(span: &SpanHead, is_top: bool) -> bool {
    span.kind == SpanKind::Agent || (span.kind == SpanKind::Chain && is_top)
}

/// Of several spans the greatest is the run.
fn rank_of_run(span: &SpanHead) -> (bool, u64) {
    (span.kind == SpanKind::Agent, span.duration_micros)
}

fn unused(span: &SpanHead, agent: &str) -> ModelUse {
    ModelUse {
        agent: agent.to_owned(),
        model: span.model.clone(),
        started_at: span.started_at,
        durations_micros: Vec::new(),
        errors: 0,
        tokens: Tokens::default(),
        cost: Cost::default(),
    }
}

fn add_to_model(usage: &mut ModelUse, span: &SpanHead, own: Counted) {
    if own.is_call {
        usage.durations_micros.push(span.duration_micros);
        usage.errors += u64::from(span.status.is_failure());
    }
    usage.tokens += own.tokens;
    usage.cost += own.cost;
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
            status: SpanStatus::Ok,
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
