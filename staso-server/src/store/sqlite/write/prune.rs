use std::collections::HashSet;

use super::{
    super::{head::Head, text},
    session::Session,
    sums::Sums,
    trace::Known,
};
use crate::{model::Timestamp, store::StoreError};

/// So many traces at a time, so that ingest goes on meanwhile.
const SLICE: i64 = 200;

/// So many pages at a time.
const PAGES: usize = 2000;

/// Deletes some of the traces that started before the moment. How many; none when there are no more.
pub(in super::super) fn prune_some(session: &mut Session<'_>, before: Timestamp) -> Result<u64, StoreError> {
    let mut select = session.connection.prepare_cached(
        "SELECT trace.id, trace.workspace FROM workspace JOIN trace INDEXED BY trace_by_start
             ON trace.workspace = workspace.id AND trace.started_at < ? LIMIT ?",
    )?;
    let traces: Vec<(i64, i64)> = select
        .query_map((before.as_micros(), SLICE), |row| Ok((row.get(0)?, row.get(1)?)))?
        .collect::<Result<_, _>>()?;
    let connection = session.connection;
    if traces.is_empty() {
        // What was said of traces that never arrived.
        let mut delete = connection.prepare_cached(
            "DELETE FROM annotation WHERE received_at < ? AND NOT EXISTS (
                 SELECT 1 FROM trace
                 WHERE trace.workspace = annotation.workspace AND trace.trace_id = annotation.trace_id)",
        )?;
        delete.execute([before.as_micros()])?;
        return Ok(0);
    }
    session.next_revision()?;
    let mut sums = Sums::default();
    for (trace, workspace) in &traces {
        let Some(known) = Known::get(session, *trace)? else { continue };
        known.unindex(session, &mut sums)?;
        let mut select =
            connection.prepare_cached("SELECT block, count(*) FROM span WHERE trace = ? GROUP BY block")?;
        let mut rows = select.query([trace])?;
        while let Some(row) = rows.next()? {
            sums.block(row.get(0)?, -row.get::<_, i64>(1)?);
        }
        for delete in ["DELETE FROM span WHERE trace = ?", "DELETE FROM trace WHERE id = ?"] {
            connection.prepare_cached(delete)?.execute([trace])?;
        }
        let mut delete = connection.prepare_cached("DELETE FROM search WHERE rowid = ?")?;
        for row in text::rows(*trace) {
            delete.execute([row])?;
        }
        connection
            .prepare_cached("DELETE FROM annotation WHERE trace_id = ? AND workspace = ?")?
            .execute((&known.packed_id, workspace))?;
    }
    sums.write(session)?;
    Ok(traces.len() as u64)
}

/// Deletes the texts that no trace has any more, those of users among them. Reads all spans, about a million in a
/// second, while nothing else is written.
pub(in super::super) fn forget_terms(session: &mut Session<'_>) -> Result<(), StoreError> {
    let connection = session.connection;
    // 0 is the empty text.
    let mut used = HashSet::from([0_i64]);
    let mut select = connection.prepare("SELECT name, environment FROM trace")?;
    let mut rows = select.query([])?;
    while let Some(row) = rows.next()? {
        used.extend([row.get::<_, i64>(0)?, row.get(1)?]);
    }
    let mut select = connection.prepare("SELECT head FROM span")?;
    let mut rows = select.query([])?;
    while let Some(row) = rows.next()? {
        used.extend(Head::decode(row.get_ref(0)?.as_blob().unwrap_or_default())?.terms());
    }
    let mut select = connection.prepare("SELECT id FROM term")?;
    let known: Vec<i64> = select.query_map([], |row| row.get(0))?.collect::<Result<_, _>>()?;
    let mut delete = connection.prepare("DELETE FROM term WHERE id = ?")?;
    for term in known.iter().filter(|term| !used.contains(term)) {
        delete.execute([term])?;
    }
    session.terms.clear();
    Ok(())
}

/// Gives some unused pages back to the file system. Whether there are more.
pub(in super::super) fn vacuum_some(session: &Session<'_>) -> Result<bool, StoreError> {
    let mut vacuum = session.connection.prepare(&format!("PRAGMA incremental_vacuum({PAGES})"))?;
    let mut rows = vacuum.query([])?;
    while rows.next()?.is_some() {}
    let free: i64 = session.connection.query_row("PRAGMA freelist_count", [], |row| row.get(0))?;
    Ok(free > 0)
}
