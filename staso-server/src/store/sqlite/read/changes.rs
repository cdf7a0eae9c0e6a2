use rusqlite::Connection;

use super::{summary, term::Terms};
use crate::{
    model::{TraceSummary, WorkspaceId},
    store::{Revision, StoreError},
};

/// The traces that changed after a revision, the earliest change first, and the revision up to which they are
/// complete. At most `limit`, but always all of one revision.
pub(in super::super) fn changes(
    connection: &Connection,
    workspace: WorkspaceId,
    after: Revision,
    limit: usize,
) -> Result<(Vec<TraceSummary>, Revision), StoreError> {
    let mut statement = connection.prepare_cached(
        "SELECT revision, id FROM trace INDEXED BY trace_by_revision \
         WHERE workspace = ?1 AND revision > ?2 ORDER BY revision, id",
    )?;
    let mut rows = statement.query((workspace.0, i64::try_from(after.0).unwrap_or(i64::MAX)))?;
    let mut changed: Vec<(u64, i64)> = Vec::new();
    while let Some(row) = rows.next()? {
        let (revision, trace) = (row.get(0)?, row.get(1)?);
        let begins = changed.last().is_none_or(|(last, _)| *last != revision);
        if begins && changed.len() >= limit {
            break;
        }
        changed.push((revision, trace));
    }
    let complete = changed.last().map_or(after, |(revision, _)| Revision(*revision));
    let mut terms = Terms::new(connection)?;
    let summaries = changed
        .into_iter()
        .map(|(_, trace)| summary::of_trace(connection, &mut terms, trace))
        .collect::<Result<_, _>>()?;
    Ok((summaries, complete))
}
