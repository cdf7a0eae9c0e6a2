use std::sync::Arc;

use axum::{
    Extension, Router,
    middleware::{from_fn, from_fn_with_state},
};

use super::{AppState, auth, headers, host, intake::Intake, log, origin, probe::Readiness, session};

/// What is guarded against, beyond what always is.
#[derive(Clone, Debug)]
pub struct Guards {
    /// The names, with a port or without, under which the server may be called besides the loopback names.
    /// Any other `Host` is refused: a page elsewhere could point its own name at this machine.
    pub hosts: Vec<String>,
    /// Whether browsers may send the session's cookie over TLS only.
    pub secure_cookies: bool,
    /// The greatest body, decompressed, in bytes.
    pub max_body: usize,
    /// The most that is held of all bodies together, in bytes. What is beyond is answered with 429.
    pub max_bodies: usize,
}

impl Default for Guards {
    fn default() -> Self {
        Self { hosts: Vec::new(), secure_cookies: false, max_body: 32 << 20, max_bodies: 128 << 20 }
    }
}

/// What the guards know of the server.
pub(crate) struct Gate {
    pub(super) state: AppState,
    pub(super) guards: Guards,
    pub(super) sessions: session::Sessions,
    pub(super) readiness: Readiness,
}

/// Puts guards before routes. A request passes them from the bottom of the list to its top.
pub(crate) fn guarded(routes: Router<AppState>, state: AppState, guards: Guards) -> Router {
    let intake = Intake::new(guards.max_body, guards.max_bodies);
    let gate = Arc::new(Gate {
        state: state.clone(),
        guards,
        sessions: session::Sessions::default(),
        readiness: Readiness::default(),
    });
    routes
        .layer(Extension(intake))
        .layer(Extension(Arc::clone(&gate)))
        .layer(from_fn_with_state(Arc::clone(&gate), auth::authenticate))
        .layer(from_fn_with_state(Arc::clone(&gate), origin::same_origin))
        .layer(from_fn_with_state(gate, host::known_host))
        .layer(from_fn(headers::secure))
        .layer(from_fn(log::requests))
        .with_state(state)
}

#[cfg(test)]
mod tests {
    use axum::{body::Body, extract::Request, http::StatusCode, routing::get};
    use tower::ServiceExt as _;

    use super::*;
    use crate::{http::Mode, pricing::Prices, store::memory::MemoryStore};

    #[tokio::test]
    async fn a_route_without_a_rule_opens_to_nobody() {
        for mode in [Mode::Local, Mode::Keys] {
            let store = Arc::new(MemoryStore::new());
            let state = AppState { store, prices: Arc::new(Prices::embedded()), mode };
            let routes = Router::new().route("/new", get(|| async { "secret" }));
            let request =
                Request::get("/new").header("host", "localhost").header("x-api-key", "any-key-at-all");
            let request = request.body(Body::empty()).unwrap();
            let response = guarded(routes, state, Guards::default()).oneshot(request).await.unwrap();
            assert_eq!(response.status(), StatusCode::UNAUTHORIZED, "{mode:?}");
        }
    }
}
