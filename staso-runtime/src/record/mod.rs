//! What a span is made of: plain data, below everything else.

mod callsite;
pub(crate) mod clock;
mod entry;
mod finished;
mod id;
mod id_source;
mod kind;
mod name;
mod resource;
mod short;
mod span_record;
mod status;
mod usage;

pub use callsite::{CallSite, stated_name};
pub(crate) use entry::{Begun, Entries, Entry, EntryBuf};
pub(crate) use finished::Finished;
pub use id::{ParseIdError, SpanId, TraceId};
#[cfg(unix)]
pub(crate) use id_source::forked;
pub(crate) use id_source::{IdSource, fork_generation, is_forked};
pub use kind::{ParseKindError, SpanKind};
pub(crate) use name::Name;
pub use resource::GitFacts;
pub(crate) use resource::{Conversation, Resource};
pub(crate) use short::{SHORT, cut, short, short_text};
pub use span_record::SpanRecord;
pub use status::SpanStatus;
pub use usage::Usage;
