use super::{super::record::RecordTexts, page, state::State, trace::TraceView};
use crate::{
    model::{
        Conversation, ConversationFilter, ConversationSummary, Cost, PageRequest, SpanHead, Tokens, Turn,
        WorkspaceId, topmost,
    },
    store::{MAX_CONVERSATION_SAMPLE, MAX_STEPS, MAX_TURNS, StoreError, cursor::Place},
};

pub(super) fn list(
    state: &State,
    workspace: WorkspaceId,
    filter: &ConversationFilter,
) -> Vec<ConversationSummary> {
    let mut ids: Vec<String> =
        state.traces(workspace).flat_map(|trace| trace.state.conversations.clone()).collect();
    ids.sort_unstable();
    ids.dedup();
    ids.into_iter()
        .filter_map(|id| {
            let traces = traces_of(state, workspace, &id);
            let summary = summary(&id, &traces)?;
            let has_match = traces.iter().any(|trace| {
                let among = |wanted: &Option<String>, values: &[String]| {
                    wanted.as_ref().is_none_or(|wanted| values.contains(wanted))
                };
                among(&filter.environment, std::slice::from_ref(&trace.kept.environment))
                    && among(&filter.agent, &trace.agents())
                    && among(&filter.user, &trace.state.users)
            });
            let failed = !filter.failed_only || summary.failed_traces > 0;
            (has_match && failed && filter.range.contains(summary.last_at)).then_some(summary)
        })
        .collect()
}

pub(super) fn one(
    state: &State,
    workspace: WorkspaceId,
    id: &str,
    request: PageRequest,
) -> Result<Option<Conversation>, StoreError> {
    let traces = traces_of(state, workspace, id);
    let Some(summary) = summary(id, &traces) else { return Ok(None) };
    let turns = traces.iter().map(|trace| {
        (Place { key: trace.state.started_at.as_micros(), tie: trace.kept.number }, turn(trace))
    });
    let request = PageRequest { limit: request.limit.min(MAX_TURNS), ..request };
    let turns = page::ascending("turns", turns.collect(), &request)?;
    Ok(Some(Conversation { summary, turns }))
}

/// The earliest first.
fn traces_of<'a>(state: &'a State, workspace: WorkspaceId, id: &str) -> Vec<TraceView<'a>> {
    let mut traces: Vec<_> = state
        .traces(workspace)
        .filter(|trace| trace.state.conversations.iter().any(|conversation| conversation == id))
        .collect();
    traces.sort_by_key(|trace| (trace.state.started_at, trace.kept.number));
    traces
}

fn summary(id: &str, traces: &[TraceView<'_>]) -> Option<ConversationSummary> {
    let sample = traces.iter().rev().take(MAX_CONVERSATION_SAMPLE);
    let mut tokens = Tokens::default();
    let mut cost = Cost::default();
    for trace in traces {
        tokens += trace.state.tokens;
        cost += trace.state.cost;
    }
    Some(ConversationSummary {
        conversation_id: id.to_owned(),
        users: distinct(sample.clone().flat_map(|trace| trace.state.users.clone())),
        agents: distinct(sample.clone().flat_map(TraceView::agents)),
        environments: distinct(sample.map(|trace| trace.kept.environment.clone())),
        traces: traces.len() as u64,
        failed_traces: traces.iter().filter(|trace| trace.state.status.is_failure()).count() as u64,
        started_at: traces.first()?.state.started_at,
        last_at: traces.last()?.state.started_at,
        tokens,
        cost,
    })
}

fn distinct(values: impl Iterator<Item = String>) -> Vec<String> {
    let mut values: Vec<String> = values.collect();
    values.sort_unstable();
    values.dedup();
    values
}

fn turn(trace: &TraceView<'_>) -> Turn {
    let spans = trace.kept.in_order();
    let heads: Vec<&SpanHead> = spans.iter().map(|(head, _)| head).collect();
    let lead = topmost(&heads).first().and_then(|place| spans.get(*place));
    let texts = lead.map(|(_, record)| RecordTexts::of(record.get())).unwrap_or_default();
    Turn {
        trace: trace.summary(),
        input: texts.input.into_owned(),
        output: texts.output.into_owned(),
        error_message: texts.error_message.map(Into::into),
        steps: spans.into_iter().take(MAX_STEPS).map(|(head, _)| head.into()).collect(),
    }
}
