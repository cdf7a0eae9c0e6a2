//! The dashboard in Debian's Chromium.

#![allow(missing_docs)]

mod chrome;
#[path = "../support/mod.rs"]
mod support;
