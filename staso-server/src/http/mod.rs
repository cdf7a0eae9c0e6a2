//! The HTTP server: its connections, who may call, and what guards every route.

mod caller;
mod error;
mod state;

pub use caller::{Caller, InWorkspace};
pub use error::ApiError;
pub use state::{AppState, Mode};
