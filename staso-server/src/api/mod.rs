//! The read API: JSON over HTTP. [`document`] describes it, from the same code.

mod conversations;
mod live;
mod metrics;
mod openapi;
mod traces;
mod workspace;

use axum::{
    Router,
    routing::{MethodRouter, get},
};

pub use openapi::document;

use crate::http::AppState;

/// A path, and who answers it.
type Route = (&'static str, fn() -> MethodRouter<AppState>);

/// Every route, so that the router, its description and the tests speak of the same ones.
static ROUTES: [Route; 13] = [
    ("/v1/traces", || get(traces::list)),
    ("/v1/traces/{trace_id}", || get(traces::one)),
    ("/v1/traces/{trace_id}/spans", || get(traces::spans)),
    ("/v1/traces/{trace_id}/spans/{span_id}", || get(traces::span)),
    ("/v1/conversations", || get(conversations::list)),
    ("/v1/conversations/{conversation_id}", || get(conversations::one)),
    ("/v1/agents", || get(metrics::agents)),
    ("/v1/users", || get(metrics::users)),
    ("/v1/metrics", || get(metrics::metrics)),
    ("/v1/facets", || get(workspace::facets)),
    ("/v1/workspaces", || get(workspace::list)),
    ("/v1/live", || get(live::stream)),
    ("/openapi.json", || get(openapi::serve)),
];

/// The routes of the read API.
pub fn routes() -> Router<AppState> {
    ROUTES.iter().fold(Router::new(), |router, (path, method)| router.route(path, method()))
}

/// The paths of the read API, as the router has them.
pub fn paths() -> impl Iterator<Item = &'static str> {
    ROUTES.iter().map(|(path, _)| *path)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_description_covers_every_route_and_nothing_else() {
        let document = document();
        let mut described: Vec<&str> = document.paths.paths.keys().map(String::as_str).collect();
        let mut routed: Vec<&str> = paths().collect();
        described.sort_unstable();
        routed.sort_unstable();
        assert_eq!(described, routed);
    }
}
