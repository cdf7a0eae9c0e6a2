use rusqlite::{Connection, OptionalExtension as _, Row};

use crate::{
    model::{KeyId, KeyRecord, KeyScope, Timestamp, Workspace, WorkspaceId},
    store::StoreError,
};

pub(super) fn workspaces(connection: &Connection) -> Result<Vec<Workspace>, StoreError> {
    let mut select = connection.prepare_cached("SELECT id, slug, created_at FROM workspace ORDER BY slug")?;
    let found = select.query_map([], workspace_row)?.collect::<Result<_, _>>()?;
    Ok(found)
}

pub(super) fn workspace(connection: &Connection, slug: &str) -> Result<Option<Workspace>, StoreError> {
    let mut select =
        connection.prepare_cached("SELECT id, slug, created_at FROM workspace WHERE slug = ?")?;
    Ok(select.query_row([slug], workspace_row).optional()?)
}

fn workspace_row(row: &Row<'_>) -> rusqlite::Result<Workspace> {
    Ok(Workspace {
        id: WorkspaceId(row.get(0)?),
        slug: row.get(1)?,
        created_at: Timestamp::from_micros(row.get(2)?),
    })
}

pub(super) fn keys(connection: &Connection) -> Result<Vec<KeyRecord>, StoreError> {
    let mut select = connection.prepare_cached(
        "SELECT api_key.id, prefix, name, slug, api_key.created_at, revoked_at, hash
         FROM api_key LEFT JOIN workspace ON workspace.id = api_key.workspace
         ORDER BY api_key.id DESC",
    )?;
    let found = select.query_map([], key_row)?.collect::<Result<_, _>>()?;
    Ok(found)
}

pub(super) fn keys_with_prefix(
    connection: &Connection,
    prefix: &str,
) -> Result<Vec<(KeyRecord, [u8; 32])>, StoreError> {
    let mut select = connection.prepare_cached(
        "SELECT api_key.id, prefix, name, slug, api_key.created_at, revoked_at, hash
         FROM api_key LEFT JOIN workspace ON workspace.id = api_key.workspace
         WHERE prefix = ? AND revoked_at IS NULL",
    )?;
    let found =
        select.query_map([prefix], |row| Ok((key_row(row)?, row.get(6)?)))?.collect::<Result<_, _>>()?;
    Ok(found)
}

fn key_row(row: &Row<'_>) -> rusqlite::Result<KeyRecord> {
    let slug: Option<String> = row.get(3)?;
    let revoked_at: Option<i64> = row.get(5)?;
    Ok(KeyRecord {
        id: KeyId(row.get(0)?),
        prefix: row.get(1)?,
        name: row.get(2)?,
        scope: slug.map_or(KeyScope::Organization, KeyScope::Workspace),
        created_at: Timestamp::from_micros(row.get(4)?),
        revoked_at: revoked_at.map(Timestamp::from_micros),
    })
}
