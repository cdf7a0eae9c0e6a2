//! The HTTP server: its connections, who may call, and what guards every route.

mod answer;
mod auth;
mod body;
mod caller;
mod connections;
mod credential;
mod destination;
mod error;
mod guard;
mod headers;
mod host;
mod intake;
mod log;

mod origin;
mod probe;
mod rules;
mod server;
mod session;
mod share;
mod state;
mod stream;
mod streams;

pub use caller::{Caller, InWorkspace};
pub use error::ApiError;
pub use guard::Guards;
pub use rules::{ROUTES, Rule};
pub use server::{Limits, Server};
pub use state::{AppState, Mode};

pub(crate) use body::read_whole;
pub(crate) use destination::Destination;
pub(crate) use guard::{Gate, guarded};
pub(crate) use intake::{Intake, Room};
pub(crate) use probe::{health, ready};
