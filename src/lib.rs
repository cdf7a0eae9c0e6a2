//! See what your AI agents do.
pub use staso_macros::{agent, conversation, span, tool, trace};
pub use staso_runtime::*;
#[doc(hidden)]
pub use staso_runtime::__private;
