//! Where traces are kept. [`Store`] speaks in traces, conversations and filters; which engine stands behind
//! it is known to the engine's own module alone.

mod cursor;
mod error;
pub mod memory;
mod record;
pub mod sqlite;
pub mod text;

use std::time::Duration;

use async_trait::async_trait;
use tokio::sync::watch;

pub use cursor::turns_from;
pub use error::{OpenError, StoreError};

use crate::model::{
    Annotation, Batch, Conversation, ConversationFilter, ConversationSummary, IngestOutcome, KeyId,
    KeyRecord, KeyScope, Metrics, MetricsFilter, MetricsQuery, Page, PageRequest, Slug, SpanId, StoredSpan,
    Timestamp, TraceDetail, TraceFilter, TraceId, TraceSort, TraceSummary, UserSummary, Workspace,
    WorkspaceId,
};

/// What every engine does. Each query names its workspace.
///
/// # Errors
///
/// Everything but [`revision`](Self::revision) and [`close`](Self::close) can fail with [`StoreError::Overloaded`], which
/// passes, with [`StoreError::Closed`] after [`close`](Self::close), and with [`StoreError::Engine`]; what else a call can
/// fail with is said there.
#[async_trait]
pub trait Store: Send + Sync + 'static {
    /// Stores a batch, all of it or nothing. When this returns `Stored` or `Repeated`, it is on disk.
    ///
    /// # Errors
    ///
    /// [`StoreError::Full`], and nothing was stored: it may be tried again.
    async fn ingest(&self, batch: Batch) -> Result<IngestOutcome, StoreError>;

    /// Stores what was said of a trace, which need not have arrived. Without a workspace it goes to those
    /// that have the trace, or will have it first.
    ///
    /// # Errors
    ///
    /// As [`ingest`](Self::ingest), and [`StoreError::TooManyAnnotations`] beyond [`MAX_ANNOTATIONS`].
    async fn annotate(
        &self,
        workspace: Option<WorkspaceId>,
        trace_id: TraceId,
        annotation: Annotation,
    ) -> Result<(), StoreError>;

    /// The traces that match, in order.
    ///
    /// # Errors
    ///
    /// [`StoreError::BadCursor`] for a cursor of another list.
    async fn traces(
        &self,
        workspace: WorkspaceId,
        filter: TraceFilter,
        sort: TraceSort,
        page: PageRequest,
    ) -> Result<Page<TraceSummary>, StoreError>;

    /// One trace with the rows of all its spans.
    async fn trace(
        &self,
        workspace: WorkspaceId,
        trace_id: TraceId,
    ) -> Result<Option<TraceDetail>, StoreError>;

    /// The spans of a trace with their records, ordered by start, then by identifier. Empty when there is no
    /// such trace.
    ///
    /// # Errors
    ///
    /// [`StoreError::BadCursor`] for a cursor of another list.
    async fn spans(
        &self,
        workspace: WorkspaceId,
        trace_id: TraceId,
        page: PageRequest,
    ) -> Result<Page<StoredSpan>, StoreError>;

    /// One span with its record.
    async fn span(
        &self,
        workspace: WorkspaceId,
        trace_id: TraceId,
        span_id: SpanId,
    ) -> Result<Option<StoredSpan>, StoreError>;

    /// The conversations that match, the last active first.
    ///
    /// # Errors
    ///
    /// [`StoreError::BadCursor`] for a cursor of another list.
    async fn conversations(
        &self,
        workspace: WorkspaceId,
        filter: ConversationFilter,
        page: PageRequest,
    ) -> Result<Page<ConversationSummary>, StoreError>;

    /// One conversation with a page of its turns, the earliest first.
    ///
    /// # Errors
    ///
    /// [`StoreError::BadCursor`] for a cursor of another list.
    async fn conversation(
        &self,
        workspace: WorkspaceId,
        conversation_id: String,
        turns: PageRequest,
    ) -> Result<Option<Conversation>, StoreError>;

    /// Counts, latencies, tokens and costs.
    async fn metrics(&self, workspace: WorkspaceId, query: MetricsQuery) -> Result<Metrics, StoreError>;

    /// The end users with runs that match, the last active first.
    ///
    /// # Errors
    ///
    /// [`StoreError::BadCursor`] for a cursor of another list.
    async fn users(
        &self,
        workspace: WorkspaceId,
        filter: MetricsFilter,
        page: PageRequest,
    ) -> Result<Page<UserSummary>, StoreError>;

    /// The values that filters can take, for menus: at most 200 of each, the most frequent first.
    async fn facets(&self, workspace: WorkspaceId) -> Result<Facets, StoreError>;

    /// Changes whenever something was stored, in this process or another.
    fn revision(&self) -> watch::Receiver<Revision>;

    /// The traces that changed after a revision, the earliest change first, and the revision up to which
    /// they are complete: of more than about `limit` changes, the rest comes with the next call.
    async fn changes(
        &self,
        workspace: WorkspaceId,
        after: Revision,
        limit: usize,
    ) -> Result<(Vec<TraceSummary>, Revision), StoreError>;

    /// All workspaces, in alphabetical order. There always is one called `default`.
    async fn workspaces(&self) -> Result<Vec<Workspace>, StoreError>;

    /// The workspace with this slug.
    async fn workspace(&self, slug: &str) -> Result<Option<Workspace>, StoreError>;

    /// Makes a workspace.
    ///
    /// # Errors
    ///
    /// [`StoreError::WorkspaceExists`].
    async fn create_workspace(&self, slug: Slug) -> Result<Workspace, StoreError>;

    /// Keeps a new key, of which only the prefix and a hash are known here.
    ///
    /// # Errors
    ///
    /// [`StoreError::NoSuchWorkspace`] when its scope names one.
    async fn create_key(&self, key: NewKey) -> Result<KeyRecord, StoreError>;

    /// All keys, revoked ones too, the newest first.
    async fn keys(&self) -> Result<Vec<KeyRecord>, StoreError>;

    /// The keys that still open something and begin with this prefix, with their hashes.
    async fn keys_with_prefix(&self, prefix: &str) -> Result<Vec<(KeyRecord, [u8; 32])>, StoreError>;

    /// Makes a key open nothing from now on. Whether there was such a key.
    async fn revoke_key(&self, id: KeyId) -> Result<bool, StoreError>;

    /// Deletes the traces of every workspace that started before the moment, and gives back their space.
    /// How many were deleted.
    async fn prune(&self, before: Timestamp) -> Result<u64, StoreError>;

    /// Tries whether it gives and takes just now. Nothing changes by it.
    async fn ready(&self) -> Result<(), StoreError>;

    /// Finishes what is under way within the time, so that the process may end.
    async fn close(&self, within: Duration);
}

