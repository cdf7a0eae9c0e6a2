//! What several test binaries share.

pub mod backend;
pub mod skip;
