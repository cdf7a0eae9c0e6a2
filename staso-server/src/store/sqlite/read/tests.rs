//! What the queries answer is what the store in memory answers.

mod world;

use std::{fmt::Debug, time::Duration};

use proptest::prelude::*;
use tempfile::TempDir;
use tokio::runtime::{self, Runtime};
use world::{Query, batches, query};

use crate::{
    model::{
        Batch, ConversationFilter, Cursor, MetricsFilter, Page, PageRequest, TraceFilter, TraceId, TraceSort,
        TraceSummary, WorkspaceId,
    },
    store::{
        Revision, Store, StoreError,
        memory::MemoryStore,
        sqlite::{OpenOptions, SqliteStore},
    },
};

const WORKSPACES: [WorkspaceId; 2] = [WorkspaceId(1), WorkspaceId(2)];

/// The same world in two stores.
struct Both {
    memory: MemoryStore,
    sqlite: SqliteStore,
    runtime: Runtime,
    _folder: TempDir,
}

impl Both {
    /// What arrived before `closed` batches is settled, unless it changed after that.
    fn of(batches: Vec<Batch>, closed: usize) -> Self {
        let folder = tempfile::tempdir().unwrap();
        let open = || SqliteStore::open(folder.path(), OpenOptions::server("test")).unwrap();
        let runtime = runtime::Builder::new_multi_thread().worker_threads(1).enable_all().build().unwrap();
        let (memory, mut sqlite) = (MemoryStore::new(), open());
        runtime.block_on(async {
            memory.create_workspace("other".parse().unwrap()).await.unwrap();
            sqlite.create_workspace("other".parse().unwrap()).await.unwrap();
            for (number, batch) in batches.into_iter().enumerate() {
                if number == closed {
                    sqlite.close(Duration::from_secs(10)).await;
                    sqlite = open();
                }
                memory.ingest(batch.clone()).await.unwrap();
                sqlite.ingest(batch).await.unwrap();
            }
        });
        Self { memory, sqlite, runtime, _folder: folder }
    }

    fn check(&self, workspace: WorkspaceId, query: &Query, limit: usize) {
        let Self { memory, sqlite, .. } = self;
        let first = PageRequest::first(limit);
        match query.clone() {
            Query::Traces(filter, sort) => assert_same(
                self.all(limit, |page| sqlite.traces(workspace, filter.clone(), sort, page)),
                self.all(limit, |page| memory.traces(workspace, filter.clone(), sort, page)),
                |trace| sort_key(sort, trace),
            ),
            Query::Trace(id) => {
                self.assert_equal(sqlite.trace(workspace, id.clone()), memory.trace(workspace, id.clone()));
                let found = self.all(limit, |page| sqlite.spans(workspace, id.clone(), page));
                let expected = self.all(limit, |page| memory.spans(workspace, id.clone(), page));
                assert_eq!(format!("{found:#?}"), format!("{expected:#?}"));
            }
            Query::Span(id, span) => self.assert_equal(
                sqlite.span(workspace, id.clone(), span.clone()),
                memory.span(workspace, id, span),
            ),
            Query::Conversations(filter) => assert_same(
                self.all(limit, |page| sqlite.conversations(workspace, filter.clone(), page)),
                self.all(limit, |page| memory.conversations(workspace, filter.clone(), page)),
                |conversation| conversation.last_at,
            ),
            Query::Conversation(id) => {
                self.assert_equal(
                    async {
                        let found = sqlite.conversation(workspace, id.clone(), first.clone()).await?;
                        Ok(found.map(|found| found.summary))
                    },
                    async {
                        let found = memory.conversation(workspace, id.clone(), first.clone()).await?;
                        Ok(found.map(|found| found.summary))
                    },
                );
                assert_same(
                    self.all(limit, |page| turns(sqlite, workspace, &id, page)),
                    self.all(limit, |page| turns(memory, workspace, &id, page)),
                    |turn| turn.trace.started_at,
                );
            }
            Query::Metrics(query) => {
                self.assert_equal(sqlite.metrics(workspace, query.clone()), memory.metrics(workspace, query));
            }
            Query::Users(filter) => assert_same(
                self.all(limit, |page| sqlite.users(workspace, filter.clone(), page)),
                self.all(limit, |page| memory.users(workspace, filter.clone(), page)),
                |user| user.last_at,
            ),
            Query::Facets => self.assert_equal(sqlite.facets(workspace), memory.facets(workspace)),
            Query::Changes => {
                assert_same(
                    self.changes(sqlite, workspace, limit),
                    self.changes(memory, workspace, 1),
                    |_| (),
                );
            }
        }
    }

