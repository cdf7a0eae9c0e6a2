//! The dashboard in Debian's Chromium. Without it these tests say that they are skipped.

#![allow(missing_docs)]

mod chrome;
mod hostile;
mod large;
mod live;
mod looks;
#[path = "../support/mod.rs"]
mod support;
mod walk;
mod world;
