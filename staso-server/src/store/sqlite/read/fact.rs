use std::collections::HashMap;

use rusqlite::Connection;

use super::{condition::Bounds, term};
use crate::{
    model::{Dimension, MetricsFilter, WorkspaceId},
    store::{
        StoreError,
        sqlite::{
            fact::{self, Fact},
            number::Subject,
        },
    },
};

/// What belongs to each value of a dimension. The engine numbers values itself, so that nobody can choose numbers whose
/// hashes are the same.
pub(super) type ByValue<T> = HashMap<i64, T, foldhash::fast::FixedState>;

/// Hands out the facts that match, in no order, each with its value of the dimension: 0 when there is none, in which
/// case those without a value are not left out.
pub(super) fn scan(
    connection: &Connection,
    workspace: WorkspaceId,
    filter: &MetricsFilter,
    by: Option<Dimension>,
    mut found: impl FnMut(i64, &Fact<'_>),
) -> Result<(), StoreError> {
    let Some(wanted) = Wanted::new(connection, filter, by)? else { return Ok(()) };
    let mut statement = connection.prepare_cached(
        "SELECT facts FROM fact_pack INDEXED BY fact_pack_by_time \
         WHERE workspace = ? AND last_at >= ? AND first_at < ?",
    )?;
    let Bounds { since, until } = wanted.started;
    let mut rows = statement.query((workspace.0, since, until))?;
    while let Some(row) = rows.next()? {
        let pack = row.get_ref(0)?.as_blob().unwrap_or_default();
        for (_, trace) in fact::traces(pack) {
            for fact in fact::facts(trace).take_while(|fact| fact.subject <= wanted.subject) {
                if wanted.is_met(&fact)
                    && let Some(key) = wanted.key(&fact)
                {
                    found(key, &fact);
                }
            }
        }
    }
    Ok(())
}

/// Which facts are counted.
struct Wanted {
    subject: Subject,
    started: Bounds,
    environment: Option<i64>,
    user: Option<i64>,
    agent: Option<i64>,
    model: Option<i64>,
    by: Option<Dimension>,
}

impl Wanted {
    /// `None` when nothing can match, as one of the values occurs nowhere.
    fn new(
        connection: &Connection,
        filter: &MetricsFilter,
        by: Option<Dimension>,
    ) -> Result<Option<Self>, StoreError> {
        let subject = if by == Some(Dimension::Model) || filter.model.is_some() {
            Subject::Calls
        } else if by == Some(Dimension::Agent) || filter.agent.is_some() {
            Subject::Run
        } else {
            Subject::Trace
        };
        let mut possible = true;
        let mut value = |text: &Option<String>| -> Result<Option<i64>, StoreError> {
            let Some(text) = text else { return Ok(None) };
            let number = term::number(connection, text)?;
            possible &= number.is_some();
            Ok(number)
        };
        let wanted = Self {
            subject,
            started: filter.range.into(),
            environment: value(&filter.environment)?,
            user: value(&filter.user)?,
            agent: value(&filter.agent)?,
            model: value(&filter.model)?,
            by,
        };
        Ok(possible.then_some(wanted))
    }

    fn is_met(&self, fact: &Fact<'_>) -> bool {
        let is = |wanted: Option<i64>, value| wanted.is_none_or(|wanted| wanted == value);
        fact.subject == self.subject
            && self.started.contains(fact.started_at.as_micros())
            && is(self.environment, fact.environment)
            && is(self.user, fact.user)
            && is(self.agent, fact.agent)
            && is(self.model, fact.model)
    }

    fn key(&self, fact: &Fact<'_>) -> Option<i64> {
        let key = match self.by {
            None => return Some(0),
            Some(Dimension::Agent) => fact.agent,
            Some(Dimension::Environment) => fact.environment,
            Some(Dimension::Model) => fact.model,
            Some(Dimension::User) => fact.user,
        };
        (key != 0).then_some(key)
    }
}
