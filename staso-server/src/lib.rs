//! The local backend of Staso: ingest, store, read API and dashboard.

#![cfg_attr(
    not(test),
    deny(
        clippy::disallowed_methods,
        clippy::unwrap_used,
        clippy::expect_used,
        clippy::panic,
        clippy::indexing_slicing,
        clippy::print_stdout,
        clippy::print_stderr
    )
)]
#![cfg_attr(test, allow(clippy::disallowed_methods))]

pub mod api;
mod app;
pub mod cli;
pub mod http;
pub mod ingest;
pub mod keys;
pub mod model;
pub mod pricing;
pub mod query;
pub mod store;
pub mod web;

pub use app::router;
