use axum::{extract::State, response::Html};
use maud::{Markup, html};

use super::{
    Link, PageContext, PageError, Section, cells,
    chart::{self, Chart, Line},
    empty,
    filters::Filters,
    format,
    here::Here,
    layout,
    timeline::Timeline,
};
use crate::{
    http::AppState,
    model::{Dimension, Measures, Metrics, MetricsQuery, Series, StatusFilter, TimeRange},
    query::{MetricsParameters, Parameters},
};

const DEFAULT_RANGE: &str = "24h";

/// So many agents are listed, those with the most runs.
const LISTED: usize = 200;

/// `GET /`: totals, and a row for each agent.
pub(super) async fn show(
    State(state): State<AppState>,
    context: PageContext,
    here: Here,
    Parameters(mut parameters): Parameters<MetricsParameters>,
) -> Result<Html<String>, PageError> {
    let context = context.section(Section::Overview).script("live.js").script("chart.js");
    parameters.since.get_or_insert_with(|| DEFAULT_RANGE.to_owned());
    let filter = parameters.filter(context.now)?;
    let bucket = Timeline::bucket(filter.range, context.now);
    let query = |by| MetricsQuery { filter: filter.clone(), by, bucket: Some(bucket), limit: LISTED };
    let workspace = context.workspace.id;
    let (facets, totals, agents) = tokio::try_join!(
        state.store.facets(workspace),
        state.store.metrics(workspace, query(None)),
        state.store.metrics(workspace, query(Some(Dimension::Agent))),
    )?;

    let total = totals.series.first();
    let line = |series: Option<&Series>, range: TimeRange| {
        Timeline::new(range, bucket, series.map_or(&[], |series| &series.buckets), context.now)
    };
    let whole = line(total, filter.range);
    // Rows share the time axis of the totals, so that they can be compared.
    let range = TimeRange { since: Some(filter.range.since.unwrap_or(whole.start)), ..filter.range };
    let is_empty = total.is_none_or(|total| total.total.count == 0) && agents.series.is_empty();

    let body = html! {
        @if is_empty && facets.environments.is_empty() {
            (empty::first_steps(&context, "runs"))
        } @else {
            (Filters::new(&context, &here)
                .range(DEFAULT_RANGE)
                .choice("environment", "All environments", &facets.environments)
                .choice("model", "All models", &facets.models)
                .text("user", "User")
                .render())
            div #content data-live="replace" {
                @if is_empty {
                    @if here.without(&["since"]) == here.unfiltered() {
                        (empty::not_in_range("runs", &here))
                    } @else {
                        (empty::no_match("runs", &here))
                    }
                } @else {
                    @if let Some(total) = total { (tiles(&total.total)) }
                    (runs_chart("Runs", &whole))
                    (table(&context, &here, &agents, &|series| line(Some(series), range)))
                }
            }
        }
    };
    Ok(Html(layout::page(&context, "Overview", body).into_string()))
}

/// The totals of a range, one tile each.
pub(super) fn tiles(total: &Measures) -> Markup {
    let tile = |name: &str, value: Markup, note: Markup| {
        html! { div.tile { dt { (name) } dd { (value) } dd.note { (note) } } }
    };
    let latency = |part| cells::quantile(&total.latency, part);
    html! {
        dl.tiles.card {
            (tile("Runs", html! { (format::count(total.count)) }, html! { (format::count(total.errors)) " failed" }))
            (tile("Error rate", cells::error_rate(total), html! { "errors and timeouts" }))
            (tile("Latency p50", latency(0.50), html! { "p95 " (latency(0.95)) }))
            (tile("Latency p99", latency(0.99), html! { "of runs that ended" }))
            (tile(
                "Tokens",
                html! { (format::compact(total.tokens.total)) },
                html! { (format::compact(total.tokens.input)) " in · " (format::compact(total.tokens.output)) " out" }
            ))
            (tile("Cost", cells::cost(&total.cost), cost_note(total)))
        }
    }
}

