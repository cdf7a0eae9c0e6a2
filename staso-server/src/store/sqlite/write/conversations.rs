use rusqlite::params;

use super::{
    super::number::{Dimension, stored},
    index::{Entry, TraceSums},
    session::Session,
};
use crate::{model::MAX_COUNT, store::StoreError};

/// Counts a trace in its conversations as it is now, and no longer as it was.
pub(super) fn count(
    session: &Session<'_>,
    old: Option<&Entry>,
    new: Option<&Entry>,
) -> Result<(), StoreError> {
    let left = |conversation: &i64| !new.is_some_and(|new| new.conversations().any(|of| of == *conversation));
    for conversation in new.into_iter().flat_map(Entry::conversations) {
        let was = old.filter(|old| old.conversations().any(|of| of == conversation));
        add(session, conversation, was, new)?;
        if was.is_some_and(|old| new.is_some_and(|new| new.started_at != old.started_at)) {
            find_ends(session, was, conversation)?;
        }
    }
    for conversation in old.into_iter().flat_map(Entry::conversations).filter(left) {
        add(session, conversation, old, None)?;
        find_ends(session, old, conversation)?;
    }
    Ok(())
}

/// Adds what the new entry has more than the old one.
fn add(
    session: &Session<'_>,
    conversation: i64,
    old: Option<&Entry>,
    new: Option<&Entry>,
) -> Result<(), StoreError> {
    let same =
        old.zip(new).is_some_and(|(old, new)| old.sums == new.sums && old.started_at == new.started_at);
    let Some(entry) = new.or(old).filter(|_| !same) else { return Ok(()) };
    let more = |of: fn(&TraceSums) -> u64| {
        let amount = |entry: Option<&Entry>| entry.map_or(0, |entry| stored(of(&entry.sums)));
        amount(new).saturating_sub(amount(old))
    };
    let mut upsert = session.connection.prepare_cached(
        "INSERT INTO conversation (workspace, id, started_at, last_at, traces, failed, input_tokens, output_tokens,
             total_tokens, cost, priced, unpriced)
         VALUES (?1, ?2, ?3, ?3, ?4, ?5, ?6, ?7, ?8, ?9, ?10, ?11)
         ON CONFLICT DO UPDATE SET started_at = min(started_at, ?3), last_at = max(last_at, ?3),
             traces = traces + ?4, failed = failed + ?5, priced = priced + ?10, unpriced = unpriced + ?11,
             input_tokens = max(0, min(input_tokens + ?6, ?12)),
             output_tokens = max(0, min(output_tokens + ?7, ?12)),
             total_tokens = max(0, min(total_tokens + ?8, ?12)),
             cost = max(0, min(cost + ?9, ?12))",
    )?;
    upsert.execute(params![
        entry.workspace,
        conversation,
        entry.started_at,
        i64::from(new.is_some()) - i64::from(old.is_some()),
        more(|sums| sums.failed.into()),
        more(|sums| sums.tokens.input),
        more(|sums| sums.tokens.output),
        more(|sums| sums.tokens.total),
        more(|sums| sums.cost.nano_usd),
        more(|sums| sums.cost.priced),
        more(|sums| sums.cost.unpriced),
        stored(MAX_COUNT),
    ])?;
    Ok(())
}

/// Reads off the index when a conversation began and was last active, as a trace that has moved or gone may have
/// been its first or last. Deletes one that has no trace.
fn find_ends(session: &Session<'_>, of: Option<&Entry>, conversation: i64) -> Result<(), StoreError> {
    let Some(Entry { workspace, .. }) = of else { return Ok(()) };
    let mut delete = session
        .connection
        .prepare_cached("DELETE FROM conversation WHERE workspace = ? AND id = ? AND traces <= 0")?;
    if delete.execute((workspace, conversation))? > 0 {
        return Ok(());
    }
    let mut update = session.connection.prepare_cached(
        "UPDATE conversation SET
             started_at = (SELECT min(started_at) FROM facet WHERE workspace = ?1 AND dimension = ?3 AND value = ?2),
             last_at = (SELECT max(started_at) FROM facet WHERE workspace = ?1 AND dimension = ?3 AND value = ?2)
         WHERE workspace = ?1 AND id = ?2",
    )?;
    update.execute((workspace, conversation, Dimension::Conversation as u8))?;
    Ok(())
}
