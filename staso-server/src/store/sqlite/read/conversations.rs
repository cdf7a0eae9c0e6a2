use std::collections::BTreeSet;

use rusqlite::{Connection, Row, params_from_iter, types::Value};

use super::{
    condition::{Bounds, Conditions, FEW},
    list::json_array,
    term::Terms,
    walk::Walk,
};
use crate::{
    model::{ConversationFilter, ConversationSummary, Page, PageRequest, Timestamp, WorkspaceId},
    store::{
        MAX_CONVERSATION_SAMPLE, StoreError,
        cursor::Place,
        sqlite::{
            facets,
            number::{self, Dimension},
        },
    },
};

/// What cursors of conversations begin with.
const LIST: &str = "conversations";

/// The conversations that match, the last active first.
pub(in super::super) fn conversations(
    connection: &Connection,
    workspace: WorkspaceId,
    filter: &ConversationFilter,
    page: &PageRequest,
) -> Result<Page<ConversationSummary>, StoreError> {
    let after = page.after.as_ref().map(|cursor| Place::<i64>::read(LIST, cursor)).transpose()?;
    let none = Page { items: Vec::new(), next: None };
    let mut conditions = Conditions::all(workspace);
    let texts = [
        (Dimension::Environment, &filter.environment),
        (Dimension::Agent, &filter.agent),
        (Dimension::User, &filter.user),
    ];
    for (dimension, text) in texts {
        if !conditions.require_text(connection, dimension, text.as_deref())? {
            return Ok(none);
        }
    }
    let among = match conditions.facets.first() {
        Some(rarest) if rarest.traces <= FEW => Some(of_traces(connection, &conditions)?),
        _ => None,
    };
    let check_each = among.is_none() && !conditions.facets.is_empty();

    let (sql, parameters) = select(workspace, filter, after.as_ref(), among.as_ref());
    let mut statement = connection.prepare_cached(&sql)?;
    let mut rows = statement.query(params_from_iter(parameters))?;
    let mut terms = Terms::new(connection)?;
    let mut items = Vec::new();
    let mut last = None;
    while let Some(row) = rows.next()? {
        let id: i64 = row.get(0)?;
        if check_each && !has_match(connection, &conditions, id)? {
            continue;
        }
        if items.len() == page.limit {
            let next = last.map(|place: Place<i64>| place.cursor(LIST));
            return Ok(Page { items, next });
        }
        items.push(read(connection, workspace, row, &mut terms)?);
        last = Some(Place { key: row.get(2)?, tie: id });
    }
    Ok(Page { items, next: None })
}

/// What a list shows of one conversation.
pub(super) fn find(
    connection: &Connection,
    workspace: WorkspaceId,
    conversation: i64,
) -> Result<Option<ConversationSummary>, StoreError> {
    let mut statement = connection
        .prepare_cached(&format!("SELECT {COLUMNS} FROM conversation c WHERE workspace = ?1 AND id = ?2"))?;
    let mut rows = statement.query((workspace.0, conversation))?;
    let Some(row) = rows.next()? else { return Ok(None) };
    read(connection, workspace, row, &mut Terms::new(connection)?).map(Some)
}

const COLUMNS: &str = "c.id, c.started_at, c.last_at, c.traces, c.failed, c.input_tokens, c.output_tokens, \
                       c.total_tokens, c.cost, c.priced, c.unpriced";

fn select(
    workspace: WorkspaceId,
    filter: &ConversationFilter,
    after: Option<&Place<i64>>,
    among: Option<&BTreeSet<i64>>,
) -> (String, Vec<Value>) {
    let mut parameters = Vec::new();
    let from = match among {
        Some(ids) => {
            parameters.push(json_array(ids).into());
            "json_each(?) j CROSS JOIN conversation c ON c.id = j.value"
        }
        None => "conversation c INDEXED BY conversation_by_last",
    };
    let mut sql = format!("SELECT {COLUMNS} FROM {from} WHERE c.workspace = ?");
    parameters.push(workspace.0.into());
    let bounds = Bounds::from(filter.range);
    if !bounds.is_open() {
        sql.push_str(" AND c.last_at >= ? AND c.last_at < ?");
        parameters.extend([bounds.since, bounds.until].map(Value::from));
    }
    if filter.failed_only {
        sql.push_str(" AND c.failed > 0");
    }
    if let Some(after) = after {
        sql.push_str(" AND (c.last_at, c.id) < (?, ?)");
        parameters.extend([after.key, after.tie].map(Value::from));
    }
    sql.push_str(" ORDER BY c.last_at DESC, c.id DESC");
    (sql, parameters)
}

