//! What several test binaries share; none of them uses all of it.

#![allow(dead_code)]

pub(crate) mod backend;
pub(crate) mod skip;
