//! What the read API and the pages answer, over sample data in a store in memory.

mod api;
mod client;
mod hostile;
mod live;
mod pages;
#[path = "../support/sample.rs"]
#[allow(dead_code, reason = "each user of the sample takes a part of it")]
mod sample;
mod settings;
mod steps;
