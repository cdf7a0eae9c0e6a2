use rusqlite::{OptionalExtension as _, params, types::Value};

use super::{
    super::{facets, number},
    facts, heads,
    index::{self, Entry, TraceSums},
    session::Session,
    sums::Sums,
};
use crate::{
    model::{TraceState, summarize},
    store::StoreError,
};

/// A trace as its row has it.
pub(super) struct Known {
    pub(super) id: i64,
    pub(super) packed_id: Value,
    pub(super) environment: i64,
    pub(super) updated_at: i64,
    /// Those that the row counts.
    pub(super) spans: u64,
    entry: Entry,
}

/// The columns of [`Known`].
const COLUMNS: &str = "id, trace_id, environment, updated_at, spans, workspace, started_at, facets, status, \
                       input_tokens, output_tokens, total_tokens, cost, priced, unpriced";

impl Known {
    /// The trace with a packed identifier.
    pub(super) fn find(
        session: &Session<'_>,
        workspace: i64,
        packed_id: &Value,
    ) -> Result<Option<Self>, StoreError> {
        let mut select = session
            .connection
            .prepare_cached(&format!("SELECT {COLUMNS} FROM trace WHERE workspace = ? AND trace_id = ?"))?;
        Ok(select.query_row((workspace, packed_id), Self::read).optional()?)
    }

    /// The trace with a number.
    pub(super) fn get(session: &Session<'_>, id: i64) -> Result<Option<Self>, StoreError> {
        let mut select =
            session.connection.prepare_cached(&format!("SELECT {COLUMNS} FROM trace WHERE id = ?"))?;
        Ok(select.query_row([id], Self::read).optional()?)
    }

    fn read(row: &rusqlite::Row<'_>) -> rusqlite::Result<Self> {
        let status = number::status_of(row.get(8)?);
        Ok(Self {
            id: row.get(0)?,
            packed_id: row.get(1)?,
            environment: row.get(2)?,
            updated_at: row.get(3)?,
            spans: number::count(row, 4)?,
            entry: Entry {
                workspace: row.get(5)?,
                started_at: row.get(6)?,
                facets: facets::decode(row.get_ref(7)?.as_blob().unwrap_or_default()).collect(),
                sums: TraceSums {
                    failed: status.is_failure(),
                    tokens: number::tokens(row, 9)?,
                    cost: number::cost(row, 12)?,
                },
            },
        })
    }

    /// Works out from its spans what it comes to, and brings everything that follows from it up to date.
    pub(super) fn refresh(
        self,
        session: &mut Session<'_>,
        environment: i64,
        updated_at: i64,
        sums: &mut Sums,
    ) -> Result<(), StoreError> {
        let Some(state) = summarize(&heads::of_trace(session, self.id)?) else { return Ok(()) };
        let entry = Entry::of(session, self.entry.workspace, environment, &state)?;
        let facts = facts::encode(session, environment, &state)?;
        write(session, Some(self.id), &self.packed_id, &state, &entry, environment, updated_at)?;
        index::replace(session, self.id, Some(&self.entry), Some((&entry, facts)), sums)?;
        session.outdated.remove(&self.id);
        Ok(())
    }

    /// Works out again what it comes to, because its row does not count all of its spans.
    pub(super) fn catch_up(self, session: &mut Session<'_>, sums: &mut Sums) -> Result<(), StoreError> {
        let (environment, updated_at) = (self.environment, self.updated_at);
        self.refresh(session, environment, updated_at, sums)
    }

    /// Notes that there are spans that its row does not count yet.
    pub(super) fn put_off(
        &self,
        session: &mut Session<'_>,
        environment: i64,
        updated_at: i64,
    ) -> Result<(), StoreError> {
        let revision = session.next_revision()?;
        let mut update = session.connection.prepare_cached(
            "UPDATE trace SET revision = ?, environment = ?, updated_at = ?, unsettled = 1, outdated = 1
             WHERE id = ?",
        )?;
        update.execute((revision, environment, updated_at, self.id))?;
        Ok(())
    }

    /// Takes it out of the tables by which it is found and counted.
    pub(super) fn unindex(&self, session: &Session<'_>, sums: &mut Sums) -> Result<(), StoreError> {
        index::replace(session, self.id, Some(&self.entry), None, sums)
    }
}

/// Writes a trace that was not there. Its number.
pub(super) fn insert(
    session: &mut Session<'_>,
    workspace: i64,
    packed_id: &Value,
    environment: i64,
    state: &TraceState,
    updated_at: i64,
    sums: &mut Sums,
) -> Result<i64, StoreError> {
    let entry = Entry::of(session, workspace, environment, state)?;
    let facts = facts::encode(session, environment, state)?;
    write(session, None, packed_id, state, &entry, environment, updated_at)?;
    let id = session.connection.last_insert_rowid();
    index::replace(session, id, None, Some((&entry, facts)), sums)?;
    Ok(id)
}

fn write(
    session: &mut Session<'_>,
    id: Option<i64>,
    packed_id: &Value,
    state: &TraceState,
    entry: &Entry,
    environment: i64,
    updated_at: i64,
) -> Result<(), StoreError> {
    let revision = session.next_revision()?;
    let name = session.terms.number(session.connection, &state.name)?;
    let mut upsert = session.connection.prepare_cached(
        "INSERT INTO trace (id, workspace, trace_id, revision, name, environment, status, started_at, duration,
             spans, errors, input_tokens, output_tokens, total_tokens, cost, priced, unpriced, updated_at, facets,
             unsettled)
         VALUES (?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, 1)
         ON CONFLICT (id) DO UPDATE SET revision = excluded.revision, name = excluded.name,
             environment = excluded.environment, status = excluded.status, started_at = excluded.started_at,
             duration = excluded.duration, spans = excluded.spans, errors = excluded.errors,
             input_tokens = excluded.input_tokens, output_tokens = excluded.output_tokens,
             total_tokens = excluded.total_tokens, cost = excluded.cost, priced = excluded.priced,
             unpriced = excluded.unpriced, updated_at = excluded.updated_at, facets = excluded.facets,
             unsettled = 1, outdated = NULL",
    )?;
    upsert.execute(params![
        id,
        entry.workspace,
        packed_id,
        revision,
        name,
        environment,
        number::status_number(state.status),
        state.started_at.as_micros(),
        number::stored(state.duration_micros),
        number::stored(state.spans),
        number::stored(state.errors),
        number::stored(state.tokens.input),
        number::stored(state.tokens.output),
        number::stored(state.tokens.total),
        number::stored(state.cost.nano_usd),
        number::stored(state.cost.priced),
        number::stored(state.cost.unpriced),
        updated_at,
        facets::encode(&entry.facets),
    ])?;
    Ok(())
}
