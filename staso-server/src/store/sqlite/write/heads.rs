use rusqlite::{
    OptionalExtension as _,
    types::{Value, ValueRef},
};

use super::{
    super::{head::Head, pack},
    session::Session,
    sums::Sums,
};
use crate::{
    model::{Rank, SpanHead, SpanId},
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
    let mut select = session
        .connection
        .prepare_cached("SELECT head, block, position FROM span WHERE trace = ? AND span_id = ?")?;
    let found = select
        .query_row((trace, pack::pack_id(span_id.as_str())), |row| {
            Ok((Head::decode(row.get_ref(0)?.as_blob()?), row.get(1)?, row.get(2)?))
        })
        .optional()?;
    let Some((head, block, position)) = found else { return Ok(None) };
    Ok(Some(Placed { rank: head?.rank(), block, position }))
}

/// The spans of a trace, one version of each.
pub(super) fn of_trace(session: &mut Session<'_>, trace: i64) -> Result<Vec<SpanHead>, StoreError> {
    let mut select =
        session.connection.prepare_cached("SELECT span_id, parent, head FROM span WHERE trace = ?")?;
    let mut rows = select.query([trace])?;
    let mut spans = Vec::new();
    while let Some(row) = rows.next()? {
        let head = Head::decode(row.get_ref(2)?.as_blob().unwrap_or_default())?;
        let parent_span_id = match row.get_ref(1)? {
            ValueRef::Null => None,
            parent => Some(SpanId::new(pack::unpack_id(parent))),
        };
        let mut text =
            |term| session.terms.text(session.connection, term).map(|text| text.as_ref().to_owned());
        spans.push(SpanHead {
            span_id: SpanId::new(pack::unpack_id(row.get_ref(0)?)),
            parent_span_id,
            name: text(head.name)?,
            kind: head.kind,
            started_at: head.started_at,
            duration_micros: head.duration_micros,
            status: head.status,
            provisional: head.provisional,
            agent: text(head.agent)?,
            conversation_id: text(head.conversation)?,
            user_id: text(head.user)?,
            model: text(head.model)?,
            tags: head.tags.iter().map(|tag| text(*tag)).collect::<Result<_, _>>()?,
            tokens: head.tokens,
            cost: head.cost,
        });
    }
    Ok(spans)
}

/// Writes a version of a span in the place of the one that is known.
pub(super) fn write(
    session: &mut Session<'_>,
    trace: i64,
    span: &SpanHead,
    (block, position): (i64, usize),
    sums: &mut Sums,
) -> Result<(), StoreError> {
    let head = numbered(session, span)?;
    let mut replace = session.connection.prepare_cached(
        "REPLACE INTO span (trace, span_id, parent, block, position, head) VALUES (?, ?, ?, ?, ?, ?)",
    )?;
    replace.execute((
        trace,
        pack::pack_id(span.span_id.as_str()),
        span.parent_span_id.as_ref().map(|id| pack::pack_id(id.as_str())),
        block,
        position,
        head.encode(),
    ))?;
    sums.block(block, 1);
    Ok(())
}

/// Writes anew what is taken out of a span, whose record is where it was.
pub(super) fn rewrite(
    session: &mut Session<'_>,
    trace: i64,
    packed_id: &Value,
    span: &SpanHead,
) -> Result<(), StoreError> {
    let head = numbered(session, span)?.encode();
    let mut update = session
        .connection
        .prepare_cached("UPDATE span SET parent = ?, head = ? WHERE trace = ? AND span_id = ?")?;
    let parent = span.parent_span_id.as_ref().map(|id| pack::pack_id(id.as_str()));
    update.execute((parent, head, trace, packed_id))?;
    Ok(())
}

fn numbered(session: &mut Session<'_>, span: &SpanHead) -> Result<Head, StoreError> {
    let mut term = |text: &str| session.terms.number(session.connection, text);
    let tags = span.tags.iter().filter(|tag| !tag.is_empty());
    Ok(Head {
        kind: span.kind,
        status: span.status,
        provisional: span.provisional,
        started_at: span.started_at,
        duration_micros: span.duration_micros,
        name: term(&span.name)?,
        agent: term(&span.agent)?,
        conversation: term(&span.conversation_id)?,
        user: term(&span.user_id)?,
        model: term(&span.model)?,
        cost: span.cost,
        tokens: span.tokens,
        tags: tags.map(|tag| term(tag)).collect::<Result<_, _>>()?,
    })
}
