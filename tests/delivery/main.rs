//! What becomes of spans, whatever the backend, the exporter and the program do. Each test has the
//! process's client to itself.

#[path = "../support/mod.rs"]
mod support;

mod accounting;
mod annotations;
mod backend;
mod bounds;
mod clients;
mod credentials;
mod exporters;
mod harness;
mod open_roots;
mod outages;
mod refusals;
mod runtimes;
mod unfinished;
