use rusqlite::{OptionalExtension as _, Row, params, types::ValueRef};

use super::{
    super::{number, pack, varint},
    session::Session,
    sums::Sums,
};
use crate::{
    model::{Cost, Rank, SpanHead, SpanId, Timestamp, Tokens},
    store::StoreError,
};

/// A version of a span that is in the database.
pub(super) struct Placed {
    pub(super) rank: Rank,
    pub(super) block: i64,
    pub(super) position: usize,
}

/// The version that stands of a span.
pub(super) fn find(
    session: &Session<'_>,
    trace: i64,
    span_id: &SpanId,
) -> Result<Option<Placed>, StoreError> {
    let mut select = session.connection.prepare_cached(
        "SELECT status, started_at, duration, block, position FROM span WHERE trace = ? AND span_id = ?",
    )?;
    let found = select
        .query_row((trace, pack::pack_id(span_id.as_str())), |row| {
            let (_, provisional) = number::span_status_of(row.get(0)?);
            let started_at = Timestamp::from_micros(row.get(1)?);
            Ok(Placed {
                rank: Rank::from_parts(provisional, started_at, row.get(2)?),
                block: row.get(3)?,
                position: row.get(4)?,
            })
        })
        .optional()?;
    Ok(found)
}

/// The spans of a trace, one version of each.
pub(super) fn of_trace(session: &mut Session<'_>, trace: i64) -> Result<Vec<SpanHead>, StoreError> {
    let mut select = session.connection.prepare_cached(
        "SELECT span_id, parent, name, kind, started_at, duration, status, agent, conversation, user, model, tags,
             input_tokens, output_tokens, total_tokens, cost
         FROM span WHERE trace = ?",
    )?;
    let mut rows = select.query([trace])?;
    let mut spans = Vec::new();
    while let Some(row) = rows.next()? {
        spans.push(head(session, row)?);
    }
    Ok(spans)
}

/// The cost of a call whose price is not known.
const UNKNOWN: i64 = -1;

fn head(session: &mut Session<'_>, row: &Row<'_>) -> Result<SpanHead, StoreError> {
    let mut text = |column: usize| -> Result<String, StoreError> {
        Ok(session.terms.text(session.connection, row.get(column)?)?.as_ref().to_owned())
    };
    let (name, agent, conversation_id) = (text(2)?, text(7)?, text(8)?);
    let (user_id, model) = (text(9)?, text(10)?);
    let mut tags = Vec::new();
    if let ValueRef::Blob(mut bytes) = row.get_ref(11)? {
        while let Some(tag) = varint::take(&mut bytes) {
            tags.push(session.terms.text(session.connection, tag.cast_signed())?.as_ref().to_owned());
        }
    }
    let (status, provisional) = number::span_status_of(row.get(6)?);
    let tokens = match row.get(14)? {
        None => None,
        Some(total) => Some(Tokens { input: row.get(12)?, output: row.get(13)?, total }),
    };
    let parent_span_id = match row.get_ref(1)? {
        ValueRef::Null => None,
        parent => Some(SpanId::new(pack::unpack_id(parent))),
    };
    Ok(SpanHead {
        span_id: SpanId::new(pack::unpack_id(row.get_ref(0)?)),
        parent_span_id,
        name,
        kind: number::kind_of(row.get(3)?),
        started_at: Timestamp::from_micros(row.get(4)?),
        duration_micros: row.get(5)?,
        status,
        provisional,
        agent,
        conversation_id,
        user_id,
        model,
        tags,
        tokens,
        cost: match row.get::<_, Option<i64>>(15)? {
            None => Cost::default(),
            Some(UNKNOWN) => Cost::of_call(None),
            Some(nano_usd) => Cost::of_call(Some(nano_usd.cast_unsigned())),
        },
    })
}

/// Writes a version of a span in the place of the one that is known.
pub(super) fn write(
    session: &mut Session<'_>,
    trace: i64,
    head: &SpanHead,
    (block, position): (i64, usize),
    sums: &mut Sums,
) -> Result<(), StoreError> {
    let mut replace = session.connection.prepare_cached(
        "REPLACE INTO span (trace, span_id, parent, block, position, name, kind, started_at, duration, status,
             agent, conversation, user, model, tags, input_tokens, output_tokens, total_tokens, cost)
         VALUES (?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?)",
    )?;
    let mut term = |text: &str| session.terms.number(session.connection, text);
    let mut tags = Vec::new();
    for tag in head.tags.iter().filter(|tag| !tag.is_empty()) {
        varint::push(&mut tags, term(tag)?.cast_unsigned());
    }
    let cost = match (head.cost.priced, head.cost.unpriced) {
        (0, 0) => None,
        (0, _) => Some(UNKNOWN),
        _ => Some(head.cost.nano_usd.cast_signed()),
    };
    replace.execute(params![
        trace,
        pack::pack_id(head.span_id.as_str()),
        head.parent_span_id.as_ref().map(|id| pack::pack_id(id.as_str())),
        block,
        position,
        term(&head.name)?,
        number::kind_number(head.kind),
        head.started_at.as_micros(),
        head.duration_micros.cast_signed(),
        number::span_status_number(head.status, head.provisional),
        term(&head.agent)?,
        term(&head.conversation_id)?,
        term(&head.user_id)?,
        term(&head.model)?,
        (!tags.is_empty()).then_some(tags),
        head.tokens.map(|tokens| tokens.input.cast_signed()),
        head.tokens.map(|tokens| tokens.output.cast_signed()),
        head.tokens.map(|tokens| tokens.total.cast_signed()),
        cost,
    ])?;
    sums.block(block, 1);
    Ok(())
}
