//! A store that an earlier version wrote is brought up to date, whenever the process that does it is killed.

use std::{
    env, fs,
    path::Path,
    process::{Command, Stdio},
};

use rusqlite::Connection;
use serde_json::value::RawValue;
use staso_server::{
    ingest,
    model::{PageRequest, TraceFilter, TraceSort},
    pricing::Prices,
    store::{
        OpenError, Store,
        sqlite::{OpenOptions, SqliteStore},
    },
};

use crate::world::{SOON, runtime};

/// Where the child finds its folder, and how many bytes its log may have before it is killed.
const FOLDER: &str = "STASO_TEST_UPGRADE_FOLDER";
const KILLED_AT: &str = "STASO_TEST_UPGRADE_KILLED_AT";

/// Puts a store there as the version wrote it whose schema was this.
pub(crate) fn put(schema: i64, folder: &Path) {
    let fixture = format!("{}/tests/fixtures/schema-{schema}.db.zst", env!("CARGO_MANIFEST_DIR"));
    let packed = fs::read(fixture).unwrap();
    fs::write(folder.join("staso.db"), zstd::decode_all(packed.as_slice()).unwrap()).unwrap();
}

fn open(folder: &Path) -> SqliteStore {
    let prices = Prices::embedded();
    let derive = move |record: &RawValue| ingest::derive(record, &prices);
    SqliteStore::open(folder, OpenOptions::server("http://127.0.0.1:1").deriving(derive)).unwrap()
}

/// Everything that the store says of its traces.
async fn picture(store: &dyn Store) -> Vec<String> {
    let mut picture = Vec::new();
    for workspace in store.workspaces().await.unwrap() {
        for text in [None, Some("refund"), Some("carrier refused")] {
            let filter = TraceFilter { text: text.map(str::to_owned), ..TraceFilter::default() };
            let page = PageRequest::first(500);
            let found = store.traces(workspace.id, filter, TraceSort::Newest, page).await.unwrap().items;
            picture.push(format!("{text:?} {found:?}"));
            for trace in found.into_iter().filter(|_| text.is_none()) {
                picture.push(format!("{:?}", store.trace(workspace.id, trace.trace_id).await.unwrap()));
            }
        }
        let page = PageRequest::first(500);
        let found = store.conversations(workspace.id, Default::default(), page.clone()).await.unwrap();
        picture.push(format!("{found:?}"));
        picture.push(format!("{:?}", store.users(workspace.id, Default::default(), page).await.unwrap()));
        picture.push(format!("{:?}", store.facets(workspace.id).await.unwrap()));
    }
    picture
}

/// Marks everything as a step does after which all is derived again, and damages what is derived.
fn forget_what_was_derived(folder: &Path) {
    let connection = Connection::open(folder.join("staso.db")).unwrap();
    connection.execute_batch("UPDATE trace SET again = 2, unsettled = 1, errors = 77").unwrap();
}

fn left(folder: &Path) -> i64 {
    let connection = Connection::open(folder.join("staso.db")).unwrap();
    let verdict: String = connection.query_row("PRAGMA integrity_check", [], |row| row.get(0)).unwrap();
    assert_eq!(verdict, "ok");
    connection.query_row("SELECT count(*) FROM trace WHERE again IS NOT NULL", [], |row| row.get(0)).unwrap()
}

#[test]
fn what_is_derived_again_from_the_records_is_what_was_there() {
    let folder = tempfile::tempdir().unwrap();
    put(1, folder.path());
    runtime().block_on(async {
        let store = open(folder.path());
        store.settle().await.unwrap();
        let before = picture(&store).await;
        store.close(SOON).await;

        forget_what_was_derived(folder.path());
        let traces = left(folder.path());
        assert!(traces > 100);
        let store = open(folder.path());
        let mut upgrade = store.upgrade().unwrap();
        assert_eq!(upgrade.borrow().of, traces.cast_unsigned());
        upgrade.wait_for(|upgrade| upgrade.is_done()).await.unwrap();
        assert_eq!(picture(&store).await, before);
        store.close(SOON).await;
    });
    assert_eq!(left(folder.path()), 0);
}

