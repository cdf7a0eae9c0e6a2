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
    model::{Access, Batch, Grant, IncomingTrace, IngestOutcome, Timestamp, Workspace},
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
    let Received { text, room: _room } = body::read(&headers, body, &intake).await?;
    let (digest, traces) = parse(&state, text).await?;
    let accepted = traces.len();
    let traces = place(&state, &access, traces).await?;
    let idempotency_key = match &access.grant {
        Grant::Organization => receipt_id.clone(),
        // Nobody learns from a conflict which keys others use.
        Grant::Workspace(own) => format!("{}/{receipt_id}", own.slug),
    };
    let batch = Batch { idempotency_key, digest, accepted, received_at, traces };
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

/// Finds the workspace of each trace, before anything of the request is stored.
async fn place(
    state: &AppState,
    access: &Access,
    traces: Vec<ParsedTrace>,
) -> Result<Vec<IncomingTrace>, ApiError> {
    let mut known: Vec<Workspace> = Vec::new();
    let mut placed = Vec::with_capacity(traces.len());
    for (index, trace) in traces.into_iter().enumerate() {
        let slug = trace.workspace_slug.as_deref();
        let workspace = match known.iter().find(|known| slug.is_some_and(|slug| known.slug == slug)) {
            Some(workspace) => workspace.id,
            None => {
                let workspace = workspace(state, access, slug)
                    .await
                    .map_err(|error| error.at(format!("traces[{index}].workspace_slug")))?;
                let id = workspace.id;
                known.push(workspace);
                id
            }
        };
        placed.push(IncomingTrace {
            workspace,
            trace_id: trace.trace_id,
            environment: trace.environment,
            spans: trace.spans,
        });
    }
    Ok(placed)
}

/// The workspace that a trace goes to: the one it names, as far as the caller may write there.
async fn workspace(state: &AppState, access: &Access, slug: Option<&str>) -> Result<Workspace, ApiError> {
    let forbidden = |message: String| ApiError::new(StatusCode::FORBIDDEN, "forbidden", message);
    let slug = match (&access.grant, slug) {
        (Grant::Workspace(own), None) => return Ok(own.clone()),
        (Grant::Workspace(own), Some(slug)) if own.slug == slug => return Ok(own.clone()),
        (Grant::Workspace(own), Some(_)) => {
            return Err(forbidden(format!("this key writes to the workspace `{}` only", own.slug)));
        }
        (Grant::Organization, slug) => slug.unwrap_or("default"),
    };
    if let Some(workspace) = state.store.workspace(slug).await? {
        return Ok(workspace);
    }
    if !access.makes_workspaces {
        let message = format!("there is no workspace `{slug}`; make it with `staso workspace create {slug}`");
        return Err(forbidden(message));
    }
    match state.store.create_workspace(slug).await {
        // Another request made it first.
        Err(StoreError::WorkspaceExists(_)) => {
            state.store.workspace(slug).await?.ok_or_else(|| ApiError::not_found("workspace"))
        }
        made => Ok(made?),
    }
}
