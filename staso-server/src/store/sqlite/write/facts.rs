use std::collections::HashSet;

use rusqlite::params;

use super::{
    super::{measures, number::Subject, varint},
    session::Session,
};
use crate::{
    model::{Measures, TraceState, TraceStatus},
    store::StoreError,
};

/// A row of `fact`, but for what all facts of its trace share.
pub(super) struct Fact {
    pub(super) key: FactKey,
    environment: i64,
    user: i64,
    measures: Vec<u8>,
}

/// Which of a trace's facts.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub(super) struct FactKey {
    subject: u8,
    started_at: i64,
    agent: i64,
    model: i64,
}

impl Fact {
    /// What a trace adds to metrics.
    pub(super) fn all(
        session: &mut Session<'_>,
        environment: i64,
        state: &TraceState,
    ) -> Result<Vec<Self>, StoreError> {
        let mut term = |text: &str| session.terms.number(session.connection, text);
        let mut facts = Vec::with_capacity(1 + state.runs.len() + state.models.len());
        let user = state.users.first().map_or(Ok(0), |user| term(user))?;
        let ended = state.status != TraceStatus::Running;
        facts.push(Self {
            key: FactKey {
                subject: Subject::Trace as u8,
                started_at: state.started_at.as_micros(),
                agent: 0,
                model: 0,
            },
            environment,
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
            let (started_at, agent) = (run.started_at.as_micros(), term(&run.agent)?);
            facts.push(Self {
                key: FactKey { subject: Subject::Run as u8, started_at, agent, model: 0 },
                environment,
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
        for usage in &state.models {
            let (started_at, agent) = (usage.started_at.as_micros(), term(&usage.agent)?);
            facts.push(Self {
                key: FactKey { subject: Subject::Calls as u8, started_at, agent, model: term(&usage.model)? },
                environment,
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
        Ok(facts)
    }
}

/// Puts the new facts of a trace in the place of the old ones.
pub(super) fn replace(
    session: &Session<'_>,
    workspace: i64,
    trace: i64,
    old: &[FactKey],
    new: &[Fact],
) -> Result<(), StoreError> {
    let mut delete = session.connection.prepare_cached(
        "DELETE FROM fact WHERE workspace = ? AND subject = ? AND started_at = ? AND trace = ? AND agent = ?
             AND model = ?",
    )?;
    let kept: HashSet<FactKey> = new.iter().map(|fact| fact.key).collect();
    for key in old.iter().filter(|key| !kept.contains(key)) {
        delete.execute((workspace, key.subject, key.started_at, trace, key.agent, key.model))?;
    }
    let mut insert = session.connection.prepare_cached(
        "REPLACE INTO fact (workspace, subject, started_at, trace, agent, model, environment, user, measures)
         VALUES (?, ?, ?, ?, ?, ?, ?, ?, ?)",
    )?;
    for fact in new {
        insert.execute(params![
            workspace,
            fact.key.subject,
            fact.key.started_at,
            trace,
            fact.key.agent,
            fact.key.model,
            fact.environment,
            fact.user,
            fact.measures,
        ])?;
    }
    Ok(())
}

/// The keys of a trace's facts, so that they are found again without working out what they came from.
pub(super) fn encode_keys(trace_started_at: i64, facts: &[Fact]) -> Vec<u8> {
    let mut bytes = Vec::with_capacity(facts.len() * 8);
    for Fact { key, .. } in facts {
        bytes.push(key.subject);
        for number in [key.started_at.wrapping_sub(trace_started_at), key.agent, key.model] {
            varint::push(&mut bytes, number.cast_unsigned());
        }
    }
    bytes
}

/// Reads what [`encode_keys`] wrote.
pub(super) fn decode_keys(trace_started_at: i64, mut bytes: &[u8]) -> Vec<FactKey> {
    let mut next = || {
        let (&subject, rest) = bytes.split_first()?;
        bytes = rest;
        let mut number = || varint::take(&mut bytes).map(u64::cast_signed);
        let started_at = number()?.wrapping_add(trace_started_at);
        Some(FactKey { subject, started_at, agent: number()?, model: number()? })
    };
    std::iter::from_fn(&mut next).collect()
}
