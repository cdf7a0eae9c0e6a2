use rusqlite::{OptionalExtension as _, params, types::Value};

use super::{
    super::pack,
    arrived::Arrived,
    heads,
    prepare::{PreparedBatch, PreparedSpan, PreparedTrace},
    session::Session,
    sums::Sums,
    trace::{self, Known},
};
use crate::{
    model::{IngestOutcome, Rank, Receipt, Timestamp, summarize},
    store::StoreError,
};

/// What a trace of more spans comes to is not worked out anew with each of its batches, but when it has grown by
/// a twentieth, when its root arrives, or a second later.
const LARGE: u64 = 2_000;

/// Stores a batch, unless its key says that it is stored.
pub(in super::super) fn ingest(
    session: &mut Session<'_>,
    batch: &PreparedBatch,
) -> Result<IngestOutcome, StoreError> {
    if let Some((digest, receipt)) = known_receipt(session, batch)? {
        let same = digest == batch.digest;
        return Ok(if same { IngestOutcome::Repeated(receipt) } else { IngestOutcome::Conflict });
    }
    let mut insert = session.connection.prepare_cached(
        "INSERT INTO receipt (sender, key, digest, accepted, received_at) VALUES (?, ?, ?, ?, ?)",
    )?;
    let received_at = batch.received_at.as_micros();
    insert.execute(params![batch.sender, batch.key, batch.digest, batch.accepted, received_at])?;

    let mut sums = Sums::default();
    let mut arrived = Arrived::new(&batch.blocks);
    for trace in &batch.traces {
        store(session, trace, &mut arrived, batch.received_at, &mut sums)?;
    }
    sums.write(session)?;
    let receipt = Receipt { receipt_id: batch.key.clone(), accepted: batch.accepted };
    Ok(IngestOutcome::Stored(receipt))
}

fn known_receipt(
    session: &Session<'_>,
    batch: &PreparedBatch,
) -> Result<Option<(Vec<u8>, Receipt)>, StoreError> {
    let mut select = session
        .connection
        .prepare_cached("SELECT digest, accepted FROM receipt WHERE sender = ? AND key = ?")?;
    let known = select.query_row((batch.sender, &batch.key), |row| {
        Ok((row.get(0)?, Receipt { receipt_id: batch.key.clone(), accepted: row.get(1)? }))
    });
    Ok(known.optional()?)
}

fn store(
    session: &mut Session<'_>,
    incoming: &PreparedTrace,
    arrived: &mut Arrived<'_>,
    received_at: Timestamp,
    sums: &mut Sums,
) -> Result<(), StoreError> {
    let workspace = incoming.workspace.0;
    let packed_id = pack::pack_id(incoming.trace_id.as_str());
    let Some(known) = Known::find(session, workspace, &packed_id)? else {
        let Some(state) = summarize(incoming.spans.iter().map(|span| &span.head)) else { return Ok(()) };
        let environment = session.terms.number(session.connection, &incoming.environment)?;
        let updated_at = received_at.as_micros();
        let id = trace::insert(session, workspace, &packed_id, environment, &state, updated_at, sums)?;
        for span in &incoming.spans {
            let place = arrived.place(session, span)?;
            heads::write(session, id, &span.head, place, sums)?;
        }
        return adopt_annotations(session, workspace, &packed_id);
    };

    let (mut written, mut more, mut root_ended) = (false, 0, false);
    for span in &incoming.spans {
        let standing = heads::find(session, known.id, &span.head.span_id)?;
        if let Some(standing) = &standing {
            if !supersedes(session, arrived, span, standing)? {
                continue;
            }
            sums.block(standing.block, -1);
        }
        written = true;
        more += u64::from(standing.is_none());
        root_ended |= span.head.is_root() && !span.head.provisional;
        let place = arrived.place(session, span)?;
        heads::write(session, known.id, &span.head, place, sums)?;
    }
    let environment = later_environment(session, known.environment, &incoming.environment)?;
    if !written && environment == known.environment {
        return Ok(());
    }
    let updated_at = known.updated_at.max(received_at.as_micros());
    let not_counted = session.outdated.entry(known.id).or_default();
    *not_counted += more;
    if known.spans > LARGE && *not_counted < known.spans / 20 && !root_ended {
        known.put_off(session, environment, updated_at)
    } else {
        known.refresh(session, environment, updated_at, sums)
    }
}

/// The rule of [`supersedes`](crate::model::supersedes), which looks at the records only where it must.
fn supersedes(
    session: &Session<'_>,
    arrived: &mut Arrived<'_>,
    span: &PreparedSpan,
    standing: &heads::Placed,
) -> Result<bool, StoreError> {
    match Rank::of(&span.head).supersedes(standing.rank) {
        Some(supersedes) => Ok(supersedes),
        None => Ok(*arrived.record(span)? != *arrived.record_in(session, standing.block, standing.position)?),
    }
}

/// Senders may differ on where a trace runs; the last one in alphabetical order is right, so that it does not
/// matter who comes first.
fn later_environment(session: &mut Session<'_>, known: i64, incoming: &str) -> Result<i64, StoreError> {
    let text = session.terms.text(session.connection, known)?;
    if incoming > &*text { session.terms.number(session.connection, incoming) } else { Ok(known) }
}

/// What was said of the trace before it arrived is about this one.
fn adopt_annotations(session: &Session<'_>, workspace: i64, trace_id: &Value) -> Result<(), StoreError> {
    let mut update = session
        .connection
        .prepare_cached("UPDATE annotation SET workspace = ? WHERE trace_id = ? AND workspace = 0")?;
    update.execute((workspace, trace_id))?;
    Ok(())
}
