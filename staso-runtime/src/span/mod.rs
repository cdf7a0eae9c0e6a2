//! A span while it runs: opening and closing it, the handle that users hold, and the builder.

mod block;
mod builder;
mod call;
mod ending;
mod follow;
mod follow_stream;
mod handle;
mod handoff;
mod open;
mod open_slot;
mod promise;
mod roots;
mod scratch;
mod shared;
#[cfg(test)]
mod tests;

pub(crate) use block::BlockFuture;
pub use block::{Done, Early};
pub use builder::SpanBuilder;
pub use call::{Arguments, Call, CallGuard, enter};
pub use ending::Ending;
pub use follow::Followed;
pub use follow_stream::FollowedStream;
pub use handle::{Span, current_span};
pub(crate) use open::{OpenSpan, push_failure};
pub(crate) use open_slot::{Found, OpenSlot};
pub use promise::{NoPromise, Promise, PromiseFirst, PromiseSecond, PromiseThird, Returned};
pub(crate) use roots::{Look, RootSlot, RootSlots};
pub(crate) use scratch::Scratch;
pub(crate) use shared::Shared;
