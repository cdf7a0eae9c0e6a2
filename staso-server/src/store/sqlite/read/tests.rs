//! What the queries answer is what the store in memory answers.

mod fixture;
mod world;

use std::fmt::Debug;

use fixture::{Fixture, Indexed};
use proptest::{prelude::*, sample::select};
use rusqlite::Connection;
use tokio::runtime;

use super::*;
use crate::{
    model::{
        Batch, Cursor, Metrics, Page, PageRequest, SpanId, TraceFilter, TraceId, TraceSort, TraceSummary,
        WorkspaceId,
    },
    store::{Facets, Revision, Store, StoreError, memory::MemoryStore},
};

const WORKSPACES: [WorkspaceId; 2] = [WorkspaceId(1), WorkspaceId(2)];

/// The same world in both stores.
struct Both {
    memory: MemoryStore,
    sqlite: Connection,
}

impl Both {
    fn of(batches: Vec<Batch>, indexed: &[Indexed]) -> Self {
        let memory = MemoryStore::new();
        now(memory.create_workspace("other")).unwrap();
        let mut fixture = Fixture::new(Connection::open_in_memory().unwrap());
        fixture.write(batches.clone(), |number| indexed[number as usize % indexed.len()]);
        for batch in batches {
            now(memory.ingest(batch)).unwrap();
        }
        Self { memory, sqlite: fixture.connection }
    }
}

impl Debug for Both {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        self.memory.fmt(f)
    }
}

fn now<T>(future: impl Future<Output = T>) -> T {
    runtime::Builder::new_current_thread().build().unwrap().block_on(future)
}

fn both() -> impl Strategy<Value = Both> {
    let indexed = select(vec![Indexed::Settled, Indexed::Settled, Indexed::Unsettled, Indexed::Stale]);
    (world::batches(), prop::collection::vec(indexed, 5))
        .prop_map(|(batches, indexed)| Both::of(batches, &indexed))
}

