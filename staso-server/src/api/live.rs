use std::{convert::Infallible, time::Duration};

use axum::{
    extract::State,
    http::HeaderMap,
    response::sse::{Event, KeepAlive, Sse},
};
use tokio::sync::{mpsc, watch};
use tokio_stream::{Stream, wrappers::ReceiverStream};

use crate::{
    http::{ApiError, AppState, InWorkspace},
    model::{TraceSummary, WorkspaceId},
    query::{Parameters, WorkspaceParameter},
    store::{Revision, Store},
};

/// More changes than that at once, and the viewer is told to load its list anew.
const MOST_CHANGES: usize = 100;

/// Between two looks at the store: a burst of batches becomes one event per trace.
const PACE: Duration = Duration::from_millis(250);

/// Follows the traces of a workspace as they arrive and change, as server-sent events.
///
/// `trace` carries a trace as lists show it; `reload` says that more changed than is worth telling. The `id` of an
/// event is where to go on: a browser sends it back by itself as `Last-Event-ID`.
#[utoipa::path(
    get,
    path = "/v1/live",
    tag = "traces",
    params(
        WorkspaceParameter,
        ("Last-Event-ID" = Option<String>, Header, description = "Go on after this event")
    ),
    responses((
        status = OK,
        description = "Events `trace`, whose data is a TraceSummary, and `reload`",
        body = TraceSummary,
        content_type = "text/event-stream"
    ))
)]
pub(super) async fn stream(
    State(state): State<AppState>,
    InWorkspace(workspace): InWorkspace,
    Parameters(WorkspaceParameter { .. }): Parameters<WorkspaceParameter>,
    headers: HeaderMap,
) -> Result<Sse<impl Stream<Item = Result<Event, Infallible>>>, ApiError> {
    let mut revisions = state.store.revision();
    let now = *revisions.borrow_and_update();
    let seen = headers
        .get("last-event-id")
        .and_then(|id| id.to_str().ok()?.parse().ok())
        .map_or(now, |id| Revision(id).min(now));
    // A viewer that does not read fills this one place. Nothing more is looked up for it until it reads again,
    // and then what changed meanwhile is one look.
    let (events, waiting) = mpsc::channel(1);
    tokio::spawn(follow(state, workspace.id, seen, revisions, events));
    Ok(Sse::new(ReceiverStream::new(waiting)).keep_alive(KeepAlive::new().interval(Duration::from_secs(15))))
}

/// Sends what changes until the viewer leaves or the store closes.
async fn follow(
    state: AppState,
    workspace: WorkspaceId,
    mut seen: Revision,
    mut revisions: watch::Receiver<Revision>,
    events: mpsc::Sender<Result<Event, Infallible>>,
) {
    // The head of the answer reaches the viewer with the first bytes of its body.
    if events.send(Ok(Event::default().comment("live"))).await.is_err() {
        return;
    }
    loop {
        if *revisions.borrow_and_update() <= seen {
            tokio::select! {
                changed = revisions.changed() => if changed.is_err() { return },
                () = events.closed() => return,
            }
        }
        let Ok(changes) = look(state.store.as_ref(), workspace, seen, &revisions).await else { return };
        seen = changes.revision;
        for event in changes.events {
            if events.send(Ok(event)).await.is_err() {
                return;
            }
        }
        tokio::select! {
            () = tokio::time::sleep(PACE) => {}
            () = events.closed() => return,
        }
    }
}

struct Changes {
    events: Vec<Event>,
    revision: Revision,
}

async fn look(
    store: &dyn Store,
    workspace: WorkspaceId,
    seen: Revision,
    revisions: &watch::Receiver<Revision>,
) -> Result<Changes, ApiError> {
    let now = *revisions.borrow();
    let (traces, revision) = store.changes(workspace, seen, MOST_CHANGES).await?;
    if traces.len() >= MOST_CHANGES {
        let revision = revision.max(now);
        let event = Event::default().event("reload").id(revision.0.to_string()).data("");
        return Ok(Changes { events: vec![event], revision });
    }
    let events = traces
        .iter()
        .filter_map(|trace| Event::default().event("trace").id(revision.0.to_string()).json_data(trace).ok());
    Ok(Changes { events: events.collect(), revision: revision.max(now) })
}
