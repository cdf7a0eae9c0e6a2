use std::collections::HashMap;

use rusqlite::{OptionalExtension as _, named_params, params, types::Value};

use super::{
    super::{block, facets, number, pack},
    heads::{self, Located},
    index::{Entry, index},
    prepare::{PreparedBatch, PreparedTrace},
    session::Session,
    sums::Sums,
};
use crate::{
    model::{IngestOutcome, Receipt, SpanHead, SpanId, Timestamp, TraceState, summarize, supersedes},
    store::StoreError,
};

/// Stores a batch, unless its key says that it is stored.
pub(in super::super) fn ingest(
    session: &mut Session<'_>,
    batch: PreparedBatch,
) -> Result<IngestOutcome, StoreError> {
    let mut select =
        session.connection.prepare_cached("SELECT digest, accepted FROM receipt WHERE key = ?")?;
    let known: Option<(Vec<u8>, usize)> =
        select.query_row([&batch.key], |row| Ok((row.get(0)?, row.get(1)?))).optional()?;
    if let Some((digest, accepted)) = known {
        return Ok(if digest == batch.digest {
            IngestOutcome::Repeated(Receipt { receipt_id: batch.key, accepted })
        } else {
            IngestOutcome::Conflict
        });
    }
    let mut insert = session
        .connection
        .prepare_cached("INSERT INTO receipt (key, digest, accepted, received_at) VALUES (?, ?, ?, ?)")?;
    insert.execute(params![batch.key, batch.digest, batch.accepted, batch.received_at.as_micros()])?;

    let mut insert = session.connection.prepare_cached("INSERT INTO block (live, data) VALUES (0, ?)")?;
    let blocks = batch.blocks.iter().map(|data| insert.insert([data])).collect::<Result<Vec<i64>, _>>()?;
    let mut sums = Sums::default();
    for trace in batch.traces {
        store(session, trace, &blocks, batch.received_at, &mut sums)?;
    }
    sums.write(session)?;
    Ok(IngestOutcome::Stored(Receipt { receipt_id: batch.key, accepted: batch.accepted }))
}

/// What the database knows of a trace already.
struct Known {
    id: i64,
    environment: i64,
    updated_at: i64,
}

fn store(
    session: &mut Session<'_>,
    trace: PreparedTrace,
    blocks: &[i64],
    received_at: Timestamp,
    sums: &mut Sums,
) -> Result<(), StoreError> {
    let trace_id = pack::pack_id(trace.trace_id.as_str());
    let incoming: Vec<Located> = trace
        .spans
        .into_iter()
        .filter_map(|span| {
            let position = i64::try_from(span.position).ok()?;
            Some(Located { head: span.head, block: *blocks.get(span.block)?, position })
        })
        .collect();
    let mut select = session.connection.prepare_cached(
        "SELECT id, environment, updated_at FROM trace WHERE workspace = ? AND trace_id = ?",
    )?;
    let known = select
        .query_row(params![trace.workspace.0, trace_id], |row| {
            Ok(Known { id: row.get(0)?, environment: row.get(1)?, updated_at: row.get(2)? })
        })
        .optional()?;
    let mut environment = trace.environment;
    match known {
        None => {
            let Some(state) = summarize(incoming.iter().map(|span| &span.head)) else { return Ok(()) };
            let environment = session.terms.number(session.connection, &environment)?;
            let entry = Entry::of(session, trace.workspace.0, environment, &state)?;
            let row =
                Row { id: None, trace_id, state: &state, entry: &entry, updated_at: received_at.as_micros() };
            let id = row.write(session)?;
            heads::insert(session, id, &incoming, sums)?;
            index(session, id, None, Some(&entry), sums)?;
            adopt_annotations(session, trace.workspace.0, &row.trace_id)
        }
        Some(known) => {
            let current = heads::of_trace(session, known.id)?;
            let old = summarize(current.iter().map(|span| &span.head));
            let old_environment = session.terms.text(session.connection, known.environment)?;
            if *environment < *old_environment {
                environment = old_environment.as_ref().to_owned();
            }
            let current = merge(session, known.id, current, incoming, sums)?;
            let Some(state) = summarize(current.iter()) else { return Ok(()) };
            let old = match &old {
                Some(old) => Some(Entry::of(session, trace.workspace.0, known.environment, old)?),
                None => None,
            };
            let environment = session.terms.number(session.connection, &environment)?;
            let entry = Entry::of(session, trace.workspace.0, environment, &state)?;
            let updated_at = known.updated_at.max(received_at.as_micros());
            Row { id: Some(known.id), trace_id, state: &state, entry: &entry, updated_at }.write(session)?;
            index(session, known.id, old.as_ref(), Some(&entry), sums)
        }
    }
}

