use axum::{Json, extract::State};
use serde::Serialize;

use crate::{
    http::{ApiError, AppState, Caller, InWorkspace},
    model::{Grant, Workspace},
    query::{Parameters, WorkspaceParameter},
    store::Facets,
};

/// The workspaces that the caller may reach.
#[derive(Serialize, utoipa::ToSchema)]
pub(super) struct Workspaces {
    /// In alphabetical order.
    items: Vec<Workspace>,
}

/// Lists the workspaces that the caller may reach.
#[utoipa::path(
    get,
    path = "/v1/workspaces",
    tag = "workspaces",
    responses((status = OK, description = "The workspaces", body = Workspaces))
)]
pub(super) async fn list(
    State(state): State<AppState>,
    Caller(access): Caller,
) -> Result<Json<Workspaces>, ApiError> {
    let items = match access.grant {
        Grant::Organization => state.store.workspaces().await?,
        Grant::Workspace(own) => vec![own],
    };
    Ok(Json(Workspaces { items }))
}

/// Lists the values that filters can take.
#[utoipa::path(
    get,
    path = "/v1/facets",
    tag = "workspaces",
    params(WorkspaceParameter),
    responses((status = OK, description = "At most 200 values of each, the most frequent first", body = Facets))
)]
pub(super) async fn facets(
    State(state): State<AppState>,
    InWorkspace(workspace): InWorkspace,
    Parameters(WorkspaceParameter { .. }): Parameters<WorkspaceParameter>,
) -> Result<Json<Facets>, ApiError> {
    Ok(Json(state.store.facets(workspace.id).await?))
}
