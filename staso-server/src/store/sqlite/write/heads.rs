use rusqlite::{Row, named_params, types::ValueRef};

use super::{
    super::{number, pack, varint},
    session::Session,
    sums::Sums,
};
use crate::{
    model::{Cost, SpanHead, SpanId, Timestamp, Tokens},
    store::StoreError,
};

/// A span, and where its record is.
pub(super) struct Located {
    pub(super) head: SpanHead,
    pub(super) block: i64,
    pub(super) position: i64,
}

/// The spans of a trace, one version of each.
pub(super) fn of_trace(session: &mut Session<'_>, trace: i64) -> Result<Vec<Located>, StoreError> {
    let mut select = session.connection.prepare_cached(
        "SELECT span_id, parent, block, position, name, kind, started_at, duration, status, agent, conversation,
             user, model, tags, input_tokens, output_tokens, total_tokens, cost
         FROM span WHERE trace = ?",
    )?;
    let mut rows = select.query([trace])?;
    let mut spans = Vec::new();
    while let Some(row) = rows.next()? {
        spans.push(located(session, row)?);
    }
    Ok(spans)
}

fn located(session: &mut Session<'_>, row: &Row<'_>) -> Result<Located, StoreError> {
    let mut text = |column: &str| -> Result<String, StoreError> {
        Ok(session.terms.text(session.connection, row.get(column)?)?.as_ref().to_owned())
    };
    let (name, agent, conversation_id) = (text("name")?, text("agent")?, text("conversation")?);
    let (user_id, model) = (text("user")?, text("model")?);
    let mut tags = Vec::new();
    if let ValueRef::Blob(mut bytes) = row.get_ref("tags")? {
        while let Some(tag) = varint::take(&mut bytes) {
            tags.push(session.terms.text(session.connection, tag.cast_signed())?.as_ref().to_owned());
        }
    }
    let (status, provisional) = number::span_status_of(row.get("status")?);
    let total: Option<i64> = row.get("total_tokens")?;
    let count = |column: &str| row.get(column).map(i64::cast_unsigned);
    let tokens = match total {
        None => None,
        Some(total) => Some(Tokens {
            input: count("input_tokens")?,
            output: count("output_tokens")?,
            total: total.cast_unsigned(),
        }),
    };
    let parent = match row.get_ref("parent")? {
        ValueRef::Null => None,
        parent => Some(SpanId::new(pack::unpack_id(parent))),
    };
    let head = SpanHead {
        span_id: SpanId::new(pack::unpack_id(row.get_ref("span_id")?)),
        parent_span_id: parent,
        name,
        kind: number::kind_of(row.get("kind")?),
        started_at: Timestamp::from_micros(row.get("started_at")?),
        duration_micros: count("duration")?,
        status,
        provisional,
        agent,
        conversation_id,
        user_id,
        model,
        tags,
        tokens,
        cost: match row.get::<_, Option<i64>>("cost")? {
            None => Cost::default(),
            Some(UNKNOWN) => Cost::of_call(None),
            Some(nano_usd) => Cost::of_call(Some(nano_usd.cast_unsigned())),
        },
    };
    Ok(Located { head, block: row.get("block")?, position: row.get("position")? })
}

/// The cost of a call whose price is not known.
const UNKNOWN: i64 = -1;

/// Writes versions of spans in the place of those that are known.
pub(super) fn insert<'a>(
    session: &mut Session<'_>,
    trace: i64,
    spans: impl IntoIterator<Item = &'a Located>,
    sums: &mut Sums,
) -> Result<(), StoreError> {
    let mut insert = session.connection.prepare_cached(
        "REPLACE INTO span (trace, span_id, parent, block, position, name, kind, started_at, duration, status,
             agent, conversation, user, model, tags, input_tokens, output_tokens, total_tokens, cost)
         VALUES (:trace, :span_id, :parent, :block, :position, :name, :kind, :started_at, :duration, :status,
             :agent, :conversation, :user, :model, :tags, :input_tokens, :output_tokens, :total_tokens, :cost)",
    )?;
    for Located { head, block, position } in spans {
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
        insert.execute(named_params! {
            ":trace": trace,
            ":span_id": pack::pack_id(head.span_id.as_str()),
            ":parent": head.parent_span_id.as_ref().map(|id| pack::pack_id(id.as_str())),
            ":block": block,
            ":position": position,
            ":name": term(&head.name)?,
            ":kind": number::kind_number(head.kind),
            ":started_at": head.started_at.as_micros(),
            ":duration": head.duration_micros.cast_signed(),
            ":status": number::span_status_number(head.status, head.provisional),
            ":agent": term(&head.agent)?,
            ":conversation": term(&head.conversation_id)?,
            ":user": term(&head.user_id)?,
            ":model": term(&head.model)?,
            ":tags": (!tags.is_empty()).then_some(tags),
            ":input_tokens": head.tokens.map(|tokens| tokens.input.cast_signed()),
            ":output_tokens": head.tokens.map(|tokens| tokens.output.cast_signed()),
            ":total_tokens": head.tokens.map(|tokens| tokens.total.cast_signed()),
            ":cost": cost,
        })?;
        sums.block(*block, 1);
    }
    Ok(())
}
