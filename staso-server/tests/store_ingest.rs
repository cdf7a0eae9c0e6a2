//! What the store on SQLite makes of what arrives, however it arrives.

#![allow(missing_docs)]

use std::{path::Path, time::Duration};

use proptest::prelude::*;
use serde_json::value::RawValue;
use staso_server::{
    model::{
        Batch, Cost, IncomingSpan, IncomingTrace, IngestOutcome, PageRequest, SpanHead, SpanId, SpanKind,
        SpanStatus, Timestamp, Tokens, TraceDetail, TraceFilter, TraceId, TraceSort, WorkspaceId,
    },
    store::{
        OpenError, Store, StoreError,
        memory::MemoryStore,
        sqlite::{OpenOptions, SqliteStore},
    },
};

fn open(folder: &Path) -> SqliteStore {
    SqliteStore::open(folder, OpenOptions::server("http://127.0.0.1:1")).expect("the store opens")
}

async fn default_workspace(store: &dyn Store) -> WorkspaceId {
    store.workspace("default").await.expect("a query").expect("there always is one").id
}

/// A version of a span: few identifiers, so that versions of one span meet.
#[derive(Clone, Debug)]
struct Version {
    span: u8,
    provisional: bool,
    started: i64,
    duration: u64,
    failed: bool,
    agent: u8,
    conversation: u8,
    model: u8,
    tag: u8,
}

impl Version {
    fn span(&self) -> IncomingSpan {
        let (provisional, duration) = if self.provisional { (true, 0) } else { (false, self.duration) };
        let tokens = (self.model > 0).then_some(Tokens { input: 10, output: 5, total: 15 });
        let head = SpanHead {
            span_id: SpanId::new(format!("00000000-0000-0000-0000-00000000000{}", self.span)),
            parent_span_id: (self.span > 0).then(|| SpanId::new("00000000-0000-0000-0000-000000000000")),
            name: format!("step-{}", self.tag),
            kind: if self.span == 0 { SpanKind::Agent } else { SpanKind::Tool },
            started_at: Timestamp::from_micros(self.started),
            duration_micros: duration,
            status: if self.failed { SpanStatus::Error } else { SpanStatus::Ok },
            provisional,
            agent: format!("agent-{}", self.agent),
            conversation_id: ["", "conv-1", "conv-2"][usize::from(self.conversation)].to_owned(),
            user_id: "alice".to_owned(),
            model: ["", "gpt-4o", "claude"][usize::from(self.model)].to_owned(),
            tags: vec![format!("tag-{}", self.tag)],
            tokens,
            cost: if self.model > 0 { Cost::of_call(Some(1_000)) } else { Cost::default() },
        };
        let record = format!("{{\"name\":{:?},\"version\":\"{self:?}\"}}", head.name);
        IncomingSpan { head, record: RawValue::from_string(record).expect("JSON") }
    }
}

fn version() -> impl Strategy<Value = Version> {
    (0_u8..4, any::<bool>(), 0_i64..50, 0_u64..50, any::<bool>(), 0_u8..3, 0_u8..3, 0_u8..3, 0_u8..2)
        .prop_map(|(span, provisional, started, duration, failed, agent, conversation, model, tag)| Version {
            span,
            provisional: provisional && span == 0,
            started,
            duration,
            failed,
            agent,
            conversation,
            model,
            tag,
        })
}

fn batch(workspace: WorkspaceId, key: &str, versions: &[Version]) -> Batch {
    Batch {
        idempotency_key: key.to_owned(),
        digest: [1; 32],
        accepted: 1,
        received_at: Timestamp::from_micros(1_000),
        traces: vec![IncomingTrace {
            workspace,
            trace_id: TraceId::new("97aaac76-45d6-1f11-b80c-982a1633bc6e"),
            environment: "prod".to_owned(),
            spans: versions.iter().map(Version::span).collect(),
        }],
    }
}

