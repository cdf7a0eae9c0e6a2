//! Which span, agent and conversation code runs in: on a thread, across threads and tasks, and across
//! processes.

mod conversation;
mod current;
mod future;
#[cfg(feature = "http-headers")]
mod headers;
pub(crate) mod local;
mod propagation;
mod stack;

pub use conversation::{Conversation, ConversationScope, conversation_scope};
pub use current::{Context, ContextGuard};
pub use future::{FutureExt, StreamExt, WithContext};
pub use local::suspended;
pub(crate) use local::{Suspension, become_sender};
pub(crate) use stack::{Owner, Scope, SpanRef, Token};
