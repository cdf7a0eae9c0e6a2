//! A trace that has not ended is unfinished after some time without news, in every store and for every question.

use staso_server::{
    model::{
        Batch, PageRequest, SILENCE, StatusFilter, Timestamp, TraceFilter, TraceId, TraceSort, TraceStatus,
        WorkspaceId,
    },
    store::{Store, memory::MemoryStore},
};

use crate::world::{SOON, Version, batch, default_workspace, open};

async fn ids(store: &dyn Store, workspace: WorkspaceId, status: TraceStatus, sort: TraceSort) -> Vec<String> {
    let filter = TraceFilter { status: Some(StatusFilter::Is(status)), ..TraceFilter::default() };
    let page = store.traces(workspace, filter, sort, PageRequest::first(9)).await.unwrap();
    assert!(page.items.iter().all(|trace| trace.status == status));
    page.items.iter().map(|trace| trace.trace_id.to_string()).collect()
}

#[tokio::test(flavor = "multi_thread")]
async fn b6_a_root_that_never_ends_is_unfinished_after_a_time_without_news() {
    let folder = tempfile::tempdir().unwrap();
    let stores: [&dyn Store; 2] = [&MemoryStore::new(), &open(folder.path())];
    let announced = [Version { provisional: true, ..Version::default() }];
    let ended = [Version { duration: 7, ..Version::default() }];
    let now = Timestamp::now();
    for store in stores {
        let workspace = default_workspace(store).await;
        let send = async |key: &str, trace: &str, versions: &[Version], received_at: Timestamp| {
            let batch = Batch { received_at, ..batch(workspace, key, trace, versions) };
            store.ingest(batch).await.unwrap();
        };
        send("1", "silent", &announced, now.before(SILENCE * 2)).await;
        send("2", "running", &announced, now.before(SILENCE / 2)).await;
        send("3", "ended", &ended, now.before(SILENCE * 2)).await;
        for sort in [TraceSort::Newest, TraceSort::Slowest] {
            assert_eq!(ids(store, workspace, TraceStatus::Unfinished, sort).await, ["silent"]);
            assert_eq!(ids(store, workspace, TraceStatus::Running, sort).await, ["running"]);
            assert_eq!(ids(store, workspace, TraceStatus::Ok, sort).await, ["ended"]);
        }
        let trace = store.trace(workspace, TraceId::new("silent")).await.unwrap().unwrap();
        assert_eq!(trace.summary.status, TraceStatus::Unfinished);

        // News of any kind, and its end.
        send("4", "silent", &[Version { span: 2, ..Version::default() }], now).await;
        assert_eq!(ids(store, workspace, TraceStatus::Unfinished, TraceSort::Newest).await, [""; 0]);
        assert_eq!(ids(store, workspace, TraceStatus::Running, TraceSort::Newest).await.len(), 2);
        send("5", "silent", &ended, now).await;
        assert_eq!(ids(store, workspace, TraceStatus::Ok, TraceSort::Newest).await.len(), 2);
        store.close(SOON).await;
    }
}
