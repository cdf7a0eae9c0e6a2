//! The page of one trace: its tree of spans beside a waterfall, and the span that is selected.

mod axis;
mod critical;
mod heading;
mod rows;
mod tree;
mod waterfall;

use axum::{
    Json,
    extract::{Path, Query, State},
    http::header::CONTENT_TYPE,
    response::{Html, IntoResponse, Response},
};
use maud::{Markup, html};
use serde::Deserialize;

use super::{
    Link, PageContext, PageError, Section, layout,
    span::{self, Place, panel},
};
use crate::{
    http::{ApiError, AppState, InWorkspace},
    model::{SpanId, StoredSpan, TraceDetail, TraceId},
};
pub(super) use {
    rows::{notes, state},
    tree::{Node, Tree},
};

/// What `trace.js` and `waterfall.js` listen to.
const KEYS: &[(&str, &str)] = &[
    ("↑ ↓", "Next and previous step"),
    ("← →", "Fold and unfold the step"),
    ("e E", "Next and previous error"),
    ("f", "Fold or unfold all"),
    ("z", "Zoom to the step, and back"),
];

/// Which span is selected.
#[derive(Deserialize)]
pub(super) struct Selection {
    span: Option<String>,
}

/// `GET /traces/{trace_id}?span=`
pub(super) async fn page(
    State(state): State<AppState>,
    context: PageContext,
    Path(trace_id): Path<String>,
    Query(selection): Query<Selection>,
) -> Result<Html<String>, PageError> {
    let trace_id = TraceId::new(trace_id);
    let trace = state.store.trace(context.workspace.id, trace_id.clone()).await?.ok_or_else(missing)?;
    let tree = Tree::of(&trace.spans);
    let selected = selection
        .span
        .as_deref()
        .and_then(|id| tree.nodes.iter().position(|node| node.span.span_id.as_str() == id))
        .unwrap_or(0);
    let span = match tree.nodes.get(selected) {
        Some(node) => state.store.span(context.workspace.id, trace_id, node.span.span_id.clone()).await?,
        None => None,
    };
    let context = context
        .section(Section::Traces)
        .crumb("Traces", Link::to("/traces"))
        .style("span.css")
        .style("trace.css")
        .script("trace.js")
        .keys(KEYS);
    let name = if trace.summary.name.is_empty() { "Trace" } else { &trace.summary.name };
    let body = body(&context, &trace, &tree, selected, span.as_ref());
    Ok(Html(layout::page(&context, name, body).into_string()))
}

/// `GET /traces/{trace_id}/rows`: the spans in the order of the tree, for the script.
pub(super) async fn rows(
    State(state): State<AppState>,
    InWorkspace(workspace): InWorkspace,
    Path(trace_id): Path<String>,
) -> Result<Response, ApiError> {
    let trace = state.store.trace(workspace.id, TraceId::new(trace_id)).await?.ok_or_else(missing)?;
    let tree = Tree::of(&trace.spans);
    Ok(Json(rows::document(&trace.summary, &tree)).into_response())
}

/// `GET /traces/{trace_id}/spans/{span_id}`: the panel of a span, without a page around it.
pub(super) async fn span(
    State(state): State<AppState>,
    context: PageContext,
    Path((trace_id, span_id)): Path<(String, String)>,
) -> Result<Html<String>, ApiError> {
    let trace_id = TraceId::new(trace_id);
    let workspace = context.workspace.id;
    let missing_span = || ApiError::not_found("span");
    let span = state.store.span(workspace, trace_id.clone(), SpanId::new(span_id)).await?;
    let span = span.ok_or_else(missing_span)?;
    let trace = state.store.trace(workspace, trace_id).await?.ok_or_else(missing_span)?;
    Ok(Html(panel(&context, &place(&trace), &span).into_string()))
}

/// Which text of a span.
#[derive(Deserialize)]
pub(super) struct Part {
    part: String,
}

/// `GET /traces/{trace_id}/spans/{span_id}/text?part=`: a text of a span, whole, of which pages have the beginning.
pub(super) async fn text(
    State(state): State<AppState>,
    InWorkspace(workspace): InWorkspace,
    Path((trace_id, span_id)): Path<(String, String)>,
    Query(Part { part }): Query<Part>,
) -> Result<Response, ApiError> {
    let span = state.store.span(workspace.id, TraceId::new(trace_id), SpanId::new(span_id)).await?;
    let span = span.ok_or_else(|| ApiError::not_found("span"))?;
    let text = span::part(span.record.get(), &part).ok_or_else(|| ApiError::not_found("text"))?;
    Ok(([(CONTENT_TYPE, "text/plain; charset=utf-8")], text.into_owned()).into_response())
}

fn missing() -> ApiError {
    ApiError::not_found("trace")
}

fn place(trace: &TraceDetail) -> Place<'_> {
    Place {
        trace_id: &trace.summary.trace_id,
        trace_start: trace.summary.started_at,
        trace_micros: trace.summary.duration_micros,
        trace_status: trace.summary.status,
        annotations: &trace.annotations,
    }
}