/// Everything that can be asked of the one trace.
async fn state(store: &dyn Store, workspace: WorkspaceId) -> String {
    let trace_id = TraceId::new("97aaac76-45d6-1f11-b80c-982a1633bc6e");
    let detail: Option<TraceDetail> = store.trace(workspace, trace_id.clone()).await.expect("a query");
    let spans = store.spans(workspace, trace_id, PageRequest::first(100)).await.expect("a query");
    let records: Vec<String> = spans.items.iter().map(|span| span.record.get().to_owned()).collect();
    let conversations =
        store.conversations(workspace, Default::default(), PageRequest::first(10)).await.expect("a query");
    let mut facets = store.facets(workspace).await.expect("a query");
    facets.agents.sort();
    facets.models.sort();
    facets.tags.sort();
    let mut series = Vec::new();
    for by in ["agent", "model", "user"] {
        let by = serde_json::from_value(by.into()).expect("a dimension");
        let query =
            staso_server::model::MetricsQuery { filter: Default::default(), by: Some(by), bucket: None };
        let mut metrics = store.metrics(workspace, query).await.expect("a query");
        metrics.series.sort_by(|a, b| a.key.cmp(&b.key));
        series.push(metrics);
    }
    let mut conversations = conversations.items;
    conversations.sort_by(|a, b| a.conversation_id.cmp(&b.conversation_id));
    format!("{detail:#?}\n{records:#?}\n{conversations:#?}\n{facets:#?}\n{series:#?}")
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(48))]

    #[test]
    fn a_trace_comes_to_one_state_whatever_the_order_of_its_records(
        versions in prop::collection::vec(version(), 1..10),
        order in prop::collection::vec(any::<prop::sample::Index>(), 1..20),
        cut in 1_usize..4,
    ) {
        let runtime = tokio::runtime::Builder::new_multi_thread().worker_threads(1).enable_all().build().unwrap();
        runtime.block_on(async {
            let plain = MemoryStore::new();
            let workspace = default_workspace(&plain).await;
            plain.ingest(batch(workspace, "all", &versions)).await.unwrap();
            let expected = state(&plain, workspace).await;

            let mut shuffled: Vec<Version> = order.iter().map(|index| index.get(&versions).clone()).collect();
            shuffled.extend(versions.iter().rev().cloned());
            let folder = tempfile::tempdir().unwrap();
            let store = open(folder.path());
            for (number, some) in shuffled.chunks(cut).enumerate() {
                store.ingest(batch(workspace, &format!("key-{number}"), some)).await.unwrap();
            }
            let found = state(&store, workspace).await;
            store.close(Duration::from_secs(10)).await;
            assert_eq!(found, expected);

            let settled = open(folder.path());
            assert_eq!(state(&settled, workspace).await, expected, "after it was settled");
        });
    }
}

fn one(started: i64) -> Vec<Version> {
    vec![Version {
        span: 0,
        provisional: false,
        started,
        duration: 5,
        failed: false,
        agent: 0,
        conversation: 1,
        model: 0,
        tag: 0,
    }]
}

#[tokio::test(flavor = "multi_thread")]
async fn a_repeated_key_stores_nothing_even_after_a_restart() {
    let folder = tempfile::tempdir().unwrap();
    let store = open(folder.path());
    let workspace = default_workspace(&store).await;
    let first = store.ingest(batch(workspace, "k", &one(1))).await.unwrap();
    let IngestOutcome::Stored(receipt) = first else { panic!("{first:?}") };
    assert_eq!(
        store.ingest(batch(workspace, "k", &one(1))).await.unwrap(),
        IngestOutcome::Repeated(receipt.clone())
    );
    store.close(Duration::from_secs(10)).await;
    drop(store);

    let store = open(folder.path());
    assert_eq!(store.ingest(batch(workspace, "k", &one(1))).await.unwrap(), IngestOutcome::Repeated(receipt));
    let other = Batch { digest: [2; 32], ..batch(workspace, "k", &one(2)) };
    assert_eq!(store.ingest(other).await.unwrap(), IngestOutcome::Conflict);
}

#[tokio::test(flavor = "multi_thread")]
async fn a_full_disk_stores_nothing_and_passes() {
    let folder = tempfile::tempdir().unwrap();
    let store = open(folder.path());
    let workspace = default_workspace(&store).await;
    store.ingest(batch(workspace, "before", &one(1))).await.unwrap();
    store.limit_pages(Some(0)).await.unwrap();
    let long = "x".repeat(3 << 20);
    let mut full = batch(workspace, "full", &one(2));
    for trace in &mut full.traces {
        trace.trace_id = TraceId::new("another");
        for (number, span) in trace.spans.iter_mut().enumerate() {
            // Text that does not compress away.
            let noise: String = (0..long.len() as u64)
                .map(|at| {
                    char::from(
                        b'a' + (at.wrapping_mul(0x9E37_79B9_7F4A_7C15).rotate_left(at as u32) % 26) as u8,
                    )
                })
                .collect();
            span.record = RawValue::from_string(format!("{{\"n\":{number},\"input\":{noise:?}}}")).unwrap();
        }
    }
    assert!(matches!(store.ingest(full.clone()).await, Err(StoreError::Full)));
    let listed = store.traces(workspace, TraceFilter::default(), TraceSort::Newest, PageRequest::first(10));
    assert_eq!(listed.await.unwrap().items.len(), 1, "reads go on, and nothing of the batch is there");
    store.limit_pages(None).await.unwrap();
    assert!(matches!(store.ingest(full).await, Ok(IngestOutcome::Stored(_))));
}

