//! A small world: few identifiers and values, so that versions of one span meet.

use std::{path::Path, time::Duration};

use proptest::prelude::*;
use serde_json::value::RawValue;
use staso_server::{
    model::{
        Batch, Cost, IncomingSpan, IncomingTrace, MetricsQuery, PageRequest, SpanHead, SpanId, SpanKind,
        SpanStatus, Timestamp, Tokens, TraceFilter, TraceId, TraceSort, TraceSummary, WorkspaceId,
    },
    store::{
        Store,
        sqlite::{OpenOptions, SqliteStore},
    },
};

/// How long a store may take to close: a watchdog.
pub(crate) const SOON: Duration = Duration::from_secs(60);

pub(crate) fn open(folder: &Path) -> SqliteStore {
    SqliteStore::open(folder, OpenOptions::server("http://127.0.0.1:1")).unwrap()
}

pub(crate) async fn default_workspace(store: &dyn Store) -> WorkspaceId {
    store.workspace("default").await.unwrap().unwrap().id
}

/// A version of a span.
#[derive(Clone, Debug, Default)]
pub(crate) struct Version {
    pub(crate) span: u32,
    pub(crate) provisional: bool,
    pub(crate) started: i64,
    pub(crate) duration: u64,
    pub(crate) failed: bool,
    pub(crate) agent: u8,
    pub(crate) conversation: u8,
    pub(crate) model: u8,
    pub(crate) tag: u8,
    pub(crate) environment: u8,
}

pub(crate) fn version() -> impl Strategy<Value = Version> {
    let times = (0_i64..50, 0_u64..50);
    let texts = (0_u8..3, 0_u8..3, 0_u8..3, 0_u8..2, 0_u8..2);
    (0_u32..4, any::<bool>(), times, any::<bool>(), texts).prop_map(
        |(span, provisional, (started, duration), failed, texts)| {
            let (agent, conversation, model, tag, environment) = texts;
            let provisional = provisional && span == 0;
            let duration = if provisional { 0 } else { duration };
            Version {
                span,
                provisional,
                started,
                duration,
                failed,
                agent,
                conversation,
                model,
                tag,
                environment,
            }
        },
    )
}

impl Version {
    pub(crate) fn span(&self) -> IncomingSpan {
        let calls_model = self.model > 0;
        let head = SpanHead {
            span_id: SpanId::new(format!("00000000-0000-0000-0000-{:012}", self.span)),
            parent_span_id: (self.span > 0).then(|| SpanId::new("00000000-0000-0000-0000-000000000000")),
            name: format!("step {}", self.tag),
            kind: if self.span == 0 { SpanKind::Agent } else { SpanKind::Tool },
            started_at: Timestamp::from_micros(self.started),
            duration_micros: self.duration,
            status: if self.failed { SpanStatus::Error } else { SpanStatus::Ok },
            provisional: self.provisional,
            agent: ["planner", "writer", "critic"][usize::from(self.agent)].to_owned(),
            conversation_id: ["", "monday", "tuesday"][usize::from(self.conversation)].to_owned(),
            user_id: "alice".to_owned(),
            model: ["", "gpt-4o", "claude"][usize::from(self.model)].to_owned(),
            tags: vec![format!("tag {}", self.tag)],
            tokens: calls_model.then_some(Tokens { input: 10, output: 5, total: 15 }),
            cost: if calls_model { Cost::of_call(Some(1_000)) } else { Cost::default() },
        };
        let record = serde_json::json!({ "name": head.name, "input": format!("{self:?}") });
        IncomingSpan { head, record: RawValue::from_string(record.to_string()).unwrap() }
    }
}

/// A root that has ended.
pub(crate) fn root(started: i64) -> Vec<Version> {
    vec![Version { started, duration: 5, conversation: 1, ..Version::default() }]
}

/// A batch that came in 1970: its traces have long been quiet.
pub(crate) fn batch(workspace: WorkspaceId, key: &str, trace_id: &str, versions: &[Version]) -> Batch {
    let trace = |version: &Version| IncomingTrace {
        workspace,
        trace_id: TraceId::new(trace_id),
        environment: ["prod", "dev"][usize::from(version.environment)].to_owned(),
        spans: vec![version.span()],
    };
    Batch {
        sender: None,
        idempotency_key: key.to_owned(),
        digest: [1; 32],
        accepted: versions.len(),
        received_at: Timestamp::from_micros(1_000),
        traces: versions.iter().map(trace).collect(),
    }
}

/// A batch of which the server remembers that it had it, as it does of those of the last days.
pub(crate) fn recent_batch(workspace: WorkspaceId, key: &str, trace_id: &str, versions: &[Version]) -> Batch {
    Batch { received_at: Timestamp::now(), ..batch(workspace, key, trace_id, versions) }
}

pub(crate) async fn list(store: &dyn Store, workspace: WorkspaceId, text: Option<&str>) -> Vec<TraceSummary> {
    let filter = TraceFilter { text: text.map(str::to_owned), ..TraceFilter::default() };
    let page = PageRequest::first(1_000);
    store.traces(workspace, filter, TraceSort::Newest, page).await.unwrap().items
}

/// Everything that can be asked of the store, as text.
pub(crate) async fn picture(store: &dyn Store, workspace: WorkspaceId) -> String {
    let mut picture = String::new();
    for text in [None, Some("step"), Some("tag: 1"), Some("started: 7 dur")] {
        picture.push_str(&format!("{text:?}: {:#?}\n", list(store, workspace, text).await));
    }
    for summary in list(store, workspace, None).await {
        let detail = store.trace(workspace, summary.trace_id.clone()).await.unwrap();
        let spans = store.spans(workspace, summary.trace_id, PageRequest::first(1_000)).await.unwrap().items;
        let records: Vec<&str> = spans.iter().map(|span| span.record.get()).collect();
        picture.push_str(&format!("{detail:#?}\n{records:#?}\n"));
    }
    let page = PageRequest::first(100);
    let mut conversations = store.conversations(workspace, Default::default(), page).await.unwrap().items;
    conversations.sort_by(|a, b| a.conversation_id.cmp(&b.conversation_id));
    let facets = store.facets(workspace).await.unwrap();
    picture.push_str(&format!("{conversations:#?}\n{facets:#?}\n"));
    for by in ["null", "\"agent\"", "\"environment\"", "\"model\"", "\"user\""] {
        let query = MetricsQuery {
            filter: Default::default(),
            by: serde_json::from_str(by).unwrap(),
            bucket: None,
            limit: 100,
        };
        let metrics = store.metrics(workspace, query).await.unwrap();
        picture.push_str(&format!("{by}: {metrics:#?}\n"));
    }
    picture
}

pub(crate) fn runtime() -> tokio::runtime::Runtime {
    tokio::runtime::Builder::new_multi_thread().worker_threads(2).enable_all().build().unwrap()
}
