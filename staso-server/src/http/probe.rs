use std::{sync::Arc, time::Duration};

use axum::{Extension, http::StatusCode};
use tokio::{
    sync::Mutex,
    time::{Instant, timeout},
};

use super::{ApiError, guard::Gate};
use crate::store::Store;

/// The answer of a store that is asked for longer would come after those who probe have given up: many wait a second.
const PATIENCE: Duration = Duration::from_millis(900);

/// So long an answer stands, however often it is asked for: anybody may.
const STANDS: Duration = Duration::from_secs(1);

/// `GET /healthz`: the process answers. Nothing else is tried, since what probes this restarts it.
pub(crate) async fn health() -> &'static str {
    "ok"
}

/// `GET /readyz`: the store gives and takes.
pub(crate) async fn ready(Extension(gate): Extension<Arc<Gate>>) -> Result<&'static str, ApiError> {
    if gate.readiness.look(&*gate.state.store).await {
        return Ok("ready");
    }
    let message = "the store can be neither read nor written just now, or one of the two; its log says more";
    Err(ApiError::new(StatusCode::SERVICE_UNAVAILABLE, "not_ready", message))
}

/// Whether the store was ready when it was last tried. Those who ask at the same time wait for one answer.
#[derive(Default)]
pub(super) struct Readiness(Mutex<Option<(Instant, bool)>>);

impl Readiness {
    async fn look(&self, store: &dyn Store) -> bool {
        let mut last = self.0.lock().await;
        match *last {
            Some((at, ready)) if at.elapsed() < STANDS => ready,
            _ => {
                let ready = matches!(timeout(PATIENCE, store.ready()).await, Ok(Ok(())));
                *last = Some((Instant::now(), ready));
                ready
            }
        }
    }
}
