//! The command `staso`, as a shell sees it.

mod dev;
mod kill;
#[cfg(target_os = "linux")]
mod large;
mod process;
mod servers;
mod tools;
mod upgrade;
