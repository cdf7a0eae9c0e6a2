//! What the store does by itself or when it is told to clean up.

use std::path::Path;

use rusqlite::Connection;
use staso_server::{
    model::Timestamp,
    store::{Store, memory::MemoryStore},
};

use crate::world::{SOON, Version, batch, default_workspace, list, open, picture, recent_batch, root};

/// How many rows each table has that grows with what arrives.
fn rows(folder: &Path) -> Vec<(&'static str, i64)> {
    const TABLES: [&str; 11] = [
        "trace",
        "span",
        "block",
        "block_use",
        "facet",
        "facet_value",
        "fact_pack",
        "conversation",
        "search_docsize",
        "vocabulary",
        "term",
    ];
    let connection = Connection::open(folder.join("staso.db")).unwrap();
    TABLES
        .map(|table| {
            // A trace has a row in the index for each kind of text that it has.
            let what = if table == "search_docsize" { "DISTINCT id / 8" } else { "*" };
            let count = format!("SELECT count({what}) FROM {table}");
            (table, connection.query_row(&count, [], |row| row.get(0)).unwrap())
        })
        .to_vec()
}

#[tokio::test(flavor = "multi_thread")]
async fn what_is_pruned_leaves_nothing_behind_and_gives_its_space_back() {
    let folder = tempfile::tempdir().unwrap();
    let store = open(folder.path());
    let workspace = default_workspace(&store).await;
    let empty = rows(folder.path());
    for number in 0..500 {
        let id = number.to_string();
        let mut versions = root(number);
        versions.extend((1..9).map(|span| Version { span, model: 1, started: number, ..Version::default() }));
        store.ingest(batch(workspace, &id, &id, &versions)).await.unwrap();
        if number == 250 {
            store.settle().await.unwrap();
        }
    }
    let size = |store: &Path| {
        let connection = Connection::open(store.join("staso.db")).unwrap();
        connection.query_row("PRAGMA page_count", [], |row| row.get::<_, i64>(0)).unwrap()
    };
    let full = size(folder.path());
    assert_eq!(store.prune(Timestamp::from_micros(100)).await.unwrap(), 100);
    assert_eq!(list(&store, workspace, None).await.len(), 400);
    assert_eq!(list(&store, workspace, Some("\"started: 99,\"")).await.len(), 0);
    assert_eq!(list(&store, workspace, Some("\"started: 100,\"")).await.len(), 1);
    assert_eq!(store.prune(Timestamp::from_micros(1_000)).await.unwrap(), 400);
    assert_eq!(rows(folder.path()), empty);
    assert!(size(folder.path()) < full / 2);
    assert_eq!(picture(&store, workspace).await, picture(&MemoryStore::new(), workspace).await);
    store.close(SOON).await;
}

#[tokio::test(flavor = "multi_thread")]
async fn records_that_nothing_needs_are_not_kept() {
    let folder = tempfile::tempdir().unwrap();
    let store = open(folder.path());
    let workspace = default_workspace(&store).await;
    let provisional = Version { provisional: true, ..Version::default() };
    store.ingest(batch(workspace, "announced", "t", &[provisional])).await.unwrap();
    store.ingest(batch(workspace, "ended", "t", &root(1))).await.unwrap();
    store.ingest(batch(workspace, "again", "t", &root(1))).await.unwrap();
    assert!(rows(folder.path()).contains(&("block", 1)));
}

#[tokio::test(flavor = "multi_thread")]
async fn a_trace_that_grows_is_settled_again() {
    let folder = tempfile::tempdir().unwrap();
    let store = open(folder.path());
    let workspace = default_workspace(&store).await;
    for span in 0..4 {
        let version = Version { span, started: i64::from(span) + 100, ..Version::default() };
        store.ingest(batch(workspace, &span.to_string(), "t", &[version])).await.unwrap();
        store.settle().await.unwrap();
        assert_eq!(list(&store, workspace, Some(&format!("started: {}", span + 100))).await.len(), 1);
        assert_eq!(list(&store, workspace, Some(&format!("started: {}", span + 101))).await.len(), 0);
    }
    assert!(rows(folder.path()).contains(&("search_docsize", 1)));
}

#[tokio::test(flavor = "multi_thread")]
async fn traces_that_went_quiet_are_settled_without_being_asked_for() {
    let folder = tempfile::tempdir().unwrap();
    let store = open(folder.path());
    let workspace = default_workspace(&store).await;
    store.ingest(batch(workspace, "k", "t", &root(1))).await.unwrap();
    let deadline = tokio::time::Instant::now() + SOON;
    while !rows(folder.path()).contains(&("search_docsize", 1)) {
        assert!(tokio::time::Instant::now() < deadline, "it is not settled");
        tokio::task::yield_now().await;
    }
    store.close(SOON).await;
}

#[tokio::test(flavor = "multi_thread")]
async fn steady_traffic_does_not_keep_traces_from_being_settled() {
    let folder = tempfile::tempdir().unwrap();
    let store = open(folder.path());
    let workspace = default_workspace(&store).await;
    store.ingest(batch(workspace, "quiet", "quiet", &root(1))).await.unwrap();
    let deadline = tokio::time::Instant::now() + SOON;
    for number in 0.. {
        let id = number.to_string();
        store.ingest(recent_batch(workspace, &id, &id, &root(2))).await.unwrap();
        if rows(folder.path()).iter().any(|(table, count)| *table == "search_docsize" && *count > 0) {
            break;
        }
        assert!(tokio::time::Instant::now() < deadline, "it is not settled");
        // Far less than the thread waits for before it takes itself to be idle.
        tokio::time::sleep(std::time::Duration::from_millis(20)).await;
    }
    store.close(SOON).await;
}
