//! The words that every part of the backend speaks: traces, spans, conversations, filters. Plain data; no
//! part of it knows how it is stored or shown.

mod access;
mod annotation;
mod conversation;
mod cost;
mod count;
mod counted;
mod filter;
mod histogram;
mod id;
mod ingest;
mod merge;
mod metrics;
mod name;
mod page;
mod slug;
mod span;
mod summarize;
mod time;
mod topmost;
mod trace;

pub use access::{Access, Grant, KeyId, KeyRecord, KeyScope, Workspace, WorkspaceId};
pub use annotation::{Annotation, AnnotationValue};
pub use conversation::{Conversation, ConversationSummary, Turn};
pub use cost::{Cost, Tokens};
pub use count::{MAX_COUNT, add_counts};
pub use filter::{ConversationFilter, MetricsFilter, StatusFilter, TextField, TraceFilter, TraceSort};
pub use histogram::Histogram;
pub use id::{SpanId, TraceId};
pub use ingest::{Batch, IncomingSpan, IncomingTrace, IngestOutcome, Receipt};
pub use merge::{Rank, supersedes};
pub use metrics::{Bucket, Dimension, Measures, Metrics, MetricsQuery, Series, UserSummary};
pub use name::{MAX_NAME, name_in_index};
pub use page::{Cursor, Page, PageRequest};
pub use slug::{BadSlug, Slug};
pub use span::{SpanHead, SpanRow, SpanStatus, StoredSpan};
pub use staso_runtime::SpanKind;
pub use summarize::{AgentRun, MAX_VALUES, ModelUse, TraceState, summarize};
pub use time::{TimeRange, Timestamp};
pub use topmost::{parents, topmost, tops};
pub use trace::{SILENCE, TraceDetail, TraceStatus, TraceSummary};
