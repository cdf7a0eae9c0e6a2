use rusqlite::{Connection, params_from_iter, types::Value};

use super::{conversations, record::Blocks, span, summary, term};
use crate::{
    model::{Conversation, Page, PageRequest, SpanRow, Turn, WorkspaceId, topmost},
    store::{
        MAX_PAGE_BYTES, MAX_STEPS, MAX_TURNS, StoreError,
        cursor::Place,
        record::RecordTexts,
        sqlite::{number::Dimension, until::Until},
    },
};

/// What cursors of turns begin with.
const LIST: &str = "turns";

/// One conversation with a page of its turns, the earliest first.
pub(in super::super) fn conversation(
    connection: &Connection,
    until: &Until,
    workspace: WorkspaceId,
    conversation_id: &str,
    page: &PageRequest,
) -> Result<Option<Conversation>, StoreError> {
    let after = page.after.as_ref().map(|cursor| Place::<i64>::read(LIST, cursor)).transpose()?;
    let Some(conversation) = term::number(connection, conversation_id)? else { return Ok(None) };
    let Some(summary) = conversations::find(connection, workspace, conversation)? else { return Ok(None) };

    let limit = page.limit.min(MAX_TURNS);
    let places = places(connection, workspace, conversation, after.as_ref(), limit + 1)?;
    let mut terms = term::Terms::new(connection)?;
    let mut blocks = Blocks::new(connection, until)?;
    let (mut items, mut next) = (Vec::new(), None);
    let mut bytes = 0;
    for (index, place) in places.iter().enumerate() {
        let turn = turn(connection, &mut terms, &mut blocks, place.tie)?;
        bytes += turn.input.len() + turn.output.len();
        items.push(turn);
        if (items.len() >= limit || bytes >= MAX_PAGE_BYTES) && index + 1 < places.len() {
            next = Some(place.cursor(LIST));
            break;
        }
    }
    Ok(Some(Conversation { summary, turns: Page { items, next } }))
}

fn places(
    connection: &Connection,
    workspace: WorkspaceId,
    conversation: i64,
    after: Option<&Place<i64>>,
    limit: usize,
) -> Result<Vec<Place<i64>>, StoreError> {
    let mut sql =
        "SELECT started_at, trace FROM facet WHERE workspace = ? AND dimension = ? AND value = ?".to_owned();
    let mut parameters =
        [workspace.0, Dimension::Conversation as i64, conversation].map(Value::from).to_vec();
    if let Some(after) = after {
        sql.push_str(" AND (started_at, trace) > (?, ?)");
        parameters.extend([after.key, after.tie].map(Value::from));
    }
    sql.push_str(" ORDER BY started_at, trace LIMIT ?");
    parameters.push((limit as i64).into());
    let mut statement = connection.prepare_cached(&sql)?;
    let places = statement
        .query_map(params_from_iter(parameters), |row| Ok(Place { key: row.get(0)?, tie: row.get(1)? }))?
        .collect::<Result<_, _>>()?;
    Ok(places)
}

fn turn(
    connection: &Connection,
    terms: &mut term::Terms<'_>,
    blocks: &mut Blocks<'_>,
    trace: i64,
) -> Result<Turn, StoreError> {
    let spans = span::in_order(connection, terms, trace)?;
    let rows: Vec<&SpanRow> = spans.iter().map(|span| &span.row).collect();
    let lead = topmost(&rows).first().and_then(|place| spans.get(*place));
    let record = match lead {
        Some(lead) => blocks.record(lead.block, lead.position)?,
        None => String::new(),
    };
    let texts = RecordTexts::of(&record);
    Ok(Turn {
        trace: summary::of_trace(connection, terms, trace)?,
        input: texts.input.into_owned(),
        output: texts.output.into_owned(),
        error_message: texts.error_message.map(Into::into),
        steps: spans.into_iter().take(MAX_STEPS).map(|span| span.row).collect(),
    })
}
