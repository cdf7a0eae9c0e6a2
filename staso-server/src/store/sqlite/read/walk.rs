use rusqlite::{Connection, params_from_iter, types::Value};

use super::{
    condition::{Bounds, Conditions, FEW, Facet},
    list::json_array,
};
use crate::{
    model::TraceSort,
    store::{StoreError, cursor::Place},
};

/// A way through all traces that match, in the order of a list: SQL for rows of sort key and trace, and what
/// to bind.
pub(super) struct Walk {
    sql: String,
    parameters: Vec<Value>,
}

/// Where candidates come from.
#[derive(Clone, Copy)]
enum Source<'a> {
    /// The list's own index.
    Sorted,
    /// The index by start.
    Started,
    /// The index by duration.
    Lasted,
    /// The traces with one value.
    Facet(&'a Facet),
    /// These traces.
    Some(&'a [i64]),
}

impl Walk {
    /// Chooses the way that looks at the fewest traces. `among` are all that can match, where that is known
    /// and they are few.
    pub(super) fn new(
        connection: &Connection,
        conditions: &Conditions,
        sort: TraceSort,
        after: Option<&Place<i64>>,
        among: Option<&[i64]>,
    ) -> Result<Self, StoreError> {
        let source = match among {
            Some(traces) => Source::Some(traces),
            None => choose(connection, conditions, sort)?,
        };
        Ok(Self::from(source, conditions, sort, after))
    }

    /// The traces that match, in no order that matters, from those with the rarest value.
    pub(super) fn any(conditions: &Conditions) -> Self {
        let source = conditions.facets.first().map_or(Source::Started, Source::Facet);
        Self::from(source, conditions, TraceSort::Newest, None)
    }

    /// Hands out the traces with their places until `visit` has enough and says `false`.
    pub(super) fn run(
        self,
        connection: &Connection,
        mut visit: impl FnMut(Place<i64>) -> Result<bool, StoreError>,
    ) -> Result<(), StoreError> {
        let mut statement = connection.prepare_cached(&self.sql)?;
        let mut rows = statement.query(params_from_iter(self.parameters))?;
        while let Some(row) = rows.next()? {
            if !visit(Place { key: row.get(0)?, tie: row.get(1)? })? {
                break;
            }
        }
        Ok(())
    }

    fn from(
        source: Source<'_>,
        conditions: &Conditions,
        sort: TraceSort,
        after: Option<&Place<i64>>,
    ) -> Self {
        let (column, index) = match sort {
            TraceSort::Newest => ("started_at", "trace_by_start"),
            TraceSort::Slowest => ("duration", "trace_by_duration"),
            TraceSort::Costliest => ("cost", "trace_by_cost"),
            TraceSort::MostTokens => ("total_tokens", "trace_by_tokens"),
        };
        let by_facet_alone =
            sort == TraceSort::Newest && conditions.min_duration.is_none() && conditions.updated.is_none();
        let mut parameters = Vec::new();
        let mut sql = match source {
            Source::Sorted => format!("SELECT t.{column}, t.id FROM trace t INDEXED BY {index}"),
            Source::Started => format!("SELECT t.{column}, t.id FROM trace t INDEXED BY trace_by_start"),
            Source::Lasted => format!("SELECT t.{column}, t.id FROM trace t INDEXED BY trace_by_duration"),
            Source::Facet(_) if by_facet_alone => "SELECT d.started_at, d.trace FROM facet d".to_owned(),
            Source::Facet(_) if sort == TraceSort::Newest => {
                "SELECT d.started_at, d.trace FROM facet d CROSS JOIN trace t ON t.id = d.trace".to_owned()
            }
            Source::Facet(_) => {
                format!("SELECT t.{column}, d.trace FROM facet d CROSS JOIN trace t ON t.id = d.trace")
            }
            Source::Some(traces) => {
                parameters.push(json_array(traces).into());
                format!("SELECT t.{column}, t.id FROM json_each(?) j CROSS JOIN trace t ON t.id = j.value")
            }
        };
        let (table, id, key) = match source {
            Source::Facet(_) if sort == TraceSort::Newest => ("d", "d.trace", "d.started_at".to_owned()),
            Source::Facet(_) => ("d", "d.trace", format!("t.{column}")),
            _ => ("t", "t.id", format!("t.{column}")),
        };

        sql.push_str(&format!(" WHERE {table}.workspace = ?"));
        parameters.push(conditions.workspace.into());
        if let Source::Facet(facet) = source {
            sql.push_str(" AND d.dimension = ? AND d.value = ?");
            parameters.extend([Value::from(facet.dimension as i64), facet.value.into()]);
        }
        if !conditions.started.is_open() {
            sql.push_str(&format!(" AND {table}.started_at >= ? AND {table}.started_at < ?"));
            parameters.extend([conditions.started.since, conditions.started.until].map(Value::from));
        }
        if let Some(least) = conditions.min_duration {
            sql.push_str(" AND t.duration >= ?");
            parameters.push(least.into());
        }
        if let Some(updated) = conditions.updated {
            sql.push_str(" AND t.updated_at >= ? AND t.updated_at < ?");
            parameters.extend([updated.since, updated.until].map(Value::from));
        }
        for facet in &conditions.facets {
            if matches!(source, Source::Facet(driver) if driver == facet) {
                continue;
            }
            sql.push_str(&format!(
                " AND EXISTS (SELECT 1 FROM facet f WHERE f.workspace = ? AND f.dimension = ? AND f.value = ? \
                 AND f.started_at = {table}.started_at AND f.trace = {id})"
            ));
            let key = [conditions.workspace, facet.dimension as i64, facet.value];
            parameters.extend(key.map(Value::from));
        }
        if let Some(after) = after {
            sql.push_str(&format!(" AND ({key}, {id}) < (?, ?)"));
            parameters.extend([after.key, after.tie].map(Value::from));
        }
        sql.push_str(&format!(" ORDER BY {key} DESC, {id} DESC"));
        Self { sql, parameters }
    }
}

fn choose<'a>(
    connection: &Connection,
    conditions: &'a Conditions,
    sort: TraceSort,
) -> Result<Source<'a>, StoreError> {
    let mut best = match conditions.facets.first() {
        Some(rarest) => (Source::Facet(rarest), rarest.traces),
        None => (Source::Started, u64::MAX),
    };
    if let Some(traces) = started_in_range(connection, conditions)?
        && traces < best.1
    {
        best = (Source::Started, traces);
    }
    if let Some(traces) = lasted_long(connection, conditions)?
        && traces < best.1
    {
        best = (Source::Lasted, traces);
    }
    let (source, traces) = best;
    let in_order = sort == TraceSort::Newest && !matches!(source, Source::Lasted);
    Ok(if in_order || traces <= FEW { source } else { Source::Sorted })
}

