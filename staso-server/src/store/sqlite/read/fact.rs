use rusqlite::{Connection, params_from_iter, types::Value};

use super::{condition::Bounds, term};
use crate::{
    model::{Dimension, Measures, MetricsFilter, Timestamp, WorkspaceId},
    store::{
        StoreError,
        sqlite::{measures, number::Subject},
    },
};

/// What is counted for metrics: traces, runs of agents, or calls of models.
pub(super) struct Fact<'a> {
    pub(super) started_at: Timestamp,
    /// The value of the dimension; 0 for none.
    pub(super) key: i64,
    measures: &'a [u8],
}

impl Fact<'_> {
    pub(super) fn add_to(&self, sum: &mut Measures) {
        measures::add(self.measures, sum);
    }
}

/// Hands out the facts that match, the earliest first. Those without a value of the dimension are left out.
pub(super) fn scan(
    connection: &Connection,
    workspace: WorkspaceId,
    filter: &MetricsFilter,
    by: Option<Dimension>,
    mut found: impl FnMut(&Fact<'_>),
) -> Result<(), StoreError> {
    let key = match by {
        None => "0",
        Some(Dimension::Agent) => "agent",
        Some(Dimension::Environment) => "environment",
        Some(Dimension::Model) => "model",
        Some(Dimension::User) => "user",
    };
    let subject = if by == Some(Dimension::Model) || filter.model.is_some() {
        Subject::Calls
    } else if by == Some(Dimension::Agent) || filter.agent.is_some() {
        Subject::Run
    } else {
        Subject::Trace
    };
    let mut sql = format!(
        "SELECT started_at, {key}, measures FROM fact \
         WHERE workspace = ? AND subject = ? AND started_at >= ? AND started_at < ?"
    );
    let Bounds { since, until } = filter.range.into();
    let mut parameters = [workspace.0, subject as i64, since, until].map(Value::from).to_vec();
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
        let measures = row.get_ref(2)?.as_blob().unwrap_or_default();
        let fact = Fact { started_at: Timestamp::from_micros(row.get(0)?), key: row.get(1)?, measures };
        if by.is_none() || fact.key != 0 {
            found(&fact);
        }
    }
    Ok(())
}