#[tokio::test(flavor = "multi_thread")]
async fn the_second_server_of_a_folder_says_who_has_it() {
    let folder = tempfile::tempdir().unwrap();
    let _first = open(folder.path());
    let Err(error) = SqliteStore::open(folder.path(), OpenOptions::server("http://127.0.0.1:2")) else {
        panic!("two servers write to one folder")
    };
    assert!(matches!(error, OpenError::Held { .. }));
    let said = error.to_string();
    assert!(said.contains("http://127.0.0.1:1") && said.contains(&std::process::id().to_string()), "{said}");
    SqliteStore::open(folder.path(), OpenOptions::tool()).expect("a tool reads beside a server");
}

#[tokio::test(flavor = "multi_thread")]
async fn a_damaged_file_is_named_and_left_alone() {
    let folder = tempfile::tempdir().unwrap();
    let store = open(folder.path());
    let workspace = default_workspace(&store).await;
    for number in 0..20 {
        store.ingest(batch(workspace, &format!("k{number}"), &one(number))).await.unwrap();
    }
    store.close(Duration::from_secs(10)).await;
    drop(store);
    let file = folder.path().join("staso.db");
    let mut bytes = std::fs::read(&file).unwrap();
    for byte in bytes.iter_mut().skip(8192).take(4096) {
        *byte ^= 0xA5;
    }
    std::fs::write(&file, &bytes).unwrap();
    let Err(error) = SqliteStore::open(folder.path(), OpenOptions::server("x")) else { panic!("it opened") };
    let said = error.to_string();
    assert!(said.contains("staso.db") && said.contains(".recover"), "{said}");
    assert!(std::fs::read(&file).unwrap() == bytes, "the file is as it was");
}

#[tokio::test(flavor = "multi_thread")]
async fn a_cut_log_leaves_the_last_commit() {
    let folder = tempfile::tempdir().unwrap();
    let store = open(folder.path());
    let workspace = default_workspace(&store).await;
    for number in 0..20 {
        store.ingest(batch(workspace, &format!("k{number}"), &one(number))).await.unwrap();
    }
    // A copy of the files as a crash leaves them, the log cut in the middle of a page.
    let copy = tempfile::tempdir().unwrap();
    std::fs::copy(folder.path().join("staso.db"), copy.path().join("staso.db")).unwrap();
    let log = std::fs::read(folder.path().join("staso.db-wal")).unwrap();
    std::fs::write(copy.path().join("staso.db-wal"), &log[..log.len() - 1000]).unwrap();
    let cut = open(copy.path());
    let listed = cut.traces(workspace, TraceFilter::default(), TraceSort::Newest, PageRequest::first(10));
    assert_eq!(listed.await.unwrap().items.len(), 1);
    assert!(matches!(cut.ingest(batch(workspace, "k0", &one(0))).await, Ok(IngestOutcome::Repeated(_))));
    assert!(matches!(cut.ingest(batch(workspace, "k19", &one(19))).await, Ok(IngestOutcome::Stored(_))));
}

#[tokio::test(flavor = "multi_thread")]
async fn what_is_pruned_leaves_nothing_behind() {
    let folder = tempfile::tempdir().unwrap();
    let store = open(folder.path());
    let workspace = default_workspace(&store).await;
    store.ingest(batch(workspace, "k", &one(1))).await.unwrap();
    assert_eq!(store.prune(Timestamp::from_micros(1)).await.unwrap(), 0);
    assert_eq!(store.prune(Timestamp::from_micros(2)).await.unwrap(), 1);
    let empty = MemoryStore::new();
    assert_eq!(state(&store, workspace).await, state(&empty, workspace).await);
}
