use std::collections::HashMap;

use axum::{
    Extension, Json,
    body::Body,
    extract::State,
    http::{HeaderMap, StatusCode},
};
use serde::Serialize;
use sha2::{Digest as _, Sha256};

use super::{
    body::{self, Received},
    parse::{ParsedTrace, parse_request},
};
use crate::{
    http::{ApiError, AppState, Caller, Intake},
    model::{
        Access, BadSlug, Batch, Grant, IncomingTrace, IngestOutcome, Slug, Timestamp, Workspace, WorkspaceId,
    },
    store::StoreError,
};

/// Bodies above this size are parsed apart from the threads that serve connections.
const LARGE: usize = 256 << 10;
const LONGEST_KEY: usize = 255;

/// What a client takes for success: all of it is on disk.
#[derive(Debug, Serialize)]
pub(super) struct Acknowledgement {
    accepted: usize,
    rejected: usize,
    spans_dropped: usize,
    receipt_id: String,
}

/// `POST /v1/traces/ingest`
pub(super) async fn ingest(
    State(state): State<AppState>,
    Caller(access): Caller,
    Extension(intake): Extension<Intake>,
    headers: HeaderMap,
    body: Body,
) -> Result<Json<Acknowledgement>, ApiError> {
    let received_at = Timestamp::now();
    let receipt_id = idempotency_key(&headers)?;
    // The room is held until everything is stored.
    let Received { text, room: _room } = body::read(&headers, body, &intake, usize::MAX).await?;
    let (digest, traces) = parse(&state, text).await?;
    let accepted = traces.len();
    let traces = place(&state, &access, traces).await?;
    let sender = match &access.grant {
        Grant::Organization => None,
        Grant::Workspace(own) => Some(own.id),
    };
    let idempotency_key = receipt_id.clone();
    let batch = Batch { sender, idempotency_key, digest, accepted, received_at, traces };
    match state.store.ingest(batch).await? {
        IngestOutcome::Stored(_) | IngestOutcome::Repeated(_) => {
            Ok(Json(Acknowledgement { accepted, rejected: 0, spans_dropped: 0, receipt_id }))
        }
        IngestOutcome::Conflict => {
            let message = "the `Idempotency-Key` belongs to an earlier request with another body";
            Err(ApiError::new(StatusCode::CONFLICT, "idempotency_conflict", message))
        }
    }
}

/// The request's key, which becomes its receipt.
fn idempotency_key(headers: &HeaderMap) -> Result<String, ApiError> {
    let Some(key) = headers.get("idempotency-key") else { return Ok(uuid::Uuid::new_v4().to_string()) };
    match key.to_str() {
        Ok(key) if !key.is_empty() && key.len() <= LONGEST_KEY => Ok(key.to_owned()),
        _ => {
            let message = format!("expected 1 to {LONGEST_KEY} visible ASCII characters, such as a UUID");
            Err(ApiError::new(StatusCode::BAD_REQUEST, "bad_header", message).at("Idempotency-Key"))
        }
    }
}

async fn parse(state: &AppState, body: String) -> Result<([u8; 32], Vec<ParsedTrace>), ApiError> {
    let prices = std::sync::Arc::clone(&state.prices);
    let large = body.len() > LARGE;
    let parse = move || Ok((Sha256::digest(&body).into(), parse_request(&body, &prices)?));
    if !large {
        return parse();
    }
    tokio::task::spawn_blocking(parse).await.unwrap_or_else(|_| {
        Err(ApiError::new(StatusCode::INTERNAL_SERVER_ERROR, "interrupted", "the server stops"))
    })
}

/// Finds the workspace of each trace. One that is missing is made only when nothing of the request is refused.
async fn place(
    state: &AppState,
    access: &Access,
    traces: Vec<ParsedTrace>,
) -> Result<Vec<IncomingTrace>, ApiError> {
    let mut workspaces: HashMap<Option<String>, Result<WorkspaceId, Slug>> = HashMap::new();
    for (index, trace) in traces.iter().enumerate() {
        if !workspaces.contains_key(&trace.workspace_slug) {
            let at = |error: ApiError| error.at(format!("traces[{index}].workspace_slug"));
            let found = find(state, access, trace.workspace_slug.as_deref()).await.map_err(at)?;
            workspaces.insert(trace.workspace_slug.clone(), found);
        }
    }
    for workspace in workspaces.values_mut() {
        if let Err(slug) = workspace {
            *workspace = Ok(create(state, slug).await?.id);
        }
    }
    let place = |trace: ParsedTrace| {
        let ParsedTrace { workspace_slug, trace_id, environment, spans } = trace;
        let workspace = workspaces.get(&workspace_slug).and_then(|workspace| workspace.as_ref().ok());
        let workspace = *workspace.ok_or_else(|| ApiError::not_found("workspace"))?;
        Ok(IncomingTrace { workspace, trace_id, environment, spans })
    };
    traces.into_iter().map(place).collect()
}

/// The workspace that a trace goes to: the one it names, as far as the caller may write there. The slug of one that may
/// be made.
async fn find(
    state: &AppState,
    access: &Access,
    slug: Option<&str>,
) -> Result<Result<WorkspaceId, Slug>, ApiError> {
    let forbidden = |message: String| ApiError::new(StatusCode::FORBIDDEN, "forbidden", message);
    let slug = match &access.grant {
        Grant::Organization => slug.unwrap_or(Slug::DEFAULT),
        Grant::Workspace(own) if slug.is_none_or(|slug| slug == own.slug) => return Ok(Ok(own.id)),
        Grant::Workspace(own) => {
            return Err(forbidden(format!("this key writes to the workspace `{}` only", own.slug)));
        }
    };
    if let Some(workspace) = state.store.workspace(slug).await? {
        return Ok(Ok(workspace.id));
    }
    let slug: Slug = slug.parse().map_err(|error: BadSlug| {
        ApiError::new(StatusCode::UNPROCESSABLE_ENTITY, "invalid", error.to_string())
    })?;
    if access.makes_workspaces {
        return Ok(Err(slug));
    }
    Err(forbidden(format!("there is no workspace `{slug}`; make it with `staso workspace create {slug}`")))
}

async fn create(state: &AppState, slug: &Slug) -> Result<Workspace, ApiError> {
    match state.store.create_workspace(slug.clone()).await {
        // Another request made it first.
        Err(StoreError::WorkspaceExists(slug)) => {
            state.store.workspace(&slug).await?.ok_or_else(|| ApiError::not_found("workspace"))
        }
        made => Ok(made?),
    }
}
