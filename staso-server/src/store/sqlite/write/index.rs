use rusqlite::params;

use super::{
    super::{
        measures,
        number::{self, Dimension},
    },
    session::Session,
    sums::Sums,
};
use crate::{
    model::{Cost, Measures, Tokens, TraceState, TraceStatus},
    store::StoreError,
};

/// Everything by which a trace is found and counted. A function of its state, so what an earlier state left in
/// the tables is known without reading it.
pub(super) struct Entry {
    pub(super) workspace: i64,
    pub(super) environment: i64,
    /// The leading value of each dimension first.
    pub(super) facets: Vec<(Dimension, i64)>,
    started_at: i64,
    failed: bool,
    tokens: Tokens,
    cost: Cost,
    facts: Vec<Fact>,
}

/// A row of `fact`.
struct Fact {
    subject: i64,
    started_at: i64,
    agent: i64,
    model: i64,
    user: i64,
    measures: Vec<u8>,
}

impl Entry {
    pub(super) fn of(
        session: &mut Session<'_>,
        workspace: i64,
        environment: i64,
        state: &TraceState,
    ) -> Result<Self, StoreError> {
        let mut term = |text: &str| session.terms.number(session.connection, text);
        let mut facets = Vec::with_capacity(16);
        let mut facts = Vec::with_capacity(1 + state.runs.len() + state.models.len());
        let user = state.users.first().map_or(Ok(0), |user| term(user))?;
        let ended = state.status != TraceStatus::Running;
        facts.push(Fact {
            subject: 0,
            started_at: state.started_at.as_micros(),
            agent: 0,
            model: 0,
            user,
            measures: measures::encode(&Measures {
                count: 1,
                errors: state.status.is_failure().into(),
                latency: ended.then_some(state.duration_micros).into_iter().collect(),
                tokens: state.tokens,
                cost: state.cost,
            }),
        });
        for run in &state.runs {
            let agent = term(&run.agent)?;
            facets.push((Dimension::Agent, agent));
            facts.push(Fact {
                subject: 1,
                started_at: run.started_at.as_micros(),
                agent,
                model: 0,
                user,
                measures: measures::encode(&Measures {
                    count: 1,
                    errors: run.failed.into(),
                    latency: run.duration_micros.into_iter().collect(),
                    tokens: run.tokens,
                    cost: run.cost,
                }),
            });
        }
        for conversation in &state.conversations {
            facets.push((Dimension::Conversation, term(conversation)?));
        }
        for user in &state.users {
            facets.push((Dimension::User, term(user)?));
        }
        facets.extend(state.kinds.iter().map(|kind| (Dimension::Kind, number::kind_number(*kind))));
        for usage in &state.models {
            let model = term(&usage.model)?;
            if !facets.contains(&(Dimension::Model, model)) {
                facets.push((Dimension::Model, model));
            }
            facts.push(Fact {
                subject: 2,
                started_at: usage.started_at.as_micros(),
                agent: term(&usage.agent)?,
                model,
                user,
                measures: measures::encode(&Measures {
                    count: usage.durations_micros.len() as u64,
                    errors: usage.errors,
                    latency: usage.durations_micros.iter().copied().collect(),
                    tokens: usage.tokens,
                    cost: usage.cost,
                }),
            });
        }
        for tag in &state.tags {
            facets.push((Dimension::Tag, term(tag)?));
        }
        facets.push((Dimension::Environment, environment));
        facets.push((Dimension::Status, number::status_number(state.status)));
        Ok(Self {
            workspace,
            environment,
            facets,
            started_at: state.started_at.as_micros(),
            failed: state.status.is_failure(),
            tokens: state.tokens,
            cost: state.cost,
            facts,
        })
    }

    fn conversations(&self) -> impl Iterator<Item = i64> {
        self.facets
            .iter()
            .filter(|(dimension, _)| *dimension == Dimension::Conversation)
            .map(|(_, value)| *value)
    }
}

/// Takes a trace's old entry out of the tables and puts the new one in; what both have is left alone.
pub(super) fn index(
    session: &Session<'_>,
    trace: i64,
    old: Option<&Entry>,
    new: Option<&Entry>,
    sums: &mut Sums,
) -> Result<(), StoreError> {
    let connection = session.connection;
    let mut delete = connection.prepare_cached(
        "DELETE FROM facet WHERE workspace = ? AND dimension = ? AND value = ? AND started_at = ? AND trace = ?",
    )?;
    let mut insert = connection.prepare_cached(
        "INSERT INTO facet (workspace, dimension, value, started_at, trace) VALUES (?, ?, ?, ?, ?)",
    )?;
    let has = |entry: Option<&Entry>, facet| entry.is_some_and(|entry| entry.facets.contains(facet));
    let moved = old.map(|entry| entry.started_at) != new.map(|entry| entry.started_at);
    for (entry, other, traces) in [(old, new, -1), (new, old, 1)] {
        let Some(entry) = entry else { continue };
        let change = if traces < 0 { &mut delete } else { &mut insert };
        for facet in &entry.facets {
            let kept = has(other, facet);
            let (dimension, value) = *facet;
            if !kept {
                sums.value(entry.workspace, dimension, value, traces);
            }
            if !kept || moved {
                change.execute(params![entry.workspace, dimension as u8, value, entry.started_at, trace])?;
            }
        }
    }
    if let Some(old) = old {
        delete_facts(session, trace, old)?;
    }
    if let Some(new) = new {
        insert_facts(session, trace, new)?;
    }
    count_in_conversations(session, old, new)
}

