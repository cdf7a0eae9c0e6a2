//! The engine on SQLite.

mod block;
mod error;
mod facets;
mod latency;
mod number;
mod pack;
mod read;
mod varint;
