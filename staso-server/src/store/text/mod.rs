//! Text search: what a trace says, and what a query asks for.
//!
//! A query is found where a text *contains* it, in every script: a word in the middle of another, two characters of
//! Chinese, an emoji, `C++`. Texts and queries are compared in [`normal`] form. What an index keeps of a text are its
//! [`tokens`]; they narrow down where to look, and what they cannot decide is looked up in the text itself, so that an
//! index changes how long an answer takes and never what it is.

mod fields;
mod json;
pub(super) mod normal;
mod query;
pub(super) mod tokens;

pub(super) use fields::in_record;
pub use query::TextQuery;
