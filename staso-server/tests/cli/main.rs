//! The command `staso`, as a shell sees it.

mod dev;
mod kill;
mod process;
mod servers;
mod tools;
mod upgrade;
