use serde_json::{json, value::to_raw_value};

use super::*;
use crate::model::{
    AnnotationValue, Cost, Cursor, IncomingSpan, IncomingTrace, Receipt, SpanHead, SpanKind, SpanStatus,
    TimeRange,
};

const HOME: WorkspaceId = WorkspaceId(1);

fn span(id: &str, parent: Option<&str>, started_at: i64) -> IncomingSpan {
    let head = SpanHead {
        span_id: SpanId::new(id),
        parent_span_id: parent.map(SpanId::new),
        name: format!("step {id}"),
        kind: SpanKind::Agent,
        started_at: Timestamp::from_micros(started_at),
        duration_micros: 5,
        status: SpanStatus::Ok,
        provisional: false,
        agent: "planner".to_owned(),
        conversation_id: "talk".to_owned(),
        user_id: "ann".to_owned(),
        model: String::new(),
        tags: Vec::new(),
        tokens: None,
        cost: Cost::default(),
    };
    let record = to_raw_value(&json!({ "name": head.name, "input": format!("in {id}") })).unwrap();
    IncomingSpan { head, record }
}

fn batch(key: &str, workspace: WorkspaceId, trace: &str, spans: Vec<IncomingSpan>) -> Batch {
    Batch {
        sender: None,
        idempotency_key: key.to_owned(),
        digest: [0; 32],
        accepted: 1,
        received_at: Timestamp::from_micros(100),
        traces: vec![IncomingTrace {
            workspace,
            trace_id: TraceId::new(trace),
            environment: "prod".to_owned(),
            spans,
        }],
    }
}

async fn ids(store: &MemoryStore, filter: TraceFilter, page: PageRequest) -> (Vec<String>, Option<String>) {
    let page = store.traces(HOME, filter, TraceSort::Newest, page).await.unwrap();
    let ids = page.items.iter().map(|trace| trace.trace_id.to_string()).collect();
    (ids, page.next.map(|cursor| cursor.as_str().to_owned()))
}

async fn three_traces() -> MemoryStore {
    let store = MemoryStore::new();
    for (trace, started_at) in [("a", 10), ("b", 30), ("c", 20)] {
        store.ingest(batch(trace, HOME, trace, vec![span("root", None, started_at)])).await.unwrap();
    }
    store
}

#[tokio::test]
async fn pages_follow_each_other_without_gap_or_overlap() {
    let store = three_traces().await;
    let (first, next) = ids(&store, TraceFilter::default(), PageRequest::first(2)).await;
    assert_eq!(first, ["b", "c"]);
    let rest = PageRequest { limit: 2, after: next.map(Cursor::new) };
    assert_eq!(ids(&store, TraceFilter::default(), rest).await, (vec!["a".to_owned()], None));
}

#[tokio::test]
async fn a_filter_keeps_what_matches_every_condition() {
    let store = three_traces().await;
    let since = Timestamp::from_micros(20);
    let filter = TraceFilter {
        agent: Some("planner".to_owned()),
        range: TimeRange { since: Some(since), until: None },
        text: Some("IN roo".to_owned()),
        ..TraceFilter::default()
    };
    assert_eq!(ids(&store, filter.clone(), PageRequest::first(9)).await.0, ["b", "c"]);
    let none = TraceFilter { user: Some("bob".to_owned()), ..filter };
    assert_eq!(ids(&store, none, PageRequest::first(9)).await.0, [""; 0]);
}

#[tokio::test]
async fn another_workspace_sees_nothing() {
    let store = three_traces().await;
    let other = store.create_workspace("other".parse().unwrap()).await.unwrap().id;
    let page = store.traces(other, TraceFilter::default(), TraceSort::Newest, PageRequest::first(9)).await;
    assert_eq!(page.unwrap().items, []);
    assert_eq!(store.trace(other, TraceId::new("a")).await.unwrap(), None);
}

#[tokio::test]
async fn a_repeated_key_stores_once_and_another_body_conflicts() {
    let store = three_traces().await;
    let receipt = Receipt { receipt_id: "a".to_owned(), accepted: 1 };
    let again = batch("a", HOME, "z", vec![span("root", None, 1)]);
    assert_eq!(store.ingest(again).await.unwrap(), IngestOutcome::Repeated(receipt));
    let other = Batch { digest: [1; 32], ..batch("a", HOME, "z", vec![span("root", None, 1)]) };
    assert_eq!(store.ingest(other).await.unwrap(), IngestOutcome::Conflict);
    assert_eq!(ids(&store, TraceFilter::default(), PageRequest::first(9)).await.0.len(), 3);
}

#[tokio::test]
async fn a_conversation_has_its_turns_from_the_earliest() {
    let store = three_traces().await;
    let found = store.conversation(HOME, "talk".to_owned(), PageRequest::first(9)).await.unwrap().unwrap();
    assert_eq!((found.summary.traces, found.summary.users), (3, vec!["ann".to_owned()]));
    let turns: Vec<_> = found.turns.items.iter().map(|turn| turn.trace.trace_id.as_str()).collect();
    assert_eq!(turns, ["a", "c", "b"]);
    assert_eq!(found.turns.items[0].input, "in root");
}

#[tokio::test]
async fn an_annotation_waits_for_its_trace() {
    let store = MemoryStore::new();
    let annotation = Annotation {
        name: "helpful".to_owned(),
        value: AnnotationValue::Boolean(true),
        span_id: None,
        comment: None,
        received_at: Timestamp::from_micros(1),
    };
    store.annotate(None, TraceId::new("a"), annotation.clone()).await.unwrap();
    store.ingest(batch("a", HOME, "a", vec![span("root", None, 1)])).await.unwrap();
    let trace = store.trace(HOME, TraceId::new("a")).await.unwrap().unwrap();
    assert_eq!(trace.annotations, [annotation]);
}

#[tokio::test]
async fn changes_come_after_a_revision_and_are_announced() {
    let store = three_traces().await;
    let seen = *store.revision().borrow();
    store.ingest(batch("d", HOME, "a", vec![span("child", Some("root"), 12)])).await.unwrap();
    let (changed, revision) = store.changes(HOME, seen, 9).await.unwrap();
    assert_eq!(
        changed.iter().map(|trace| (trace.trace_id.as_str(), trace.spans)).collect::<Vec<_>>(),
        [("a", 2)]
    );
    assert_eq!(revision, *store.revision().borrow());
}
