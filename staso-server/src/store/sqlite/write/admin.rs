use rusqlite::{OptionalExtension as _, params};

use super::session::Session;
use crate::{
    model::{KeyId, KeyRecord, KeyScope, Slug, Timestamp, Workspace, WorkspaceId},
    store::{NewKey, StoreError},
};

/// There is one organization in a folder.
const ORGANIZATION: i64 = 1;

pub(in super::super) fn create_workspace(
    session: &Session<'_>,
    slug: &Slug,
) -> Result<Workspace, StoreError> {
    let created_at = Timestamp::now();
    let mut insert = session.connection.prepare_cached(
        "INSERT INTO workspace (organization, slug, created_at) VALUES (?, ?, ?) ON CONFLICT DO NOTHING",
    )?;
    if insert.execute(params![ORGANIZATION, slug.as_str(), created_at.as_micros()])? == 0 {
        return Err(StoreError::WorkspaceExists(slug.to_string()));
    }
    let id = WorkspaceId(session.connection.last_insert_rowid());
    Ok(Workspace { id, slug: slug.to_string(), created_at })
}

pub(in super::super) fn create_key(session: &Session<'_>, key: &NewKey) -> Result<KeyRecord, StoreError> {
    let workspace: Option<i64> = match &key.scope {
        KeyScope::Organization => None,
        KeyScope::Workspace(slug) => {
            let mut select = session.connection.prepare_cached("SELECT id FROM workspace WHERE slug = ?")?;
            let found = select.query_row([slug], |row| row.get(0)).optional()?;
            Some(found.ok_or_else(|| StoreError::NoSuchWorkspace(slug.clone()))?)
        }
    };
    let created_at = Timestamp::now();
    let mut insert = session.connection.prepare_cached(
        "INSERT INTO api_key (organization, workspace, name, prefix, hash, created_at) VALUES (?, ?, ?, ?, ?, ?)",
    )?;
    let id = insert.insert(params![
        ORGANIZATION,
        workspace,
        key.name,
        key.prefix,
        key.hash,
        created_at.as_micros()
    ])?;
    Ok(KeyRecord {
        id: KeyId(id),
        prefix: key.prefix.clone(),
        name: key.name.clone(),
        scope: key.scope.clone(),
        created_at,
        revoked_at: None,
    })
}

pub(in super::super) fn revoke_key(session: &Session<'_>, id: KeyId) -> Result<bool, StoreError> {
    let mut update = session
        .connection
        .prepare_cached("UPDATE api_key SET revoked_at = coalesce(revoked_at, ?) WHERE id = ?")?;
    Ok(update.execute(params![Timestamp::now().as_micros(), id.0])? > 0)
}

pub(in super::super) fn limit_pages(session: &Session<'_>, more: Option<i64>) -> Result<(), StoreError> {
    let pages: i64 = session.connection.query_row("PRAGMA page_count", [], |row| row.get(0))?;
    let limit = more.map_or(i64::from(u32::MAX), |more| pages + more);
    session.connection.query_row(&format!("PRAGMA max_page_count = {limit}"), [], |_| Ok(()))?;
    Ok(())
}
