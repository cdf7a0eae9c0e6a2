use rusqlite::{params, types::Value};

use super::{
    heads,
    index::{Entry, index},
    session::Session,
    sums::Sums,
};
use crate::{
    model::{Timestamp, summarize},
    store::StoreError,
};

/// So many traces at a time, so that ingest goes on meanwhile.
const SLICE: i64 = 200;

/// So many pages at a time.
const PAGES: usize = 2000;

/// Deletes some of the traces that started before the moment. How many; none when there are no more.
pub(in super::super) fn prune_some(session: &mut Session<'_>, before: Timestamp) -> Result<u64, StoreError> {
    let mut select = session.connection.prepare_cached(
        "SELECT trace.id, trace.workspace, trace.trace_id, trace.environment
         FROM workspace JOIN trace ON trace.workspace = workspace.id AND trace.started_at < ? LIMIT ?",
    )?;
    let traces: Vec<(i64, i64, Value, i64)> = select
        .query_map(params![before.as_micros(), SLICE], |row| {
            Ok((row.get(0)?, row.get(1)?, row.get(2)?, row.get(3)?))
        })?
        .collect::<Result<_, _>>()?;
    if traces.is_empty() {
        return Ok(0);
    }
    session.next_revision()?;
    let mut sums = Sums::default();
    for (trace, workspace, trace_id, environment) in &traces {
        let spans = heads::of_trace(session, *trace)?;
        spans.iter().for_each(|span| sums.block(span.block, -1));
        if let Some(state) = summarize(spans.iter().map(|span| &span.head)) {
            let entry = Entry::of(session, *workspace, *environment, &state)?;
            index(session, *trace, Some(&entry), None, &mut sums)?;
        }
        let connection = session.connection;
        for delete in [
            "DELETE FROM span WHERE trace = ?",
            "DELETE FROM search WHERE rowid = ?",
            "DELETE FROM trace WHERE id = ?",
        ] {
            connection.prepare_cached(delete)?.execute([trace])?;
        }
        connection
            .prepare_cached("DELETE FROM annotation WHERE trace_id = ? AND workspace = ?")?
            .execute(params![trace_id, workspace])?;
    }
    sums.write(session)?;
    Ok(traces.len() as u64)
}

/// Gives some unused pages back to the file system. Whether there are more.
pub(in super::super) fn vacuum_some(session: &Session<'_>) -> Result<bool, StoreError> {
    let mut vacuum = session.connection.prepare(&format!("PRAGMA incremental_vacuum({PAGES})"))?;
    let mut rows = vacuum.query([])?;
    while rows.next()?.is_some() {}
    let free: i64 = session.connection.query_row("PRAGMA freelist_count", [], |row| row.get(0))?;
    Ok(free > 0)
}
