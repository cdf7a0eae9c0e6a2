use std::sync::Arc;

use axum::{
    Json,
    extract::{Path, State},
};
use serde::Serialize;
use serde_json::value::RawValue;

use crate::{
    http::{ApiError, AppState, InWorkspace},
    model::{Page, PageRequest, SpanId, SpanRow, StoredSpan, Timestamp, TraceDetail, TraceId, TraceSummary},
    query::{PageParameters, Parameters, TraceParameters, WorkspaceParameter},
};

/// A span with the object that its sender wrote.
#[derive(Serialize, utoipa::ToSchema)]
#[schema(as = Span)]
pub(super) struct SpanDocument {
    #[serde(flatten)]
    row: SpanRow,
    /// The span object of the wire as it came, with `input`, `output` and `attributes` as the texts that they
    /// are on the wire.
    #[schema(value_type = Object)]
    record: Arc<RawValue>,
}

impl From<StoredSpan> for SpanDocument {
    fn from(span: StoredSpan) -> Self {
        Self { row: span.row, record: span.record }
    }
}

/// Lists traces.
#[utoipa::path(
    get,
    path = "/v1/traces",
    tag = "traces",
    params(TraceParameters),
    responses((status = OK, description = "The traces that match, in order", body = Page<TraceSummary>))
)]
pub(super) async fn list(
    State(state): State<AppState>,
    InWorkspace(workspace): InWorkspace,
    Parameters(parameters): Parameters<TraceParameters>,
) -> Result<Json<Page<TraceSummary>>, ApiError> {
    let filter = parameters.filter(Timestamp::now())?;
    let page = state.store.traces(workspace.id, filter, parameters.sort()?, parameters.page()?).await?;
    Ok(Json(page))
}

/// Shows a trace: its spans without what went in and out, and its annotations.
#[utoipa::path(
    get,
    path = "/v1/traces/{trace_id}",
    tag = "traces",
    params(("trace_id" = String, Path, description = "As its sender wrote it"), WorkspaceParameter),
    responses((status = OK, description = "The trace", body = TraceDetail))
)]
pub(super) async fn one(
    State(state): State<AppState>,
    InWorkspace(workspace): InWorkspace,
    Parameters(WorkspaceParameter { .. }): Parameters<WorkspaceParameter>,
    Path(trace_id): Path<String>,
) -> Result<Json<TraceDetail>, ApiError> {
    let trace = state.store.trace(workspace.id, TraceId::new(trace_id)).await?;
    trace.map(Json).ok_or_else(|| ApiError::not_found("trace"))
}

/// Lists the spans of a trace with everything that their sender wrote.
#[utoipa::path(
    get,
    path = "/v1/traces/{trace_id}/spans",
    tag = "traces",
    params(("trace_id" = String, Path, description = "As its sender wrote it"), PageParameters),
    responses((status = OK, description = "The spans, ordered by start", body = Page<SpanDocument>))
)]
pub(super) async fn spans(
    State(state): State<AppState>,
    InWorkspace(workspace): InWorkspace,
    Parameters(parameters): Parameters<PageParameters>,
    Path(trace_id): Path<String>,
) -> Result<Json<Page<SpanDocument>>, ApiError> {
    let request: PageRequest = parameters.page()?;
    let from_start = request.after.is_none();
    let page = state.store.spans(workspace.id, TraceId::new(trace_id), request).await?;
    if from_start && page.items.is_empty() {
        return Err(ApiError::not_found("trace"));
    }
    Ok(Json(Page { items: page.items.into_iter().map(SpanDocument::from).collect(), next: page.next }))
}

/// Shows a span with everything that its sender wrote.
#[utoipa::path(
    get,
    path = "/v1/traces/{trace_id}/spans/{span_id}",
    tag = "traces",
    params(
        ("trace_id" = String, Path, description = "As its sender wrote it"),
        ("span_id" = String, Path, description = "As its sender wrote it"),
        WorkspaceParameter
    ),
    responses((status = OK, description = "The span", body = SpanDocument))
)]
pub(super) async fn span(
    State(state): State<AppState>,
    InWorkspace(workspace): InWorkspace,
    Parameters(WorkspaceParameter { .. }): Parameters<WorkspaceParameter>,
    Path((trace_id, span_id)): Path<(String, String)>,
) -> Result<Json<SpanDocument>, ApiError> {
    let span = state.store.span(workspace.id, TraceId::new(trace_id), SpanId::new(span_id)).await?;
    span.map(|span| Json(span.into())).ok_or_else(|| ApiError::not_found("span"))
}