fn cost_note(total: &Measures) -> Markup {
    let cost = &total.cost;
    if cost.is_complete() {
        html! { "estimated" }
    } else {
        html! { (format::count(cost.unpriced)) " calls without a price" }
    }
}

/// Runs over time, failed ones on top.
#[expect(clippy::cast_precision_loss, reason = "heights of bars")]
pub(super) fn runs_chart(title: &str, timeline: &Timeline) -> Markup {
    let lines = [
        Line {
            name: "succeeded",
            class: "fill-ok",
            value: |slot| Some(slot.count.saturating_sub(slot.errors) as f64),
        },
        Line { name: "failed", class: "fill-error", value: |slot| Some(slot.errors as f64) },
    ];
    Chart { title, lines: &lines, unit: whole_number, least: 2.0 }.bars(timeline)
}

#[expect(clippy::cast_possible_truncation, clippy::cast_sign_loss, reason = "an axis starts at 0")]
pub(super) fn whole_number(value: f64) -> String {
    if value.fract() == 0.0 { format::compact(value as u64) } else { format!("{value:.1}") }
}

/// How many series a table has, and of how many.
pub(super) fn shown(metrics: &Metrics) -> String {
    let (listed, omitted) = (metrics.series.len(), metrics.omitted);
    if omitted == 0 { listed.to_string() } else { format!("the {listed} busiest of {}", listed + omitted) }
}

fn table(
    context: &PageContext,
    here: &Here,
    agents: &Metrics,
    timeline: &dyn Fn(&Series) -> Timeline,
) -> Markup {
    let kept = |default| here.kept(&["environment", "user", "model"], default);
    let traces = |agent: &str, status: Option<&str>| {
        let link = context.link(Link::to("/traces")).with("agent", agent).with_all(kept(Some(DEFAULT_RANGE)));
        status.into_iter().fold(link, |link, status| link.with("status", status))
    };
    html! {
        section.card {
            div.card-head { h2 { "Agents" } span.eyebrow { (shown(agents)) } }
            div.scroll {
                table.list {
                    thead {
                        tr {
                            th scope="col" { "Agent" }
                            th scope="col" .mid { "Runs over time" }
                            th.num scope="col" { "Runs" }
                            th.num scope="col" { "Errors" }
                            th.num.mid scope="col" { "p50" }
                            th.num scope="col" { "p95" }
                            th.num.mid scope="col" { "Tokens" }
                            th.num.mid scope="col" { "Cost" }
                            th.num.mid scope="col" { "Last run" }
                        }
                    }
                    tbody {
                        @for series in &agents.series {
                            @let total = &series.total;
                            tr data-row data-id=(series.key) {
                                td.name {
                                    span.sign.kind-mark aria-hidden="true" { "●" }
                                    @if series.key.is_empty() { span.none { "no agent" } }
                                    @else { a data-main href=(context.link(Link::to("/agents").part(&series.key)).with_all(kept(None))) { (series.key) } }
                                }
                                td.mid { (chart::sparkline(&timeline(series))) }
                                td.num { a.quiet href=(traces(&series.key, None)) { (format::count(total.count)) } }
                                td.num {
                                    @if total.errors > 0 { a.quiet href=(traces(&series.key, Some(StatusFilter::Failed.as_str()))) { (cells::error_rate(total)) } }
                                    @else { (cells::error_rate(total)) }
                                }
                                td.num.mid { (cells::quantile(&total.latency, 0.50)) }
                                td.num { (cells::quantile(&total.latency, 0.95)) }
                                td.num.mid { (format::tokens(&total.tokens)) }
                                td.num.mid { (cells::cost(&total.cost)) }
                                td.num.mid { (format::relative(series.last_at, context.now)) }
                            }
                        }
                    }
                }
            }
        }
    }
}
