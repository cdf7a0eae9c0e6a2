//! The command `staso`, as a shell sees it.

mod process;
mod servers;
mod tools;
