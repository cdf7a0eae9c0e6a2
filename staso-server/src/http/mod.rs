//! The HTTP server: its connections, who may call, and what guards every route.

mod auth;
mod body;
mod caller;
mod error;
mod headers;
mod host;
mod intake;
mod log;
mod origin;
mod router;
mod rules;
mod server;
mod session;
mod state;
mod stream;

pub use caller::{Caller, InWorkspace};
pub use error::ApiError;
pub use router::{Guards, router};
pub use rules::{ROUTES, Rule};
pub use server::{Limits, Server};
pub use state::{AppState, Mode};

pub(crate) use body::Stalled;
pub(crate) use intake::{Intake, Room};