/// The items of all pages of this size.
fn all<T>(limit: usize, mut page: impl FnMut(&PageRequest) -> Result<Page<T>, StoreError>) -> Vec<T> {
    let mut items = Vec::new();
    let mut request = PageRequest::first(limit);
    loop {
        let Page { items: more, next } = page(&request).unwrap();
        assert!(more.len() == limit || next.is_none(), "a page before the last is full");
        items.extend(more);
        let Some(next) = next else { return items };
        request.after = Some(next);
    }
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
    fn lists_of_traces_are_those_of_a_naive_filter(
        both in both(), filter in world::trace_filter(), sort in world::sort(), limit in 1_usize..5,
    ) {
        for workspace in WORKSPACES {
            let found = all(limit, |page| traces(&both.sqlite, workspace, &filter, sort, page));
            let expected = all(limit, |page| {
                now(both.memory.traces(workspace, filter.clone(), sort, page.clone()))
            });
            assert_same(found, expected, |trace| sort_key(sort, trace));
        }
    }

    #[test]
    fn a_trace_and_its_spans_are_those_that_arrived(both in both(), limit in 1_usize..5, span_id in 0_u8..6) {
        for (workspace, number) in WORKSPACES.into_iter().flat_map(|of| (0..9).map(move |n| (of, n))) {
            let id = TraceId::new(format!("trace {number}"));
            let found = trace(&both.sqlite, workspace, &id).unwrap();
            prop_assert_eq!(found, now(both.memory.trace(workspace, id.clone())).unwrap());

            let found = all(limit, |page| spans(&both.sqlite, workspace, &id, page));
            let expected = all(limit, |page| now(both.memory.spans(workspace, id.clone(), page.clone())));
            prop_assert_eq!(format!("{found:?}"), format!("{expected:?}"));

            let span_id = SpanId::new(span_id.to_string());
            let found = span(&both.sqlite, workspace, &id, &span_id).unwrap();
            let expected = now(both.memory.span(workspace, id, span_id)).unwrap();
            prop_assert_eq!(format!("{found:?}"), format!("{expected:?}"));
        }
    }

    #[test]
    fn conversations_are_those_of_a_naive_filter(
        both in both(), filter in world::conversation_filter(), limit in 1_usize..5, id in world::name(),
    ) {
        for workspace in WORKSPACES {
            let found = all(limit, |page| conversations(&both.sqlite, workspace, &filter, page));
            let expected = all(limit, |page| {
                now(both.memory.conversations(workspace, filter.clone(), page.clone()))
            });
            assert_same(found, expected, |conversation| conversation.last_at);

            let mut page = PageRequest::first(limit);
            loop {
                let found = conversation(&both.sqlite, workspace, &id, &page).unwrap();
                let same_page = PageRequest { after: page.after.clone(), ..page };
                let expected = now(both.memory.conversation(workspace, id.clone(), same_page)).unwrap();
                prop_assert_eq!(format!("{found:#?}"), format!("{expected:#?}"));
                page.after = found.and_then(|found| found.turns.next);
                if page.after.is_none() {
                    break;
                }
            }
        }
    }

    #[test]
    fn metrics_are_sums_over_what_matches(both in both(), query in world::metrics_query()) {
        for workspace in WORKSPACES {
            let Metrics { series } = metrics(&both.sqlite, workspace, &query).unwrap();
            let expected = now(both.memory.metrics(workspace, query.clone())).unwrap();
            prop_assert_eq!(series, expected.series);
        }
    }

    #[test]
    fn users_are_those_of_what_matches(
        both in both(), filter in world::metrics_filter(), limit in 1_usize..5,
    ) {
        for workspace in WORKSPACES {
            let found = all(limit, |page| users(&both.sqlite, workspace, &filter, page));
            let expected = all(limit, |page| {
                now(both.memory.users(workspace, filter.clone(), page.clone()))
            });
            assert_same(found, expected, |user| user.last_at);
        }
    }

    #[test]
    fn menus_have_the_values_of_their_workspace(both in both()) {
        for workspace in WORKSPACES {
            prop_assert_eq!(
                facets(&both.sqlite, workspace).unwrap(),
                now(both.memory.facets(workspace)).unwrap()
            );
        }
    }

    #[test]
    fn changes_come_in_portions_without_a_gap(both in both(), limit in 1_usize..5) {
        let (mut found, mut after) = (Vec::new(), Revision(0));
        loop {
            let (changed, complete) = changes(&both.sqlite, WORKSPACES[0], after, limit).unwrap();
            if changed.is_empty() {
                break;
            }
            found.extend(changed);
            after = complete;
        }
        let (expected, _) = now(both.memory.changes(WORKSPACES[0], Revision(0), usize::MAX)).unwrap();
        assert_same(found, expected, |_| ());
    }

    #[test]
    fn a_foreign_cursor_is_refused_and_does_no_harm(both in both(), text in ".{0,20}|[a-z]{5,13}\\.[0-9]{1,30}\\..{0,5}") {
        let page = PageRequest { limit: 3, after: Some(Cursor::new(text)) };
        let [workspace, _] = WORKSPACES;
        for sort in [TraceSort::Newest, TraceSort::Slowest] {
            let _ = traces(&both.sqlite, workspace, &TraceFilter::default(), sort, &page);
        }
        let _ = spans(&both.sqlite, workspace, &TraceId::new("trace 0"), &page);
        let _ = conversations(&both.sqlite, workspace, &Default::default(), &page);
        let _ = conversation(&both.sqlite, workspace, "planner", &page);
        let _ = users(&both.sqlite, workspace, &Default::default(), &page);
    }
}

#[test]
fn an_empty_workspace_has_nothing() {
    let both = Both::of(Vec::new(), &[Indexed::Settled]);
    let [workspace, _] = WORKSPACES;
    let page = PageRequest::first(9);
    let list = traces(&both.sqlite, workspace, &TraceFilter::default(), TraceSort::Newest, &page);
    assert_eq!(list.unwrap(), Page { items: Vec::new(), next: None });
    assert_eq!(facets(&both.sqlite, workspace).unwrap(), Facets::default());
    assert_eq!(changes(&both.sqlite, workspace, Revision(7), 9).unwrap(), (Vec::new(), Revision(7)));
}
