//! Opens the store of a folder. Nothing else in the commands knows which engine it is.

use std::{path::Path, sync::Arc};

use tokio::sync::watch;

use super::{Failure, progress::Progress};
use crate::{
    ingest,
    model::Workspace,
    pricing::Prices,
    store::{
        Store,
        sqlite::{OpenOptions, SqliteStore, Upgrade},
    },
};

/// Opens it as the one server of the folder, which others are told to find at the URL.
pub(super) fn serve(
    folder: &Path,
    url: &str,
    prices: &Prices,
) -> Result<(Arc<dyn Store>, watch::Receiver<Upgrade>), Failure> {
    let prices = prices.clone();
    let options = OpenOptions::server(url).deriving(move |record| ingest::derive(record, &prices));
    let store = open_with(folder, options)?;
    let upgrade = store.upgrade()?;
    Ok((store, upgrade))
}

/// Opens a store that is there, beside a server if there is one. Nothing is made.
///
/// # Errors
///
/// When the folder has no store, or it cannot be opened.
pub(super) fn existing(folder: &Path) -> Result<Arc<dyn Store>, Failure> {
    if !SqliteStore::exists(folder) {
        return Err(Failure::Message(format!(
            "there are no traces in {} yet: run a program with `staso dev -- COMMAND`, or name another folder with --data",
            folder.display()
        )));
    }
    open(folder)
}

/// Opens it beside a server, if there is one, and makes it where there is none.
pub(super) fn open(folder: &Path) -> Result<Arc<dyn Store>, Failure> {
    Ok(open_with(folder, OpenOptions::tool())?)
}

/// Says how far the store is with what an upgrade left to be done: to a person in a line that goes away, to a log
/// when it begins and ends.
pub(super) async fn tell_of_upgrade(mut upgrade: watch::Receiver<Upgrade>) {
    let Upgrade { of, .. } = *upgrade.borrow_and_update();
    if of == 0 {
        return;
    }
    tracing::info!(
        traces = of,
        "an earlier version wrote this store; traces are derived again, and all works meanwhile"
    );
    let mut progress = Progress::new();
    loop {
        let Upgrade { left, .. } = *upgrade.borrow_and_update();
        progress.share(of.saturating_sub(left), of, "traces of an earlier version are up to date");
        if left == 0 {
            return tracing::info!(traces = of, "every trace is up to date");
        }
        if upgrade.changed().await.is_err() {
            return;
        }
    }
}

fn open_with(folder: &Path, options: OpenOptions) -> Result<Arc<SqliteStore>, Failure> {
    Ok(Arc::new(SqliteStore::open(folder, options)?))
}

/// The workspace with this slug.
///
/// # Errors
///
/// When there is none; the error names those that there are.
pub(super) async fn workspace(store: &dyn Store, slug: &str) -> Result<Workspace, Failure> {
    if let Some(workspace) = store.workspace(slug).await? {
        return Ok(workspace);
    }
    let known: Vec<String> = store.workspaces().await?.into_iter().map(|workspace| workspace.slug).collect();
    Err(Failure::Message(format!("there is no workspace `{slug}`; there are {}", known.join(", "))))
}