/// The conversations of the traces that match.
fn of_traces(connection: &Connection, conditions: &Conditions) -> Result<BTreeSet<i64>, StoreError> {
    let mut statement = connection.prepare_cached("SELECT facets FROM trace WHERE id = ?1")?;
    let mut conversations = BTreeSet::new();
    Walk::any(conditions).run(connection, |place| {
        statement.query_row([place.tie], |row| {
            let values = facets::decode(row.get_ref(0)?.as_blob().unwrap_or_default());
            let of_conversation = values.filter(|(dimension, _)| *dimension == Dimension::Conversation);
            conversations.extend(of_conversation.map(|(_, value)| value));
            Ok(())
        })?;
        Ok(true)
    })?;
    Ok(conversations)
}

fn has_match(
    connection: &Connection,
    conditions: &Conditions,
    conversation: i64,
) -> Result<bool, StoreError> {
    let mut conditions = conditions.clone();
    conditions.require(connection, Dimension::Conversation, conversation)?;
    let mut found = false;
    Walk::any(&conditions).run(connection, |_| {
        found = true;
        Ok(false)
    })?;
    Ok(found)
}

fn read(
    connection: &Connection,
    workspace: WorkspaceId,
    row: &Row<'_>,
    terms: &mut Terms<'_>,
) -> Result<ConversationSummary, StoreError> {
    let id: i64 = row.get(0)?;
    let sample = Sample::of(connection, workspace, id)?;
    Ok(ConversationSummary {
        conversation_id: terms.text(id)?,
        users: texts(sample.users, terms)?,
        agents: texts(sample.agents, terms)?,
        environments: texts(sample.environments, terms)?,
        traces: number::count(row, 3)?,
        failed_traces: number::count(row, 4)?,
        started_at: Timestamp::from_micros(row.get(1)?),
        last_at: Timestamp::from_micros(row.get(2)?),
        tokens: number::tokens(row, 5)?,
        cost: number::cost(row, 8)?,
    })
}

/// Values of the last traces of a conversation.
#[derive(Default)]
struct Sample {
    users: BTreeSet<i64>,
    agents: BTreeSet<i64>,
    environments: BTreeSet<i64>,
}

impl Sample {
    fn of(connection: &Connection, workspace: WorkspaceId, conversation: i64) -> Result<Self, StoreError> {
        let mut statement = connection.prepare_cached(
            "SELECT t.facets FROM facet d CROSS JOIN trace t ON t.id = d.trace \
             WHERE d.workspace = ?1 AND d.dimension = ?2 AND d.value = ?3 \
             ORDER BY d.started_at DESC, d.trace DESC LIMIT ?4",
        )?;
        let mut rows = statement.query((
            workspace.0,
            Dimension::Conversation as i64,
            conversation,
            MAX_CONVERSATION_SAMPLE as i64,
        ))?;
        let mut sample = Self::default();
        while let Some(row) = rows.next()? {
            for (dimension, value) in facets::decode(row.get_ref(0)?.as_blob().unwrap_or_default()) {
                match dimension {
                    Dimension::User => sample.users.insert(value),
                    Dimension::Agent => sample.agents.insert(value),
                    Dimension::Environment => sample.environments.insert(value),
                    _ => false,
                };
            }
        }
        Ok(sample)
    }
}

/// In alphabetical order.
fn texts(numbers: BTreeSet<i64>, terms: &mut Terms<'_>) -> Result<Vec<String>, StoreError> {
    let mut texts =
        numbers.into_iter().map(|number| terms.text(number)).collect::<Result<Vec<_>, StoreError>>()?;
    texts.sort_unstable();
    Ok(texts)
}
