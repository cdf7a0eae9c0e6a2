//! The dashboard: pages rendered on the server, one file each.

mod agent;
pub mod assets;
mod cells;
mod chart;
mod conversation;
mod conversations;
mod empty;
mod error;
mod filters;
pub mod format;
mod here;
pub mod layout;
pub(crate) mod link;
mod list;
mod login;
mod overview;
mod settings;
mod span;
mod timeline;
mod trace;
mod traces;
mod users;

use axum::{
    Router,
    routing::{get, post},
};

pub use error::PageError;
pub use layout::{PageContext, Section};
pub use link::Link;

use crate::http::AppState;

/// Every page, and the files that pages load.
pub fn routes() -> Router<AppState> {
    Router::new()
        .route("/assets/{file}", get(assets::serve))
        .route("/", get(overview::show))
        .route("/traces", get(traces::show))
        .route("/conversations", get(conversations::show))
        .route("/users", get(users::show))
        .route("/agents/{name}", get(agent::show))
        .route("/settings", get(settings::show))
        .route("/settings/keys", post(settings::create_key))
        .route("/settings/keys/{id}/revoke", post(settings::revoke_key))
        .route("/settings/workspaces", post(settings::create_workspace))
        .route("/login", get(login::show).post(login::sign_in))
        .route("/logout", post(login::sign_out))
        .route("/traces/{trace_id}", get(trace::page))
        .route("/traces/{trace_id}/rows", get(trace::rows))
        .route("/traces/{trace_id}/spans/{span_id}", get(trace::span))
        .route("/traces/{trace_id}/spans/{span_id}/text", get(trace::text))
        .route("/conversations/{id}", get(conversation::page))
}
