//! Opens the store of a folder. Nothing else in the commands knows which engine it is.

use std::{path::Path, sync::Arc};

use super::Failure;
use crate::{
    model::Workspace,
    store::{
        Store,
        sqlite::{OpenOptions, SqliteStore},
    },
};

/// Opens it as the one server of the folder, which others are told to find at the URL.
pub(super) fn serve(folder: &Path, url: &str) -> Result<Arc<dyn Store>, Failure> {
    open_with(folder, OpenOptions::server(url))
}

/// Opens it beside a server, if there is one.
pub(super) fn open(folder: &Path) -> Result<Arc<dyn Store>, Failure> {
    open_with(folder, OpenOptions::tool())
}

fn open_with(folder: &Path, options: OpenOptions) -> Result<Arc<dyn Store>, Failure> {
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