/// Puts the incoming versions that supersede into the place of those that are known. The versions that stand.
fn merge(
    session: &mut Session<'_>,
    trace: i64,
    current: Vec<Located>,
    incoming: Vec<Located>,
    sums: &mut Sums,
) -> Result<Vec<SpanHead>, StoreError> {
    let mut standing: HashMap<SpanId, Located> =
        current.into_iter().map(|span| (span.head.span_id.clone(), span)).collect();
    let mut changed = Vec::new();
    for span in incoming {
        if let Some(known) = standing.get(&span.head.span_id) {
            if !replaces(session, &span, known)? {
                continue;
            }
            sums.block(known.block, -1);
        }
        changed.push(span.head.span_id.clone());
        standing.insert(span.head.span_id.clone(), span);
    }
    let changed: Vec<&Located> = changed.iter().filter_map(|id| standing.get(id)).collect();
    heads::insert(session, trace, changed, sums)?;
    Ok(standing.into_values().map(|span| span.head).collect())
}

fn replaces(session: &Session<'_>, span: &Located, known: &Located) -> Result<bool, StoreError> {
    let rank = |head: &SpanHead| (!head.provisional, head.ended_at());
    if rank(&span.head) != rank(&known.head) {
        return Ok(supersedes((&span.head, ""), (&known.head, "")));
    }
    let record = |span: &Located| -> Result<Box<str>, StoreError> {
        let mut select = session.connection.prepare_cached("SELECT data FROM block WHERE id = ?")?;
        let data: Vec<u8> = select.query_row([span.block], |row| row.get(0))?;
        let position = usize::try_from(span.position).unwrap_or(usize::MAX);
        let record = block::decode(&data)?.into_iter().nth(position);
        record.ok_or_else(|| StoreError::Engine("a block lacks a record".to_owned()))
    };
    Ok(supersedes((&span.head, &record(span)?), (&known.head, &record(known)?)))
}

/// What was said of the trace before it arrived is about this one.
fn adopt_annotations(session: &Session<'_>, workspace: i64, trace_id: &Value) -> Result<(), StoreError> {
    let mut update = session
        .connection
        .prepare_cached("UPDATE annotation SET workspace = ? WHERE trace_id = ? AND workspace = 0")?;
    update.execute(params![workspace, trace_id])?;
    Ok(())
}

/// A row of `trace`.
struct Row<'a> {
    /// Absent for a new one.
    id: Option<i64>,
    trace_id: Value,
    state: &'a TraceState,
    entry: &'a Entry,
    updated_at: i64,
}

impl Row<'_> {
    /// Writes it, as one whose text has to be indexed. Its number.
    fn write(&self, session: &mut Session<'_>) -> Result<i64, StoreError> {
        let revision = session.next_revision()?;
        let name = session.terms.number(session.connection, &self.state.name)?;
        let mut write = session.connection.prepare_cached(
            "INSERT INTO trace (id, workspace, trace_id, revision, name, environment, status, started_at, duration,
                 spans, errors, input_tokens, output_tokens, total_tokens, cost, priced, unpriced, updated_at,
                 facets, unsettled)
             VALUES (:id, :workspace, :trace_id, :revision, :name, :environment, :status, :started_at, :duration,
                 :spans, :errors, :input_tokens, :output_tokens, :total_tokens, :cost, :priced, :unpriced,
                 :updated_at, :facets, 1)
             ON CONFLICT (id) DO UPDATE SET revision = excluded.revision, name = excluded.name,
                 environment = excluded.environment, status = excluded.status, started_at = excluded.started_at,
                 duration = excluded.duration, spans = excluded.spans, errors = excluded.errors,
                 input_tokens = excluded.input_tokens, output_tokens = excluded.output_tokens,
                 total_tokens = excluded.total_tokens, cost = excluded.cost, priced = excluded.priced,
                 unpriced = excluded.unpriced, updated_at = excluded.updated_at, facets = excluded.facets,
                 unsettled = 1",
        )?;
        let state = self.state;
        write.execute(named_params! {
            ":id": self.id,
            ":workspace": self.entry.workspace,
            ":trace_id": self.trace_id,
            ":revision": revision,
            ":name": name,
            ":environment": self.entry.environment,
            ":status": number::status_number(state.status),
            ":started_at": state.started_at.as_micros(),
            ":duration": state.duration_micros.cast_signed(),
            ":spans": state.spans.cast_signed(),
            ":errors": state.errors.cast_signed(),
            ":input_tokens": state.tokens.input.cast_signed(),
            ":output_tokens": state.tokens.output.cast_signed(),
            ":total_tokens": state.tokens.total.cast_signed(),
            ":cost": state.cost.nano_usd.cast_signed(),
            ":priced": state.cost.priced.cast_signed(),
            ":unpriced": state.cost.unpriced.cast_signed(),
            ":updated_at": self.updated_at,
            ":facets": facets::encode(&self.entry.facets),
        })?;
        Ok(self.id.unwrap_or_else(|| session.connection.last_insert_rowid()))
    }
}
