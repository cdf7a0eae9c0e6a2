use rusqlite::{Connection, OptionalExtension, Row};

use super::term::Terms;
use crate::{
    model::{Timestamp, TraceId, TraceSummary},
    store::{
        StoreError,
        sqlite::{
            facets,
            number::{self, Dimension, status_of},
            pack,
        },
    },
};

/// What a list shows of a trace.
pub(super) fn of_trace(
    connection: &Connection,
    terms: &mut Terms<'_>,
    trace: i64,
) -> Result<TraceSummary, StoreError> {
    let mut statement = connection.prepare_cached(
        "SELECT trace_id, name, environment, status, started_at, duration, spans, errors, input_tokens, \
         output_tokens, total_tokens, cost, priced, unpriced, updated_at, facets FROM trace WHERE id = ?1",
    )?;
    let mut rows = statement.query([trace])?;
    match rows.next()? {
        Some(row) => read(row, terms),
        None => Err(StoreError::Engine(format!("trace {trace} is missing"))),
    }
}

/// The row of the trace with this packed identifier.
pub(super) fn find(
    connection: &Connection,
    workspace: i64,
    packed_id: &rusqlite::types::Value,
) -> Result<Option<i64>, StoreError> {
    let mut statement =
        connection.prepare_cached("SELECT id FROM trace WHERE workspace = ?1 AND trace_id = ?2")?;
    Ok(statement.query_row((workspace, packed_id), |row| row.get(0)).optional()?)
}

fn read(row: &Row<'_>, terms: &mut Terms<'_>) -> Result<TraceSummary, StoreError> {
    let mut values = Values::default();
    for (dimension, value) in facets::decode(row.get_ref(15)?.as_blob().unwrap_or_default()) {
        values.add(dimension, terms, value)?;
    }
    values.models.sort_unstable();
    let updated_at = Timestamp::from_micros(row.get(14)?);
    Ok(TraceSummary {
        trace_id: TraceId::new(pack::unpack_id(row.get_ref(0)?)),
        name: terms.text(row.get(1)?)?,
        status: status_of(row.get(3)?).at(Timestamp::now(), updated_at),
        environment: terms.text(row.get(2)?)?,
        agents: values.agents,
        conversation_id: values.conversation.unwrap_or_default(),
        user_id: values.user.unwrap_or_default(),
        models: values.models,
        tags: values.tags,
        started_at: Timestamp::from_micros(row.get(4)?),
        duration_micros: number::count(row, 5)?,
        spans: number::count(row, 6)?,
        errors: number::count(row, 7)?,
        tokens: number::tokens(row, 8)?,
        cost: number::cost(row, 11)?,
        updated_at,
    })
}

/// The values of a trace that its summary shows.
#[derive(Default)]
struct Values {
    agents: Vec<String>,
    models: Vec<String>,
    tags: Vec<String>,
    conversation: Option<String>,
    user: Option<String>,
}

impl Values {
    fn add(&mut self, dimension: Dimension, terms: &mut Terms<'_>, value: i64) -> Result<(), StoreError> {
        match dimension {
            Dimension::Agent => self.agents.push(terms.text(value)?),
            Dimension::Model => self.models.push(terms.text(value)?),
            Dimension::Tag => self.tags.push(terms.text(value)?),
            Dimension::Conversation if self.conversation.is_none() => {
                self.conversation = Some(terms.text(value)?);
            }
            Dimension::User if self.user.is_none() => self.user = Some(terms.text(value)?),
            Dimension::Conversation
            | Dimension::User
            | Dimension::Kind
            | Dimension::Environment
            | Dimension::Status => {}
        }
        Ok(())
    }
}
