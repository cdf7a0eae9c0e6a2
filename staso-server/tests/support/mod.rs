//! What several test binaries share.

pub(crate) mod backend;
pub(crate) mod skip;