    /// The items of all pages of this size.
    fn all<T, F: Future<Output = Result<Page<T>, StoreError>>>(
        &self,
        limit: usize,
        page: impl Fn(PageRequest) -> F,
    ) -> Vec<T> {
        let mut items = Vec::new();
        let mut request = PageRequest::first(limit);
        loop {
            let Page { items: more, next } = self.runtime.block_on(page(request)).unwrap();
            assert!(more.len() == limit || next.is_none(), "a page before the last is full");
            items.extend(more);
            assert!(items.len() < 1_000, "pages go forward");
            let Some(next) = next else { return items };
            request = PageRequest { limit, after: Some(next) };
        }
    }

    /// The changes of all portions of this size.
    fn changes(&self, store: &dyn Store, workspace: WorkspaceId, limit: usize) -> Vec<TraceSummary> {
        let (mut found, mut after) = (Vec::new(), Revision(0));
        loop {
            let (changed, complete) = self.runtime.block_on(store.changes(workspace, after, limit)).unwrap();
            if changed.is_empty() {
                return found;
            }
            found.extend(changed);
            after = complete;
        }
    }

    fn assert_equal<T: Debug>(
        &self,
        found: impl Future<Output = Result<T, StoreError>>,
        expected: impl Future<Output = Result<T, StoreError>>,
    ) {
        let found = self.runtime.block_on(found).unwrap();
        let expected = self.runtime.block_on(expected).unwrap();
        assert_eq!(format!("{found:#?}"), format!("{expected:#?}"));
    }

    fn close(&self) {
        self.runtime.block_on(self.sqlite.close(Duration::from_secs(10)));
    }
}

async fn turns(
    store: &dyn Store,
    workspace: WorkspaceId,
    id: &str,
    page: PageRequest,
) -> Result<Page<crate::model::Turn>, StoreError> {
    let found = store.conversation(workspace, id.to_owned(), page).await?;
    Ok(found.map_or(Page { items: Vec::new(), next: None }, |found| found.turns))
}

/// The lists are in the same order, but for items with the same key.
fn assert_same<T: Debug, K: Ord + Debug>(found: Vec<T>, expected: Vec<T>, key: impl Fn(&T) -> K) {
    let keys = |items: &[T]| items.iter().map(&key).collect::<Vec<_>>();
    assert_eq!(keys(&found), keys(&expected));
    let texts = |items: Vec<T>| {
        let mut texts: Vec<_> = items.iter().map(|item| (key(item), format!("{item:#?}"))).collect();
        texts.sort_unstable();
        texts
    };
    assert_eq!(texts(found), texts(expected));
}

fn sort_key(sort: TraceSort, trace: &TraceSummary) -> i64 {
    let amount = match sort {
        TraceSort::Newest => return trace.started_at.as_micros(),
        TraceSort::Slowest => trace.duration_micros,
        TraceSort::Costliest => trace.cost.nano_usd,
        TraceSort::MostTokens => trace.tokens.total,
    };
    amount as i64
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(64))]

    #[test]
    fn every_query_answers_as_a_naive_store_does(
        batches in batches(),
        closed in 0_usize..6,
        queries in prop::collection::vec((query(), 1_usize..5), 40),
    ) {
        let both = Both::of(batches, closed);
        for (query, limit) in &queries {
            for workspace in WORKSPACES {
                both.check(workspace, query, *limit);
            }
        }
        both.close();
    }

    #[test]
    fn a_foreign_cursor_is_refused_and_does_no_harm(
        batches in batches(),
        texts in prop::collection::vec(".{0,20}|[a-z]{5,13}\\.[0-9]{1,30}\\..{0,5}|newest\\.[0-9]{1,30}\\.-?[0-9]{1,9}", 20),
    ) {
        let both = Both::of(batches, 1);
        let [workspace, _] = WORKSPACES;
        both.runtime.block_on(async {
            for text in texts {
                let page = PageRequest { limit: 3, after: Some(Cursor::new(text)) };
                let is_sound = |error: Option<StoreError>| {
                    assert!(matches!(error, None | Some(StoreError::BadCursor)), "{error:?}");
                };
                let Both { sqlite, .. } = &both;
                for sort in [TraceSort::Newest, TraceSort::Slowest] {
                    let filter = TraceFilter::default();
                    is_sound(sqlite.traces(workspace, filter, sort, page.clone()).await.err());
                }
                is_sound(sqlite.spans(workspace, TraceId::new("it's"), page.clone()).await.err());
                let filter = ConversationFilter::default();
                is_sound(sqlite.conversations(workspace, filter, page.clone()).await.err());
                is_sound(sqlite.conversation(workspace, "it's".to_owned(), page.clone()).await.err());
                is_sound(sqlite.users(workspace, MetricsFilter::default(), page).await.err());
            }
        });
        both.close();
    }
}
