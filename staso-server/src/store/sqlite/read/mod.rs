//! Queries. Each runs on a connection that nobody else uses meanwhile, and sees the store as it was when it
//! began.

mod annotation;
mod changes;
mod condition;
mod conversation;
mod conversations;
mod facets;
mod fact;
mod list;
mod metrics;
mod record;
mod span;
mod summary;
mod term;
mod text;
mod traces;
mod users;
mod vocabulary;
mod walk;

pub(super) use changes::changes;
pub(super) use conversation::conversation;
pub(super) use conversations::conversations;
pub(super) use facets::facets;
pub(super) use metrics::metrics;
pub(super) use span::{span, spans, trace};
pub(super) use traces::traces;
pub(super) use users::users;

#[cfg(test)]
mod tests;
