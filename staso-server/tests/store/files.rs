//! Whose files they are, and what is refused in their place.

use std::{
    fs::{self, Permissions},
    os::unix::fs::PermissionsExt as _,
    path::Path,
    thread,
};

use staso_server::store::{
    Store as _,
    sqlite::{OpenOptions, SqliteStore},
};

use crate::world::{SOON, batch, default_workspace, open, root};

fn mode(path: &Path) -> u32 {
    fs::metadata(path).unwrap().permissions().mode() & 0o777
}

/// The names of the files in a folder, each with what may be done with it.
fn files(folder: &Path) -> Vec<(String, u32)> {
    let entries = fs::read_dir(folder).unwrap().map(|entry| entry.unwrap());
    let mut files: Vec<_> =
        entries.map(|entry| (entry.file_name().into_string().unwrap(), mode(&entry.path()))).collect();
    files.sort();
    files
}

fn set_mode(path: &Path, mode: u32) {
    fs::set_permissions(path, Permissions::from_mode(mode)).unwrap();
}

const OPEN: [&str; 4] = ["lock", "staso.db", "staso.db-shm", "staso.db-wal"];

#[tokio::test(flavor = "multi_thread")]
async fn b21_nobody_but_the_owner_reads_the_files_whatever_the_folder_was() {
    let folder = tempfile::tempdir().unwrap();
    set_mode(folder.path(), 0o755);
    for round in ["a new store", "one that everybody could read"] {
        let store = open(folder.path());
        let workspace = default_workspace(&store).await;
        store.ingest(batch(workspace, round, round, &root(1))).await.unwrap();
        assert_eq!(files(folder.path()), OPEN.map(|name| (name.to_owned(), 0o600)), "{round}");
        assert_eq!(mode(folder.path()), 0o755, "the folder's own rights are its owner's affair");
        // As an earlier version left them, and while they are in use.
        OPEN.iter().for_each(|name| set_mode(&folder.path().join(name), 0o644));
        let tool = SqliteStore::open(folder.path(), OpenOptions::tool()).unwrap();
        assert_eq!(files(folder.path()), OPEN.map(|name| (name.to_owned(), 0o600)), "{round}");
        tool.close(SOON).await;
        store.ingest(batch(workspace, "after", "after", &root(2))).await.unwrap();
        store.close(SOON).await;
        set_mode(&folder.path().join("staso.db"), 0o644);
    }
}

#[tokio::test]
async fn a_folder_that_is_missing_is_made_for_its_owner_alone() {
    let above = tempfile::tempdir().unwrap();
    let folder = above.path().join("data/staso");
    open(&folder).close(SOON).await;
    assert_eq!((mode(&folder), mode(&above.path().join("data"))), (0o700, 0o700));
}

#[test]
fn a_file_that_lost_what_was_in_it_or_never_was_a_store_is_refused_and_left_alone() {
    for (content, said) in [
        (&b""[..], "is empty, or nearly so"),
        (b"S", "is empty, or nearly so"),
        (&[0; 8192], "file is not a database"),
        (&[b'x'; 100], "file is not a database"),
    ] {
        let folder = tempfile::tempdir().unwrap();
        let file = folder.path().join("staso.db");
        fs::write(&file, content).unwrap();
        for options in [OpenOptions::server("http://127.0.0.1:1"), OpenOptions::tool()] {
            let error = SqliteStore::open(folder.path(), options).err().expect("it is refused").to_string();
            assert!(error.contains(said) && error.contains("staso.db"), "{error}");
            assert_eq!(fs::read(&file).unwrap(), content);
        }
    }
}

#[test]
fn who_opens_a_new_folder_at_the_same_time_as_others_gets_the_same_store() {
    let folder = tempfile::tempdir().unwrap();
    let stores = thread::scope(|scope| {
        let open = || SqliteStore::open(folder.path(), OpenOptions::tool());
        let opening: Vec<_> = (0..8).map(|_| scope.spawn(open)).collect();
        opening.into_iter().map(|opening| opening.join().unwrap().unwrap()).collect::<Vec<_>>()
    });
    drop(stores);
    let names: Vec<String> = files(folder.path()).into_iter().map(|(name, _)| name).collect();
    assert!(names.iter().all(|name| OPEN.contains(&name.as_str())), "no draft is left behind: {names:?}");
}
