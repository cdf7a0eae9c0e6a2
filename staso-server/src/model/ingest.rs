use serde_json::value::RawValue;

use super::{SpanHead, Timestamp, TraceId, WorkspaceId};

/// The traces of one request, checked and ready to be stored.
#[derive(Clone, Debug)]
pub struct Batch {
    /// Whose key it came with, for a key of one workspace: nobody learns from a conflict which idempotency keys others
    /// use.
    pub sender: Option<WorkspaceId>,
    /// The request's `Idempotency-Key`, unique among those of its sender; made up by the server where it has none.
    pub idempotency_key: String,
    /// SHA-256 of the request's decompressed body: a repeated key must come with the same body.
    pub digest: [u8; 32],
    /// Trace objects in the request, as the acknowledgement counts them.
    pub accepted: usize,
    /// When the request arrived.
    pub received_at: Timestamp,
    /// Its traces. One trace may appear more than once.
    pub traces: Vec<IncomingTrace>,
}

/// Some spans of one trace.
#[derive(Clone, Debug)]
pub struct IncomingTrace {
    /// Where they go.
    pub workspace: WorkspaceId,
    /// The trace that they belong to.
    pub trace_id: TraceId,
    /// Where it ran, such as `prod`.
    pub environment: String,
    /// At least one.
    pub spans: Vec<IncomingSpan>,
}

/// One span, and what the backend took out of it.
#[derive(Clone, Debug)]
pub struct IncomingSpan {
    /// What the backend needs to find, sort and sum it.
    pub head: SpanHead,
    /// The span object of the wire, as it came.
    pub record: Box<RawValue>,
}

/// Says that a batch is on disk.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Receipt {
    /// The request's idempotency key.
    pub receipt_id: String,
    /// Trace objects in the request.
    pub accepted: usize,
}

/// What became of a batch.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum IngestOutcome {
    /// It is on disk.
    Stored(Receipt),
    /// It has been on disk since an earlier request with the same key and body.
    Repeated(Receipt),
    /// Its key belongs to an earlier batch with another body; nothing was stored.
    Conflict,
}
