//! What the store on SQLite promises, from outside: what arrives is kept once and whole, in whatever order it comes
//! and whatever happens meanwhile.

#![allow(missing_docs)]

mod faults;
#[cfg(unix)]
mod files;
#[cfg(unix)]
mod kill;
mod order;
mod search;
mod stale;
#[cfg(unix)]
mod upgrade;
mod upkeep;
mod world;
