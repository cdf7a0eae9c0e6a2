//! Full disks, damaged files, and others on the same folder.

use std::fs;

use serde_json::value::RawValue;
use staso_server::{
    model::{Batch, IngestOutcome, TraceId},
    store::{
        OpenError, Store, StoreError,
        sqlite::{OpenOptions, SqliteStore},
    },
};

use crate::world::{SOON, batch, default_workspace, list, open, recent_batch, root};

/// Makes the batch one whose records do not compress away.
fn with_noise(mut batch: Batch) -> Batch {
    let mut state = 0x9E37_79B9_7F4A_7C15_u64;
    let noise: String = std::iter::repeat_with(|| {
        state = state.wrapping_mul(6_364_136_223_846_793_005).wrapping_add(1);
        char::from(b'a' + (state >> 59) as u8 % 26)
    })
    .take(3 << 20)
    .collect();
    for span in batch.traces.iter_mut().flat_map(|trace| &mut trace.spans) {
        span.record = RawValue::from_string(format!("{{\"input\":{noise:?}}}")).unwrap();
    }
    batch
}

#[tokio::test(flavor = "multi_thread")]
async fn a_full_disk_stores_nothing_and_passes() {
    let folder = tempfile::tempdir().unwrap();
    let store = open(folder.path());
    let workspace = default_workspace(&store).await;
    store.ingest(batch(workspace, "before", "before", &root(1))).await.unwrap();
    store.limit_pages(Some(20)).await.unwrap();
    let too_much = || store.ingest(with_noise(batch(workspace, "too much", "too much", &root(2))));
    assert!(matches!(too_much().await, Err(StoreError::Full)));
    assert_eq!(
        list(&store, workspace, None).await.len(),
        1,
        "reads go on, and nothing of the batch is there"
    );

    store.limit_pages(None).await.unwrap();
    assert!(matches!(too_much().await, Ok(IngestOutcome::Stored(_))));
    assert_eq!(list(&store, workspace, None).await.len(), 2);
}

#[tokio::test(flavor = "multi_thread")]
async fn who_comes_together_with_one_that_fails_is_stored() {
    let folder = tempfile::tempdir().unwrap();
    let store = open(folder.path());
    let workspace = default_workspace(&store).await;
    store.limit_pages(Some(100)).await.unwrap();
    for round in 0..10 {
        let large = with_noise(batch(workspace, &format!("large {round}"), "large", &root(1)));
        let (first, second) = (format!("first {round}"), format!("second {round}"));
        let (before, failed, after) = tokio::join!(
            store.ingest(batch(workspace, &first, &first, &root(2))),
            store.ingest(large),
            store.ingest(batch(workspace, &second, &second, &root(3))),
        );
        assert!(matches!(failed, Err(StoreError::Full)), "{failed:?}");
        assert!(matches!(before, Ok(IngestOutcome::Stored(_))), "{before:?}");
        assert!(matches!(after, Ok(IngestOutcome::Stored(_))), "{after:?}");
    }
    assert_eq!(list(&store, workspace, None).await.len(), 20);
}

#[tokio::test(flavor = "multi_thread")]
async fn the_second_server_of_a_folder_says_who_has_it() {
    let folder = tempfile::tempdir().unwrap();
    let first = open(folder.path());
    let error = SqliteStore::open(folder.path(), OpenOptions::server("http://127.0.0.1:2")).err().unwrap();
    assert!(matches!(error, OpenError::Held { .. }));
    let said = error.to_string();
    assert!(said.contains("http://127.0.0.1:1") && said.contains(&std::process::id().to_string()), "{said}");
    first.close(SOON).await;
    open(folder.path());
}

#[tokio::test(flavor = "multi_thread")]
async fn a_command_writes_beside_a_server_which_hears_of_it() {
    let folder = tempfile::tempdir().unwrap();
    let server = open(folder.path());
    let workspace = default_workspace(&server).await;
    let mut revisions = server.revision();
    revisions.mark_unchanged();

    let tool = SqliteStore::open(folder.path(), OpenOptions::tool()).unwrap();
    tool.ingest(batch(workspace, "k", "imported", &root(1))).await.unwrap();
    tool.close(SOON).await;
    tokio::time::timeout(SOON, revisions.changed()).await.expect("it hears of it").unwrap();
    assert_eq!(list(&server, workspace, None).await.len(), 1);
    server.ingest(batch(workspace, "l", "imported", &root(2))).await.unwrap();
    assert_eq!(list(&server, workspace, None).await.len(), 1);
}