#[test]
fn who_cannot_derive_spans_leaves_them_to_who_can() {
    let folder = tempfile::tempdir().unwrap();
    put(1, folder.path());
    runtime().block_on(async {
        let store = open(folder.path());
        store.settle().await.unwrap();
        let before = picture(&store).await;
        store.close(SOON).await;

        forget_what_was_derived(folder.path());
        let store = SqliteStore::open(folder.path(), OpenOptions::server("here")).unwrap();
        store.settle().await.unwrap();
        store.close(SOON).await;
        assert!(left(folder.path()) > 100);
        let store = open(folder.path());
        store.settle().await.unwrap();
        assert_eq!(picture(&store).await, before);
        store.close(SOON).await;
    });
    assert_eq!(left(folder.path()), 0);
}

#[test]
fn an_upgrade_that_is_killed_goes_on_where_it_was_and_loses_nothing() {
    let expected = tempfile::tempdir().unwrap();
    put(1, expected.path());
    let expected = runtime().block_on(async {
        let store = open(expected.path());
        store.settle().await.unwrap();
        let picture = picture(&store).await;
        store.close(SOON).await;
        picture
    });
    let mut seed = 0x2545_F491_4F6C_DD1D_u64;
    for _ in 0..2 {
        let folder = tempfile::tempdir().unwrap();
        put(1, folder.path());
        let mut killed = 0;
        for round in 0..4 {
            seed = seed.wrapping_mul(6_364_136_223_846_793_005).wrapping_add(1_442_695_040_888_963_407);
            let bytes = (seed >> 33) % 150_000;
            killed += u32::from(upgrade_and_be_killed(folder.path(), bytes));
            if round == 0 {
                // From here on it is the long part that is killed.
                runtime()
                    .block_on(async { SqliteStore::open(folder.path(), OpenOptions::tool()).map(drop) })
                    .unwrap();
            }
            if round == 0 || left(folder.path()) == 0 {
                forget_what_was_derived(folder.path());
            }
        }
        assert!(killed > 0);
        runtime().block_on(async {
            let store = open(folder.path());
            store.settle().await.unwrap();
            assert_eq!(picture(&store).await, expected);
            store.close(SOON).await;
        });
        assert_eq!(left(folder.path()), 0);
    }
}

/// Not a test of its own: the process that is killed, once its log is so long. Does nothing unless it is told where.
#[test]
fn upgrading_child() {
    let (Ok(folder), Ok(bytes)) = (env::var(FOLDER), env::var(KILLED_AT)) else { return };
    let bytes: u64 = bytes.parse().unwrap();
    let log = Path::new(&folder).join("staso.db-wal");
    std::thread::spawn(move || {
        loop {
            if fs::metadata(&log).is_ok_and(|log| log.len() >= bytes) {
                rustix::process::kill_process(rustix::process::getpid(), rustix::process::Signal::KILL)
                    .unwrap();
            }
        }
    });
    runtime().block_on(async {
        let store = open(folder.as_ref());
        store.settle().await.unwrap();
        store.close(SOON).await;
    });
}

/// Whether it was killed before it was done.
fn upgrade_and_be_killed(folder: &Path, bytes: u64) -> bool {
    let ended = Command::new(env::current_exe().unwrap())
        .args(["--exact", "upgrade::upgrading_child", "--test-threads=1"])
        .env(FOLDER, folder)
        .env(KILLED_AT, bytes.to_string())
        .stdout(Stdio::null())
        .status();
    !ended.unwrap().success()
}

#[test]
fn a_tool_does_not_upgrade_a_folder_under_a_server_of_the_version_before() {
    let folder = tempfile::tempdir().unwrap();
    put(1, folder.path());
    let lock = fs::File::create(folder.path().join("lock")).unwrap();
    lock.lock().unwrap();
    let error = SqliteStore::open(folder.path(), OpenOptions::tool()).err().unwrap();
    assert!(matches!(error, OpenError::HeldByOlder { .. }), "{error}");
    drop(lock);
    let workspaces = runtime().block_on(async {
        let store = SqliteStore::open(folder.path(), OpenOptions::tool()).unwrap();
        store.workspaces().await.unwrap().len()
    });
    assert_eq!(workspaces, 3);
}
