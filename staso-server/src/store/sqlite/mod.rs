//! The engine on SQLite: one file in a folder, written by one thread, read by several connections that it never
//! makes wait.

mod admin;
mod block;
mod error;
mod facets;
mod fact;
mod files;
mod head;
mod lock;
mod measures;
mod number;
mod open;
mod pack;
mod read;
mod readers;
mod text;
mod until;
mod upgrade;
mod varint;
mod write;

use std::{
    path::Path,
    sync::{Arc, Mutex, PoisonError},
    time::Duration,
};

use async_trait::async_trait;
use tokio::sync::watch;

pub use self::open::OpenOptions;
pub use self::write::Upgrade;
use self::{readers::Readers, write::Writer};
use super::{Facets, NewKey, OpenError, Revision, Store, StoreError};
use crate::model::{
    Annotation, Batch, Conversation, ConversationFilter, ConversationSummary, IngestOutcome, KeyId,
    KeyRecord, Metrics, MetricsFilter, MetricsQuery, Page, PageRequest, Slug, SpanId, StoredSpan, Timestamp,
    TraceDetail, TraceFilter, TraceId, TraceSort, TraceSummary, UserSummary, Workspace, WorkspaceId,
};

/// Batches up to this size are compressed where they are; larger ones on a thread of their own.
const COMPRESSED_IN_PLACE: usize = 1 << 20;

/// A store in a folder.
///
/// ```no_run
/// use staso_server::store::sqlite::{OpenOptions, SqliteStore};
///
/// let store = SqliteStore::open("traces".as_ref(), OpenOptions::tool())?;
/// # Ok::<(), staso_server::store::OpenError>(())
/// ```
pub struct SqliteStore {
    writer: Mutex<Option<Arc<Writer>>>,
    readers: Readers,
    /// For what every request needs, so that it does not queue behind searches.
    look_ups: Readers,
    revision: watch::Receiver<Revision>,
}

impl SqliteStore {
    /// Opens the folder, and makes it and its file when they are missing.
    ///
    /// # Errors
    ///
    /// When another server has the folder, or the file is damaged, of a newer version or not accessible.
    pub fn open(folder: &Path, options: OpenOptions) -> Result<Self, OpenError> {
        let opened = open::open(folder, &options)?;
        let writer = Writer::start(opened.writer, opened.lock, opened.derive)
            .map_err(|error| OpenError::Unusable { folder: folder.to_owned(), reason: error.to_string() })?;
        Ok(Self {
            revision: writer.revision(),
            writer: Mutex::new(Some(Arc::new(writer))),
            readers: Readers::new(opened.file.clone(), readers::QUERIES),
            look_ups: Readers::new(opened.file, readers::LOOK_UPS),
        })
    }

    /// Whether the folder has a store.
    #[must_use]
    pub fn exists(folder: &Path) -> bool {
        folder.join(files::DATABASE).exists()
    }

    /// Where the server is that has the folder, if one has.
    #[must_use]
    pub fn server_of(folder: &Path) -> Option<String> {
        Some(lock::holder(folder)?.rsplit_once(" at ")?.1.to_owned())
    }

    /// Limits how many pages the file may grow by, as a full disk does; `None` lifts the limit.
    #[doc(hidden)]
    pub async fn limit_pages(&self, more: Option<i64>) -> Result<(), StoreError> {
        self.writer()?.write(0, move |session| write::limit_pages(session, more)).await
    }

    /// Makes the text of every trace searchable by the index and packs the records, as happens by itself when
    /// traces go quiet. What is asked of the store has the same answers before and after.
    ///
    /// # Errors
    ///
    /// As [`Store::ingest`].
    pub async fn settle(&self) -> Result<(), StoreError> {
        let writer = self.writer()?;
        while writer.write(0, |session| write::settle_some(session, write::Patience::None)).await? {}
        Ok(())
    }

    /// How far it is with what an upgrade left to be done. Everything works meanwhile.
    pub fn upgrade(&self) -> Result<watch::Receiver<Upgrade>, StoreError> {
        Ok(self.writer()?.upgrade())
    }

    fn writer(&self) -> Result<Arc<Writer>, StoreError> {
        self.writer.lock().unwrap_or_else(PoisonError::into_inner).clone().ok_or(StoreError::Closed)
    }
}

#[async_trait]
impl Store for SqliteStore {
    async fn ingest(&self, batch: Batch) -> Result<IngestOutcome, StoreError> {
        let spans = batch.traces.iter().flat_map(|trace| &trace.spans);
        let bytes: usize = spans.map(|span| span.record.get().len()).sum();
        let prepared = if bytes <= COMPRESSED_IN_PLACE {
            write::prepare(batch)?
        } else {
            let work = tokio::task::spawn_blocking(move || write::prepare(batch));
            work.await.map_err(|error| StoreError::Engine(error.to_string()))??
        };
        self.writer()?.write(prepared.bytes(), move |session| write::ingest(session, &prepared)).await
    }

    async fn annotate(
        &self,
        workspace: Option<WorkspaceId>,
        trace_id: TraceId,
        annotation: Annotation,
    ) -> Result<(), StoreError> {
        let writer = self.writer()?;
        writer.write(0, move |session| write::annotate(session, workspace, &trace_id, &annotation)).await
    }

