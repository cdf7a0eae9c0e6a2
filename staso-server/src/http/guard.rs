use std::sync::Arc;

use axum::{
    Extension, Router,
    middleware::{from_fn, from_fn_with_state},
};
use tower_http::compression::{
    CompressionLayer,
    predicate::{DefaultPredicate, Predicate, SizeAbove},
};

use super::{
    AppState,
    answer::{self, Answers},
    auth, headers, host, log, origin,
    probe::Readiness,
    session,
    share::Shares,
};

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
    /// The most that is held of the bodies of one key, so that others can send, too.
    pub max_bodies_of_key: usize,
    /// How many requests of one key, and of those without a key, are under way at once. More are answered with 429.
    pub max_requests_of_key: usize,
    /// How many streams are open at once. More are answered with 429.
    pub max_streams: usize,
    /// How many streams of one key are open at once.
    pub max_streams_of_key: usize,
    /// How many answers to reading requests are made at once, of which half may be whole traces; others wait for their
    /// turn.
    pub answers_at_once: usize,
    /// The most that is held of large answers that wait for their readers, compressed, in bytes.
    pub max_answers: usize,
}

impl Default for Guards {
    fn default() -> Self {
        Self {
            hosts: Vec::new(),
            secure_cookies: false,
            max_body: 32 << 20,
            max_bodies: 96 << 20,
            // A body of the greatest size, compressed and not.
            max_bodies_of_key: 64 << 20,
            max_requests_of_key: 512,
            max_streams: 256,
            max_streams_of_key: 64,
            answers_at_once: 4,
            max_answers: 64 << 20,
        }
    }
}

/// What the guards know of the server.
pub(crate) struct Gate {
    pub(super) state: AppState,
    pub(super) guards: Guards,
    pub(super) sessions: session::Sessions,
    pub(super) readiness: Readiness,
    pub(super) shares: Shares,
    pub(super) answers: Answers,
}

/// Not small answers, pictures and streams of events.
fn worth_compressing() -> impl Predicate {
    DefaultPredicate::new().and(SizeAbove::new(1 << 10))
}

/// Puts guards before routes. A request passes them from the bottom of the list to its top.
pub(crate) fn guarded(routes: Router<AppState>, state: AppState, guards: Guards) -> Router {
    let gate = Arc::new(Gate {
        state: state.clone(),
        shares: Shares::new(&guards),
        answers: Answers::new(guards.answers_at_once, guards.max_answers),
        guards,
        sessions: session::Sessions::default(),
        readiness: Readiness::default(),
    });
    routes
        .layer(Extension(Arc::clone(&gate)))
        .layer(from_fn_with_state(Arc::clone(&gate), answer::in_turn))
        .layer(CompressionLayer::new().compress_when(worth_compressing()))
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
