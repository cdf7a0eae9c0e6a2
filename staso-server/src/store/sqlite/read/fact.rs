use std::collections::HashMap;

use rusqlite::Connection;

use super::{condition::Bounds, term};
use crate::{
    model::{Dimension, Measures, MetricsFilter, Timestamp, WorkspaceId},
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
    mut found: impl FnMut(i64, &Counted<'_>),
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
                    && let Some(calls) = wanted.calls(&fact, trace)
                {
                    found(key, &Counted { fact, calls });
                }
            }
        }
    }
    Ok(())
}

/// A fact that matches.
pub(super) struct Counted<'a> {
    fact: Fact<'a>,
    /// The calls of one model to whose tokens and cost those of the fact are narrowed.
    calls: Vec<Fact<'a>>,
}

impl Counted<'_> {
    pub(super) fn started_at(&self) -> Timestamp {
        self.fact.started_at
    }

    pub(super) fn count(&self) -> u64 {
        self.fact.count()
    }

    pub(super) fn add_to(&self, sum: &mut Measures) {
        if self.calls.is_empty() {
            return self.fact.add_to(sum);
        }
        let mut measures = self.fact.measures();
        measures.narrow_to(&self.calls.iter().map(Fact::measures).collect::<Vec<_>>());
        sum.add(&measures);
    }
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
        let subject = if by == Some(Dimension::Model) {
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
            && (fact.subject != Subject::Calls || is(self.model, fact.model))
    }

    /// The calls of the model that is wanted, in the trace or run of this fact; none where all are. `None` when it has
    /// none.
    fn calls<'t>(&self, fact: &Fact<'_>, trace: &'t [u8]) -> Option<Vec<Fact<'t>>> {
        let Some(model) = self.model.filter(|_| fact.subject != Subject::Calls) else {
            return Some(Vec::new());
        };
        let is_meant = |call: &Fact<'_>| {
            call.subject == Subject::Calls
                && call.model == model
                && (fact.subject == Subject::Trace || call.agent == fact.agent)
        };
        let calls: Vec<Fact<'t>> = fact::facts(trace).filter(is_meant).collect();
        (!calls.is_empty()).then_some(calls)
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