fn body(
    context: &PageContext,
    trace: &TraceDetail,
    tree: &Tree<'_>,
    selected: usize,
    span: Option<&StoredSpan>,
) -> Markup {
    let path = || context.link(Link::to("/traces").part(trace.summary.trace_id.as_str()));
    let part = |name| Link::to("/traces").part(trace.summary.trace_id.as_str()).part(name);
    html! {
        (heading::heading(context, trace))
        div.trace #trace data-trace=(trace.summary.trace_id) data-page=(path())
            data-rows=(context.link(part("rows"))) data-spans=(part("spans"))
            data-status=(trace.summary.status.as_str()) {
            (waterfall::waterfall(context, &trace.summary, tree, selected))
            div.splitter role="separator" aria-orientation="vertical" aria-label="Width of the details" tabindex="0" {}
            section.detail #detail aria-label="Selected step" tabindex="-1" {
                @match span {
                    Some(span) => (panel(context, &place(trace), span)),
                    None => p.none { "No step has arrived yet." },
                }
            }
        }
    }
}

#[cfg(test)]
mod tests {
    use std::sync::Arc;

    use serde_json::value::RawValue;

    use super::*;
    use crate::{
        model::{Cost, SpanRow, SpanStatus, Timestamp, Tokens, TraceStatus, TraceSummary},
        web::span::sample,
    };

    fn trace(spans: Vec<SpanRow>) -> TraceDetail {
        let summary = TraceSummary {
            trace_id: TraceId::new("t"),
            name: "run".to_owned(),
            status: TraceStatus::Ok,
            environment: "default".to_owned(),
            agents: Vec::new(),
            conversation_id: String::new(),
            user_id: String::new(),
            models: Vec::new(),
            tags: Vec::new(),
            started_at: Timestamp::default(),
            duration_micros: 1_000_000,
            spans: spans.len() as u64,
            errors: 0,
            tokens: Tokens::default(),
            cost: Cost::default(),
            updated_at: Timestamp::default(),
        };
        TraceDetail { summary, spans, annotations: Vec::new() }
    }

    fn rendered(trace: &TraceDetail, selected: usize) -> String {
        let tree = Tree::of(&trace.spans);
        let span = tree.nodes.get(selected).map(|node| StoredSpan {
            row: node.span.clone(),
            record: Arc::from(RawValue::from_string("{}".to_owned()).unwrap()),
        });
        body(&sample::context(), trace, &tree, selected, span.as_ref()).into_string()
    }

    #[test]
    fn a_page_of_ten_thousand_spans_is_at_most_200_kb() {
        let mut spans = vec![sample::span("root", None, 0, 1_000_000)];
        spans.extend((1_u32..10_000).map(|index| {
            let id = format!("00000000-0000-0000-0000-{index:012x}");
            SpanRow {
                name: "search_knowledge_base".to_owned(),
                agent: "support-agent".to_owned(),
                ..sample::span(&id, Some("root"), i64::from(index) * 100, 90)
            }
        }));
        let trace = trace(spans);
        let page = rendered(&trace, 9_999);
        assert!(page.len() < 200_000, "{} bytes", page.len());
        assert!(page.contains("10,000"));
        let rows = serde_json::to_string(&rows::document(&trace.summary, &Tree::of(&trace.spans))).unwrap();
        assert!(rows.len() < 1_400_000, "{} bytes", rows.len());
    }

    #[test]
    fn hostile_names_are_escaped_in_page_and_rows() {
        let evil = "\"><script>alert(1)</script><img src=x onerror=alert(1)>";
        let root = SpanRow {
            name: evil.to_owned(),
            agent: evil.to_owned(),
            model: evil.to_owned(),
            status: SpanStatus::Error,
            ..sample::span(evil, Some(evil), 0, 1)
        };
        let mut trace = trace(vec![root]);
        let summary = &mut trace.summary;
        summary.trace_id = TraceId::new(evil);
        for field in
            [&mut summary.name, &mut summary.environment, &mut summary.conversation_id, &mut summary.user_id]
        {
            evil.clone_into(field);
        }
        for list in [&mut summary.agents, &mut summary.models, &mut summary.tags] {
            list.push(evil.to_owned());
        }
        let page = rendered(&trace, 0);
        assert!(!page.contains("<script") && !page.contains("<img"), "{page}");
    }

    #[test]
    fn a_hundred_thousand_nested_spans_make_a_page() {
        let spans: Vec<SpanRow> = (0_u32..100_000)
            .map(|depth| {
                let parent = depth.checked_sub(1).map(|above| above.to_string());
                sample::span(&depth.to_string(), parent.as_deref(), 0, 100)
            })
            .collect();
        let trace = trace(spans);
        assert!(rendered(&trace, 99_999).len() < 200_000);
    }
}
