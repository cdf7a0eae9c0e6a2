use axum::{extract::State, response::Html};
use maud::{Markup, html};

use super::{
    Link, PageContext, PageError, Section, cells, chart, empty, filters::Filters, format, here::Here, layout,
    list,
};
use crate::{
    http::AppState,
    model::{SpanKind, StatusFilter, TraceSort, TraceSummary},
    query::{Parameters, TraceParameters},
};

/// `GET /traces`: the list of traces. `live.js` keeps it up to date.
pub(super) async fn show(
    State(state): State<AppState>,
    context: PageContext,
    here: Here,
    Parameters(parameters): Parameters<TraceParameters>,
) -> Result<Html<String>, PageError> {
    let context = context.section(Section::Traces).script("live.js");
    let (filter, sort) = (parameters.filter(context.now)?, parameters.sort()?);
    let workspace = context.workspace.id;
    let facets = state.store.facets(workspace).await?;
    let traces = state.store.traces(workspace, filter, sort, parameters.page()?).await?;
    let body = html! {
        @if traces.items.is_empty() && facets.environments.is_empty() {
            (empty::first_steps(&context, "traces"))
        } @else {
            (Filters::new(&context, &here)
                .search("text", "Search names, inputs, outputs, errors")
                .range("all")
                .choice("status", "Any status", StatusFilter::ALL.map(StatusFilter::as_str))
                .choice("agent", "All agents", &facets.agents)
                .choice("environment", "All environments", &facets.environments)
                .choice("model", "All models", &facets.models)
                .choice("kind", "All kinds", SpanKind::ALL.map(SpanKind::as_str))
                .choice("tag", "All tags", &facets.tags)
                .text("min_duration", "Min. duration, 2s")
                .render())
            (list::live(&here, "traces", &traces, &table(&context, Some((&here, sort)), &traces.items)))
        }
    };
    Ok(Html(layout::page(&context, "Traces", body).into_string()))
}

/// A table of traces. With an address its heads are links that sort.
pub(super) fn table(
    context: &PageContext,
    sorting: Option<(&Here, TraceSort)>,
    traces: &[TraceSummary],
) -> Markup {
    let slowest = traces.iter().map(|trace| trace.duration_micros).max().unwrap_or(0);
    let head = |name: &str, order: TraceSort, value: &str| sort_link(sorting, name, order, value);
    let is_sorted = |order| sorting.is_some_and(|(_, sort)| sort == order).then_some("descending");
    html! {
        table.list.traces {
            thead {
                tr {
                    th scope="col" { span.mid { "Status" } }
                    th scope="col" { "Trace" }
                    th.mid scope="col" { "User" }
                    th.wide scope="col" { "Conversation" }
                    th.mid scope="col" { "Environment" }
                    th.num scope="col" aria-sort=[is_sorted(TraceSort::Slowest)] { (head("Duration", TraceSort::Slowest, "slowest")) }
                    th.num.widest scope="col" { "Spans" }
                    th.num.mid scope="col" aria-sort=[is_sorted(TraceSort::MostTokens)] { (head("Tokens", TraceSort::MostTokens, "tokens")) }
                    th.num.mid scope="col" aria-sort=[is_sorted(TraceSort::Costliest)] { (head("Cost", TraceSort::Costliest, "costliest")) }
                    th.num scope="col" aria-sort=[is_sorted(TraceSort::Newest)] { (head("Started", TraceSort::Newest, "newest")) }
                }
            }
            tbody { @for trace in traces { (row(context, trace, slowest)) } }
        }
    }
}

fn sort_link(sorting: Option<(&Here, TraceSort)>, name: &str, order: TraceSort, value: &str) -> Markup {
    let Some((here, sort)) = sorting else { return html! { (name) } };
    html! { a.sort href=(here.with("sort", value)) { (name) @if sort == order { span aria-hidden="true" { " ↓" } } } }
}

fn row(context: &PageContext, trace: &TraceSummary, slowest: u64) -> Markup {
    let page = context.link(Link::to("/traces").part(trace.trace_id.as_str()));
    html! {
        tr data-row data-id=(trace.trace_id) {
            td { (format::trace_status(trace.status)) }
            td.name {
                a data-main href=(page) title={ "Trace " (trace.trace_id) } { (trace.name) }
                @for agent in trace.agents.iter().filter(|agent| **agent != trace.name).take(3) {
                    " " span.muted { (agent) }
                }
                @if trace.errors > 0 {
                    " " span.badge.is-error title={ (format::count(trace.errors)) " spans failed" } { "✗ " (format::compact(trace.errors)) }
                }
                @for tag in trace.tags.iter().take(2) { " " span.tag.wide { "#" (tag) } }
                div.narrow-only.muted {
                    (trace.environment)
                    @if !trace.user_id.is_empty() { " · " (trace.user_id) }
                }
            }
            td.mid { (cells::user(context, &trace.user_id)) }
            td.wide { (cells::conversation(context, &trace.conversation_id)) }
            td.mid { (trace.environment) }
            td.num.metered { (duration(trace)) (chart::meter(trace.duration_micros, slowest)) }
            td.num.widest { (format::count(trace.spans)) }
            td.num.mid { (format::tokens(&trace.tokens)) }
            td.num.mid { (cells::cost(&trace.cost)) }
            td.num { (format::relative(trace.started_at, context.now)) }
        }
    }
}

/// How long a trace took; of one that runs, how long it has at least.
fn duration(trace: &TraceSummary) -> Markup {
    if trace.status.has_ended() {
        return html! { (format::duration(trace.duration_micros)) };
    }
    html! { span.muted title="Up to the last end that has arrived" { "≥ " (format::duration(trace.duration_micros)) } }
}