fn delete_facts(session: &Session<'_>, trace: i64, entry: &Entry) -> Result<(), StoreError> {
    let mut delete = session.connection.prepare_cached(
        "DELETE FROM fact WHERE workspace = ? AND subject = ? AND started_at = ? AND trace = ? AND agent = ?
             AND model = ?",
    )?;
    for fact in &entry.facts {
        delete.execute(params![
            entry.workspace,
            fact.subject,
            fact.started_at,
            trace,
            fact.agent,
            fact.model
        ])?;
    }
    Ok(())
}

fn insert_facts(session: &Session<'_>, trace: i64, entry: &Entry) -> Result<(), StoreError> {
    let mut insert = session.connection.prepare_cached(
        "INSERT INTO fact (workspace, subject, started_at, trace, agent, model, environment, user, measures)
         VALUES (?, ?, ?, ?, ?, ?, ?, ?, ?)",
    )?;
    for fact in &entry.facts {
        insert.execute(params![
            entry.workspace,
            fact.subject,
            fact.started_at,
            trace,
            fact.agent,
            fact.model,
            entry.environment,
            fact.user,
            fact.measures,
        ])?;
    }
    Ok(())
}

fn count_in_conversations(
    session: &Session<'_>,
    old: Option<&Entry>,
    new: Option<&Entry>,
) -> Result<(), StoreError> {
    let mut add = session.connection.prepare_cached(
        "INSERT INTO conversation (workspace, id, started_at, last_at, traces, failed, input_tokens, output_tokens,
             total_tokens, cost, priced, unpriced)
         VALUES (?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?)
         ON CONFLICT DO UPDATE SET started_at = min(started_at, excluded.started_at),
             last_at = max(last_at, excluded.last_at), traces = traces + excluded.traces,
             failed = failed + excluded.failed, input_tokens = input_tokens + excluded.input_tokens,
             output_tokens = output_tokens + excluded.output_tokens,
             total_tokens = total_tokens + excluded.total_tokens, cost = cost + excluded.cost,
             priced = priced + excluded.priced, unpriced = unpriced + excluded.unpriced",
    )?;
    for (entry, sign) in [(old, -1), (new, 1)] {
        let Some(entry) = entry else { continue };
        for conversation in entry.conversations() {
            add.execute(params![
                entry.workspace,
                conversation,
                entry.started_at,
                entry.started_at,
                sign,
                sign * i64::from(entry.failed),
                sign * entry.tokens.input.cast_signed(),
                sign * entry.tokens.output.cast_signed(),
                sign * entry.tokens.total.cast_signed(),
                sign * entry.cost.nano_usd.cast_signed(),
                sign * entry.cost.priced.cast_signed(),
                sign * entry.cost.unpriced.cast_signed(),
            ])?;
        }
    }
    let Some(old) = old else { return Ok(()) };
    if new.is_some_and(|new| new.started_at == old.started_at && new.conversations().eq(old.conversations()))
    {
        return Ok(());
    }
    // The trace may have been the first or last of what it left.
    for conversation in old.conversations() {
        end_points(session, old.workspace, conversation)?;
    }
    Ok(())
}

/// Reads off the index when a conversation began and was last active; deletes one that has no trace.
fn end_points(session: &Session<'_>, workspace: i64, conversation: i64) -> Result<(), StoreError> {
    let mut delete = session
        .connection
        .prepare_cached("DELETE FROM conversation WHERE workspace = ? AND id = ? AND traces <= 0")?;
    if delete.execute([workspace, conversation])? > 0 {
        return Ok(());
    }
    let mut update = session.connection.prepare_cached(
        "UPDATE conversation SET
             started_at = (SELECT min(started_at) FROM facet WHERE workspace = ?1 AND dimension = ?3 AND value = ?2),
             last_at = (SELECT max(started_at) FROM facet WHERE workspace = ?1 AND dimension = ?3 AND value = ?2)
         WHERE workspace = ?1 AND id = ?2",
    )?;
    update.execute(params![workspace, conversation, Dimension::Conversation as u8])?;
    Ok(())
}
