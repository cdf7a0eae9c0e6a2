use axum::{
    extract::{Path, State},
    response::Html,
};
use maud::{Markup, html};

use super::{
    Link, PageContext, PageError, Section, cells,
    chart::{Chart, Line},
    empty,
    filters::Filters,
    format,
    here::Here,
    layout, overview,
    timeline::Timeline,
    traces,
};
use crate::{
    http::AppState,
    model::{
        Dimension, Measures, Metrics, MetricsFilter, MetricsQuery, PageRequest, Series, StatusFilter,
        TraceFilter, TraceSort, TraceSummary, name_in_index,
    },
    query::{MetricsParameters, Parameters},
};

const DEFAULT_RANGE: &str = "24h";

/// `GET /agents/{name}`: one agent over time, its slowest and its failed runs.
pub(super) async fn show(
    State(state): State<AppState>,
    context: PageContext,
    here: Here,
    Path(name): Path<String>,
    Parameters(mut parameters): Parameters<MetricsParameters>,
) -> Result<Html<String>, PageError> {
    let context = context
        .section(Section::Overview)
        .crumb("Agents", Link::to("/"))
        .script("live.js")
        .script("chart.js");
    parameters.since.get_or_insert_with(|| DEFAULT_RANGE.to_owned());
    let name = name_in_index(&name).to_owned();
    let filter = MetricsFilter { agent: Some(name.clone()), ..parameters.filter(context.now)? };
    let bucket = Timeline::bucket(filter.range, context.now);
    let workspace = context.workspace.id;
    let metrics = |by, bucket| {
        state
            .store
            .metrics(workspace, MetricsQuery { filter: filter.clone(), by, bucket, limit: LISTED_MODELS })
    };
    let traces_of = TraceFilter {
        environment: filter.environment.clone(),
        agent: Some(name.clone()),
        user: filter.user.clone(),
        model: filter.model.clone(),
        range: filter.range,
        ..TraceFilter::default()
    };
    let list = |status, sort| {
        let filter = TraceFilter { status, ..traces_of.clone() };
        state.store.traces(workspace, filter, sort, PageRequest::first(LISTED))
    };
    let (facets, runs, models, slowest, failed) = tokio::try_join!(
        state.store.facets(workspace),
        metrics(None, Some(bucket)),
        metrics(Some(Dimension::Model), None),
        list(None, TraceSort::Slowest),
        list(Some(StatusFilter::Failed), TraceSort::Newest),
    )?;
    let runs = runs.series.into_iter().next().filter(|series| !series.total.is_empty());

    let body = html! {
        (Filters::new(&context, &here)
            .range(DEFAULT_RANGE)
            .choice("environment", "All environments", &facets.environments)
            .choice("model", "All models", &facets.models)
            .text("user", "User")
            .render())
        div #content data-live="replace" {
            @match &runs {
                Some(runs) => {
                    (overview::tiles(&runs.total))
                    (charts(&Timeline::new(filter.range, bucket, &runs.buckets, context.now)))
                    (models_table(&models))
                    (traces_card(&context, &here, "Failed runs", &name, ("status", StatusFilter::Failed.as_str()), &failed.items))
                    (traces_card(&context, &here, "Slowest runs", &name, ("sort", "slowest"), &slowest.items))
                }
                None if here.without(&["since"]) == here.unfiltered() => (empty::not_in_range("runs", &here)),
                None => (empty::no_match("runs", &here)),
            }
        }
    };
    Ok(Html(layout::page(&context, &name, body).into_string()))
}

/// How many runs each list shows.
const LISTED: usize = 8;

/// How many models are listed, those with the most calls.
const LISTED_MODELS: usize = 100;

#[expect(clippy::cast_precision_loss, reason = "heights in charts")]
fn charts(timeline: &Timeline) -> Markup {
    fn quantile(slot: &Measures, part: f64) -> Option<f64> {
        slot.latency.quantile(part).map(|micros| micros as f64)
    }
    let latency = [
        Line { name: "p50", class: "line-1", value: |slot| quantile(slot, 0.50) },
        Line { name: "p95", class: "line-2", value: |slot| quantile(slot, 0.95) },
        Line { name: "p99", class: "line-3", value: |slot| quantile(slot, 0.99) },
    ];
    let tokens = [
        Line { name: "input", class: "fill-1", value: |slot| Some(slot.tokens.input as f64) },
        Line { name: "output", class: "fill-2", value: |slot| Some(slot.tokens.output as f64) },
    ];
    let cost = [Line {
        name: "known cost",
        class: "fill-3",
        value: |slot| slot.cost.usd().filter(|_| slot.cost.priced > 0),
    }];
    html! {
        div.charts {
            (overview::runs_chart("Runs", timeline))
            (Chart { title: "Latency", lines: &latency, unit: duration, least: 2.0 }.lines(timeline))
            (Chart { title: "Tokens", lines: &tokens, unit: overview::whole_number, least: 2.0 }.bars(timeline))
            (Chart { title: "Cost", lines: &cost, unit: format::dollars, least: 0.0 }.bars(timeline))
        }
    }
}

#[expect(clippy::cast_possible_truncation, clippy::cast_sign_loss, reason = "an axis starts at 0")]
fn duration(micros: f64) -> String {
    if micros < 1.0 { "0".to_owned() } else { format::duration(micros as u64) }
}

fn models_table(models: &Metrics) -> Markup {
    if models.series.is_empty() {
        return html! {};
    }
    html! {
        section.card {
            div.card-head { h2 { "Models" } span.eyebrow { (overview::shown(models)) } }
            div.scroll {
                table.list {
                    thead {
                        tr {
                            th scope="col" { "Model" }
                            th.num scope="col" { "Calls" }
                            th.num scope="col" { "Errors" }
                            th.num scope="col" { "p50" }
                            th.num.mid scope="col" { "p95" }
                            th.num scope="col" { "Tokens" }
                            th.num scope="col" { "Cost" }
                        }
                    }
                    tbody {
                        @for Series { key, total, .. } in &models.series {
                            tr {
                                td.name { span.sign.kind-llm-mark aria-hidden="true" { "◇" } (key) }
                                td.num { (format::count(total.count)) }
                                td.num { (cells::error_rate(total)) }
                                td.num { (cells::quantile(&total.latency, 0.50)) }
                                td.num.mid { (cells::quantile(&total.latency, 0.95)) }
                                td.num { (format::tokens(&total.tokens)) }
                                td.num { (cells::cost(&total.cost)) }
                            }
                        }
                    }
                }
            }
        }
    }
}

fn traces_card(
    context: &PageContext,
    here: &Here,
    title: &str,
    agent: &str,
    condition: (&str, &str),
    items: &[TraceSummary],
) -> Markup {
    let kept = here.kept(&["environment", "user", "model"], Some(DEFAULT_RANGE));
    let all = context.link(Link::to("/traces")).with("agent", agent).with_all(kept).with_all([condition]);
    html! {
        section.card {
            div.card-head { h2 { (title) } a href=(all) { "All in the list of traces" } }
            @if items.is_empty() {
                p.card-note.muted { "None in this time range." }
            } @else {
                div.scroll { (traces::table(context, None, items)) }
            }
        }
    }
}
