//! Credentials in what spans carry: which names give them away, and what is shown in their place.
//!
//! The sender's thread masks them, so that the traced thread pays nothing. A credential is known by the
//! name it stands under, never by what it looks like: an argument, a field, a key of a map, a header, a
//! parameter of a URL. What is prose is left as it is.

mod json;
mod name;
mod text;
mod types;

pub(crate) use json::mask_json;
pub(crate) use text::mask_urls;
pub(crate) use types::holds_credentials;

/// Stands in the place of a credential.
pub(crate) const MASKED: &str = "[masked]";