#[tokio::test(flavor = "multi_thread")]
async fn a_damaged_file_is_named_and_left_alone() {
    let folder = tempfile::tempdir().unwrap();
    let store = open(folder.path());
    let workspace = default_workspace(&store).await;
    for number in 0..20 {
        let id = number.to_string();
        store.ingest(batch(workspace, &id, &id, &root(number))).await.unwrap();
    }
    store.close(SOON).await;
    drop(store);
    let file = folder.path().join("staso.db");
    let whole = fs::read(&file).unwrap();
    for (what, from, to) in [
        ("the header", 0, 16),
        ("a page", 8_192, 12_288),
        ("the last page", whole.len() - 4_096, whole.len()),
    ] {
        let mut bytes = whole.clone();
        bytes[from..to].iter_mut().for_each(|byte| *byte ^= 0xA5);
        fs::write(&file, &bytes).unwrap();
        let error = SqliteStore::open(folder.path(), OpenOptions::server("x")).err().expect(what);
        let said = error.to_string();
        assert!(matches!(error, OpenError::Damaged { .. }), "{what}: {said}");
        assert!(said.contains("staso.db") && said.contains(".recover"), "{what}: {said}");
        assert!(fs::read(&file).unwrap() == bytes, "{what}: the file is as it was");
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn a_file_of_a_newer_version_is_left_alone() {
    let folder = tempfile::tempdir().unwrap();
    open(folder.path()).close(SOON).await;
    let connection = rusqlite::Connection::open(folder.path().join("staso.db")).unwrap();
    connection.pragma_update(None, "user_version", 999).unwrap();
    let error = SqliteStore::open(folder.path(), OpenOptions::tool()).err().unwrap();
    assert!(matches!(error, OpenError::Newer { found: 999, .. }), "{error}");
}

#[tokio::test(flavor = "multi_thread")]
async fn a_cut_log_leaves_the_last_commit_that_is_whole() {
    let folder = tempfile::tempdir().unwrap();
    let store = open(folder.path());
    let workspace = default_workspace(&store).await;
    for number in 0..20 {
        let id = number.to_string();
        store.ingest(recent_batch(workspace, &id, &id, &root(number))).await.unwrap();
    }
    // The files as a crash leaves them, the log cut in the middle of a page.
    let copy = tempfile::tempdir().unwrap();
    fs::copy(folder.path().join("staso.db"), copy.path().join("staso.db")).unwrap();
    let log = fs::read(folder.path().join("staso.db-wal")).unwrap();
    fs::write(copy.path().join("staso.db-wal"), &log[..log.len() - 1_000]).unwrap();
    let cut = open(copy.path());
    assert_eq!(list(&cut, workspace, None).await.len(), 19);
    assert!(matches!(
        cut.ingest(recent_batch(workspace, "18", "18", &root(18))).await,
        Ok(IngestOutcome::Repeated(_))
    ));
    assert!(matches!(
        cut.ingest(recent_batch(workspace, "19", "19", &root(19))).await,
        Ok(IngestOutcome::Stored(_))
    ));
}

#[tokio::test(flavor = "multi_thread")]
async fn a_long_write_blocks_no_reader_and_later_writers_are_heard() {
    let folder = tempfile::tempdir().unwrap();
    let store = open(folder.path());
    let workspace = default_workspace(&store).await;
    store.ingest(batch(workspace, "before", "before", &root(1))).await.unwrap();
    let file = folder.path().join("staso.db");
    let other = rusqlite::Connection::open(file).unwrap();
    other.execute_batch("BEGIN IMMEDIATE; UPDATE workspace SET created_at = 7;").unwrap();
    let waiting = batch(workspace, "waits", "waits", &root(2));
    let (read, stored, ()) = tokio::join!(list(&store, workspace, None), store.ingest(waiting), async {
        let seen = store.trace(workspace, TraceId::new("before")).await.unwrap();
        assert!(seen.is_some());
        other.execute_batch("COMMIT").unwrap();
    },);
    assert_eq!(read.len(), 1);
    assert!(matches!(stored, Ok(IngestOutcome::Stored(_))));
}