/// How many traces started in the range of time, if it is a range and they are few.
fn started_in_range(connection: &Connection, conditions: &Conditions) -> Result<Option<u64>, StoreError> {
    if conditions.started.is_open() {
        return Ok(None);
    }
    let mut statement = connection.prepare_cached(
        "SELECT count(*) FROM (SELECT 1 FROM trace INDEXED BY trace_by_start \
         WHERE workspace = ?1 AND started_at >= ?2 AND started_at < ?3 LIMIT ?4)",
    )?;
    let Bounds { since, until } = conditions.started;
    let traces =
        statement.query_row((conditions.workspace, since, until, FEW as i64 + 1), |row| row.get(0))?;
    Ok((traces <= FEW).then_some(traces))
}

/// How many traces lasted long enough, if that is a condition and they are few.
fn lasted_long(connection: &Connection, conditions: &Conditions) -> Result<Option<u64>, StoreError> {
    let Some(least) = conditions.min_duration else { return Ok(None) };
    let mut statement = connection.prepare_cached(
        "SELECT count(*) FROM (SELECT 1 FROM trace INDEXED BY trace_by_duration \
         WHERE workspace = ?1 AND duration >= ?2 LIMIT ?3)",
    )?;
    let traces = statement.query_row((conditions.workspace, least, FEW as i64 + 1), |row| row.get(0))?;
    Ok((traces <= FEW).then_some(traces))
}