    async fn traces(
        &self,
        workspace: WorkspaceId,
        filter: TraceFilter,
        sort: TraceSort,
        page: PageRequest,
    ) -> Result<Page<TraceSummary>, StoreError> {
        let query =
            move |connection: &_, until: &_| read::traces(connection, until, workspace, &filter, sort, &page);
        self.readers.read_until(query).await
    }

    async fn trace(
        &self,
        workspace: WorkspaceId,
        trace_id: TraceId,
    ) -> Result<Option<TraceDetail>, StoreError> {
        self.readers.read(move |connection| read::trace(connection, workspace, &trace_id)).await
    }

    async fn spans(
        &self,
        workspace: WorkspaceId,
        trace_id: TraceId,
        page: PageRequest,
    ) -> Result<Page<StoredSpan>, StoreError> {
        let query =
            move |connection: &_, until: &_| read::spans(connection, until, workspace, &trace_id, &page);
        self.readers.read_until(query).await
    }

    async fn span(
        &self,
        workspace: WorkspaceId,
        trace_id: TraceId,
        span_id: SpanId,
    ) -> Result<Option<StoredSpan>, StoreError> {
        let query =
            move |connection: &_, until: &_| read::span(connection, until, workspace, &trace_id, &span_id);
        self.readers.read_until(query).await
    }

    async fn conversations(
        &self,
        workspace: WorkspaceId,
        filter: ConversationFilter,
        page: PageRequest,
    ) -> Result<Page<ConversationSummary>, StoreError> {
        self.readers.read(move |connection| read::conversations(connection, workspace, &filter, &page)).await
    }

    async fn conversation(
        &self,
        workspace: WorkspaceId,
        conversation_id: String,
        turns: PageRequest,
    ) -> Result<Option<Conversation>, StoreError> {
        let query = move |connection: &_, until: &_| {
            read::conversation(connection, until, workspace, &conversation_id, &turns)
        };
        self.readers.read_until(query).await
    }

    async fn metrics(&self, workspace: WorkspaceId, query: MetricsQuery) -> Result<Metrics, StoreError> {
        self.readers.read(move |connection| read::metrics(connection, workspace, &query)).await
    }

    async fn users(
        &self,
        workspace: WorkspaceId,
        filter: MetricsFilter,
        page: PageRequest,
    ) -> Result<Page<UserSummary>, StoreError> {
        self.readers.read(move |connection| read::users(connection, workspace, &filter, &page)).await
    }

    async fn facets(&self, workspace: WorkspaceId) -> Result<Facets, StoreError> {
        self.readers.read(move |connection| read::facets(connection, workspace)).await
    }

    fn revision(&self) -> watch::Receiver<Revision> {
        self.revision.clone()
    }

    async fn changes(
        &self,
        workspace: WorkspaceId,
        after: Revision,
        limit: usize,
    ) -> Result<(Vec<TraceSummary>, Revision), StoreError> {
        self.readers.read(move |connection| read::changes(connection, workspace, after, limit)).await
    }

    async fn workspaces(&self) -> Result<Vec<Workspace>, StoreError> {
        self.look_ups.read(admin::workspaces).await
    }

    async fn workspace(&self, slug: &str) -> Result<Option<Workspace>, StoreError> {
        let slug = slug.to_owned();
        self.look_ups.read(move |connection| admin::workspace(connection, &slug)).await
    }

    async fn create_workspace(&self, slug: Slug) -> Result<Workspace, StoreError> {
        self.writer()?.write(0, move |session| write::create_workspace(session, &slug)).await
    }

    async fn create_key(&self, key: NewKey) -> Result<KeyRecord, StoreError> {
        self.writer()?.write(0, move |session| write::create_key(session, &key)).await
    }

    async fn keys(&self) -> Result<Vec<KeyRecord>, StoreError> {
        self.look_ups.read(admin::keys).await
    }

    async fn keys_with_prefix(&self, prefix: &str) -> Result<Vec<(KeyRecord, [u8; 32])>, StoreError> {
        let prefix = prefix.to_owned();
        self.look_ups.read(move |connection| admin::keys_with_prefix(connection, &prefix)).await
    }

    async fn revoke_key(&self, id: KeyId) -> Result<bool, StoreError> {
        self.writer()?.write(0, move |session| write::revoke_key(session, id)).await
    }

    async fn prune(&self, before: Timestamp) -> Result<u64, StoreError> {
        let writer = self.writer()?;
        let mut deleted = 0;
        loop {
            let some = writer.write(0, move |session| write::prune_some(session, before)).await?;
            if some == 0 {
                break;
            }
            deleted += some;
        }
        if deleted > 0 {
            writer.write(0, write::forget_terms).await?;
            let mut done = 0;
            while let Some(next) = writer.write(0, move |session| write::forget_words(session, done)).await? {
                done = next;
            }
        }
        while writer.write(0, |session| write::vacuum_some(session)).await? {}
        Ok(deleted)
    }

    async fn ready(&self) -> Result<(), StoreError> {
        self.look_ups.read(|connection| admin::workspace(connection, Slug::DEFAULT)).await?;
        self.writer()?.write(0, |_| Ok(())).await
    }

    async fn close(&self, within: Duration) {
        let writer = self.writer.lock().unwrap_or_else(PoisonError::into_inner).take();
        if let Some(writer) = writer {
            writer.close(within).await;
        }
    }
}
