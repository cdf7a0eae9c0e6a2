//! What pages show of one span, wherever they show it.

mod chat;
mod json;
mod panel;
mod payload;
mod record;
#[cfg(test)]
pub(in crate::web) mod sample;
mod text;

pub(super) use panel::{Place, panel};
pub(super) use payload::{Direction, Gist};
pub(super) use record::Record;
pub(super) use text::part;
