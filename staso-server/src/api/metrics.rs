use axum::{Json, extract::State};
use serde::Serialize;

use crate::{
    http::{ApiError, AppState, InWorkspace},
    model::{Dimension, Measures, Metrics, MetricsQuery, Page, Timestamp, UserSummary},
    query::{AgentParameters, MetricsParameters, Parameters, UserParameters},
};

/// So many agents are listed.
const MOST_AGENTS: usize = 1_000;

/// An agent in a list.
#[derive(Serialize, utoipa::ToSchema)]
pub(super) struct AgentSummary {
    /// Its name.
    agent: String,
    /// When its last run in the range started.
    last_at: Timestamp,
    /// Over its runs in the range.
    #[serde(flatten)]
    measures: Measures,
}

/// The agents of a workspace.
#[derive(Serialize, utoipa::ToSchema)]
pub(super) struct Agents {
    /// That with the most runs first; at most 1,000.
    items: Vec<AgentSummary>,
}

/// Lists agents with their runs, latencies, tokens and costs.
#[utoipa::path(
    get,
    path = "/v1/agents",
    tag = "metrics",
    params(AgentParameters),
    responses((status = OK, description = "The agents with runs in the range", body = Agents))
)]
pub(super) async fn agents(
    State(state): State<AppState>,
    InWorkspace(workspace): InWorkspace,
    Parameters(parameters): Parameters<AgentParameters>,
) -> Result<Json<Agents>, ApiError> {
    let filter = parameters.filter(Timestamp::now())?;
    let query = MetricsQuery { filter, by: Some(Dimension::Agent), bucket: None, limit: MOST_AGENTS };
    let metrics = state.store.metrics(workspace.id, query).await?;
    let items = metrics.series.into_iter().map(|series| AgentSummary {
        agent: series.key,
        last_at: series.last_at,
        measures: series.total,
    });
    Ok(Json(Agents { items: items.collect() }))
}

/// Lists end users with their runs, latencies, tokens and costs.
#[utoipa::path(
    get,
    path = "/v1/users",
    tag = "metrics",
    params(UserParameters),
    responses((status = OK, description = "The users with runs, the last active first", body = Page<UserSummary>))
)]
pub(super) async fn users(
    State(state): State<AppState>,
    InWorkspace(workspace): InWorkspace,
    Parameters(parameters): Parameters<UserParameters>,
) -> Result<Json<Page<UserSummary>>, ApiError> {
    let filter = parameters.filter(Timestamp::now())?;
    Ok(Json(state.store.users(workspace.id, filter, parameters.page()?).await?))
}

/// Counts runs and errors, and sums up latencies, tokens and costs.
///
/// Metrics are of model calls when told apart by model; else of runs, at most one per agent and trace, when told apart or
/// filtered by agent; else of whole traces. A filter by model keeps the runs or traces that called it, with the tokens and
/// the cost of these calls.
#[utoipa::path(
    get,
    path = "/v1/metrics",
    tag = "metrics",
    params(MetricsParameters),
    responses((status = OK, description = "The series, that with the most runs first", body = Metrics))
)]
pub(super) async fn metrics(
    State(state): State<AppState>,
    InWorkspace(workspace): InWorkspace,
    Parameters(parameters): Parameters<MetricsParameters>,
) -> Result<Json<Metrics>, ApiError> {
    let query = parameters.query(Timestamp::now())?;
    Ok(Json(state.store.metrics(workspace.id, query).await?))
}
