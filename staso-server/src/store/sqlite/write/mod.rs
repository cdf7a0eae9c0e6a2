//! The one thread that writes. Jobs queue up in front of it, and those that wait together are committed together.

mod admin;
mod again;
mod annotate;
mod arrived;
mod chores;
mod conversations;
mod facts;
mod heads;
mod index;
mod ingest;
mod prepare;
mod prune;
mod queue;
mod session;
mod settle;
mod sums;
mod terms;
mod thread;
mod tokens;
mod trace;
mod vocabulary;

pub(super) use admin::{create_key, create_workspace, limit_pages, revoke_key};
pub use again::Upgrade;
pub(super) use annotate::annotate;
pub(super) use ingest::ingest;
pub(super) use prepare::prepare;
pub(super) use prune::{forget_terms, prune_some, vacuum_some};
pub(super) use queue::Writer;
pub(super) use settle::{Patience, settle_some};
pub(super) use vocabulary::forget_words;
