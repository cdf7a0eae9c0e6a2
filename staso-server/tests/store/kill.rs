//! `kill -9` while four clients send: what was acknowledged is there, and nothing is there by half.

use std::{
    collections::BTreeSet,
    env,
    io::{BufRead, BufReader, Write},
    path::Path,
    process::{Command, Stdio},
};

use serde_json::value::RawValue;
use staso_server::{
    model::{
        Batch, Cost, IncomingSpan, IncomingTrace, IngestOutcome, PageRequest, SpanHead, SpanId, SpanKind,
        SpanStatus, Timestamp, TraceFilter, TraceId, TraceSort, WorkspaceId,
    },
    store::Store,
};

use crate::world::{SOON, default_workspace, open, runtime};

const ROUNDS: u64 = 50;
const CLIENTS: u64 = 4;
const TRACES: u64 = 3;
const SPANS: u64 = 2;

/// Where the child finds its folder and the number of its round.
const FOLDER: &str = "STASO_TEST_KILL_FOLDER";
const ROUND: &str = "STASO_TEST_KILL_ROUND";

/// What the child says of a batch that was acknowledged.
const ACKNOWLEDGED: &str = "acknowledged ";

#[test]
fn what_was_acknowledged_survives_kill_9_and_nothing_is_there_twice_or_by_half() {
    let folder = tempfile::tempdir().unwrap();
    let mut seed = 0x2545_F491_4F6C_DD1D_u64;
    let mut acknowledged_so_far = BTreeSet::new();
    for round in 0..ROUNDS {
        seed = seed.wrapping_mul(6_364_136_223_846_793_005).wrapping_add(1_442_695_040_888_963_407);
        let acknowledged = kill_after(1 + (seed >> 33) % 40, folder.path(), round);
        check(folder.path(), round, &acknowledged);
        acknowledged_so_far.extend(acknowledged);
    }
    runtime().block_on(async {
        let store = open(folder.path());
        let workspace = default_workspace(&store).await;
        for key in acknowledged_so_far {
            let again = store.ingest(batch(workspace, &key)).await.unwrap();
            assert!(matches!(again, IngestOutcome::Repeated(_)), "{key}: {again:?}");
        }
        store.close(SOON).await;
    });
}

/// Not a test of its own: the process that is killed. Does nothing unless it is told where.
#[test]
fn child() {
    let (Ok(folder), Ok(round)) = (env::var(FOLDER), env::var(ROUND)) else { return };
    runtime().block_on(async {
        let store = open(folder.as_ref());
        let workspace = default_workspace(&store).await;
        let send = |client: u64| {
            let (store, round) = (&store, &round);
            async move {
                for number in 0.. {
                    let key = format!("{round}/{client}/{number}");
                    store.ingest(batch(workspace, &key)).await.unwrap();
                    writeln!(std::io::stdout(), "{ACKNOWLEDGED}{key}").unwrap();
                }
            }
        };
        tokio::join!(send(0), send(1), send(2), send(CLIENTS - 1));
    });
}

/// Starts a child and kills it when it has said of so many batches that they are stored. Those of which it said
/// so until it was dead.
fn kill_after(batches: u64, folder: &Path, round: u64) -> BTreeSet<String> {
    let mut child = Command::new(env::current_exe().unwrap())
        .args(["--exact", "kill::child", "--nocapture", "--test-threads=1"])
        .env(FOLDER, folder)
        .env(ROUND, round.to_string())
        .stdout(Stdio::piped())
        .spawn()
        .unwrap();
    let mut acknowledged = BTreeSet::new();
    for line in BufReader::new(child.stdout.take().unwrap()).lines() {
        let line = line.unwrap();
        let Some((_, key)) = line.split_once(ACKNOWLEDGED) else { continue };
        assert!(acknowledged.insert(key.to_owned()));
        if acknowledged.len() as u64 == batches {
            child.kill().unwrap();
        }
    }
    assert!(!child.wait().unwrap().success());
    assert!(acknowledged.len() as u64 >= batches, "the child ended by itself");
    acknowledged
}

fn check(folder: &Path, round: u64, acknowledged: &BTreeSet<String>) {
    runtime().block_on(async {
        let store = open(folder);
        let workspace = default_workspace(&store).await;
        let filter = TraceFilter { conversation: Some(format!("round {round}")), ..TraceFilter::default() };
        let page = PageRequest::first(usize::MAX >> 1);
        let found = store.traces(workspace, filter, TraceSort::Newest, page).await.unwrap().items;
        assert!(found.iter().all(|trace| trace.spans == SPANS));
        let ids: BTreeSet<&str> = found.iter().map(|trace| trace.trace_id.as_str()).collect();
        assert_eq!(ids.len(), found.len(), "a trace is there twice");
        let stored: BTreeSet<&str> =
            ids.iter().filter_map(|id| id.rsplit_once('#')).map(|(key, _)| key).collect();
        assert_eq!(ids.len() as u64, stored.len() as u64 * TRACES, "a batch is there by half");
        let lost: Vec<_> = acknowledged.iter().filter(|key| !stored.contains(key.as_str())).collect();
        assert!(lost.is_empty(), "lost in round {round}: {lost:?}");
        store.close(SOON).await;
    });
    let connection = rusqlite::Connection::open(folder.join("staso.db")).unwrap();
    let verdict: String = connection.query_row("PRAGMA integrity_check", [], |row| row.get(0)).unwrap();
    assert_eq!(verdict, "ok");
}

fn batch(workspace: WorkspaceId, key: &str) -> Batch {
    let round = key.split('/').next().unwrap_or_default();
    let trace = |number| IncomingTrace {
        workspace,
        trace_id: TraceId::new(format!("{key}#{number}")),
        environment: "prod".to_owned(),
        spans: (0..SPANS).map(|number| span(round, number)).collect(),
    };
    Batch {
        sender: None,
        idempotency_key: key.to_owned(),
        digest: [7; 32],
        accepted: TRACES as usize,
        received_at: Timestamp::now(),
        traces: (0..TRACES).map(trace).collect(),
    }
}

fn span(round: &str, number: u64) -> IncomingSpan {
    let head = SpanHead {
        span_id: SpanId::new(number.to_string()),
        parent_span_id: (number > 0).then(|| SpanId::new("0")),
        name: "step".to_owned(),
        kind: SpanKind::Tool,
        started_at: Timestamp::from_micros(1_000_000),
        duration_micros: 5,
        status: SpanStatus::Ok,
        provisional: false,
        agent: "planner".to_owned(),
        conversation_id: format!("round {round}"),
        user_id: "alice".to_owned(),
        model: String::new(),
        tags: Vec::new(),
        tokens: None,
        cost: Cost::default(),
    };
    IncomingSpan { head, record: RawValue::from_string(r#"{"name":"step"}"#.to_owned()).unwrap() }
}
