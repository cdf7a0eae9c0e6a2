use rusqlite::{Connection, Row, params_from_iter, types::Value};

use super::{condition::Bounds, term};
use crate::{
    model::{Cost, Dimension, Measures, MetricsFilter, Timestamp, Tokens, WorkspaceId},
    store::{StoreError, sqlite::latency},
};

/// What is counted for metrics: traces, runs of agents, or calls of models.
pub(super) struct Fact<'a> {
    pub(super) started_at: Timestamp,
    /// The value of the dimension; 0 for none.
    pub(super) key: i64,
    row: &'a Row<'a>,
}

impl Fact<'_> {
    pub(super) fn add_to(&self, measures: &mut Measures) -> Result<(), StoreError> {
        let row = self.row;
        measures.count += row.get::<_, u64>(2)?;
        measures.errors += row.get::<_, u64>(3)?;
        latency::count(row.get_ref(4)?, &mut measures.latency);
        measures.tokens += Tokens { input: row.get(5)?, output: row.get(6)?, total: row.get(7)? };
        measures.cost += Cost { nano_usd: row.get(8)?, priced: row.get(9)?, unpriced: row.get(10)? };
        Ok(())
    }
}

/// Hands out the facts that match, the earliest first. Those without a value of the dimension are left out.
pub(super) fn scan(
    connection: &Connection,
    workspace: WorkspaceId,
    filter: &MetricsFilter,
    by: Option<Dimension>,
    mut found: impl FnMut(&Fact<'_>) -> Result<(), StoreError>,
) -> Result<(), StoreError> {
    let key = match by {
        None => "0",
        Some(Dimension::Agent) => "agent",
        Some(Dimension::Environment) => "environment",
        Some(Dimension::Model) => "model",
        Some(Dimension::User) => "user",
    };
    let subject: i64 = if by == Some(Dimension::Model) || filter.model.is_some() {
        2
    } else if by == Some(Dimension::Agent) || filter.agent.is_some() {
        1
    } else {
        0
    };
    let mut sql = format!(
        "SELECT started_at, {key}, count, errors, latency, input_tokens, output_tokens, total_tokens, cost, \
         priced, unpriced FROM fact WHERE workspace = ? AND subject = ? AND started_at >= ? AND started_at < ?"
    );
    let Bounds { since, until } = filter.range.into();
    let mut parameters = [workspace.0, subject, since, until].map(Value::from).to_vec();
    let equals = [
        ("environment", &filter.environment),
        ("agent", &filter.agent),
        ("user", &filter.user),
        ("model", &filter.model),
    ];
    for (column, text) in equals {
        let Some(text) = text else { continue };
        let Some(value) = term::number(connection, text)? else { return Ok(()) };
        sql.push_str(&format!(" AND {column} = ?"));
        parameters.push(value.into());
    }
    sql.push_str(" ORDER BY started_at");

    let mut statement = connection.prepare_cached(&sql)?;
    let mut rows = statement.query(params_from_iter(parameters))?;
    while let Some(row) = rows.next()? {
        let fact = Fact { started_at: Timestamp::from_micros(row.get(0)?), key: row.get(1)?, row };
        if by.is_none() || fact.key != 0 {
            found(&fact)?;
        }
    }
    Ok(())
}