/// A point in the sequence of everything that was stored.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, PartialOrd, Ord)]
pub struct Revision(pub u64);

/// A key to be kept.
#[derive(Clone, Debug)]
pub struct NewKey {
    /// What it is for.
    pub name: String,
    /// What it opens.
    pub scope: KeyScope,
    /// Its first 12 characters.
    pub prefix: String,
    /// SHA-256 of the key.
    pub hash: [u8; 32],
}

/// A page with inputs and outputs ends early when it has so many bytes of them.
pub const MAX_PAGE_BYTES: usize = 8 << 20;

/// At most so many turns of a conversation are on one page.
pub const MAX_TURNS: usize = 50;

/// At most so many steps of a turn are shown.
pub const MAX_STEPS: usize = 1_000;

/// Users, agents and environments of a conversation are those of its last so many traces.
pub const MAX_CONVERSATION_SAMPLE: usize = 100;

/// At most so many annotations are kept of a trace, with those of its spans: each look at the trace shows all.
pub const MAX_ANNOTATIONS: usize = 1_000;

/// At most so many values of a kind are in [`Facets`].
pub const MAX_FACETS: usize = 200;

/// The values that occur in a workspace.
#[derive(Clone, Debug, Default, PartialEq, Eq, serde::Serialize, utoipa::ToSchema)]
pub struct Facets {
    /// Environments.
    pub environments: Vec<String>,
    /// Agents.
    pub agents: Vec<String>,
    /// Models.
    pub models: Vec<String>,
    /// Tags.
    pub tags: Vec<String>,
}
