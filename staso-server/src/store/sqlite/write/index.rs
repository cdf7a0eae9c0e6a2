use rusqlite::params;

use super::{
    super::number::{self, Dimension},
    conversations,
    session::Session,
    sums::Sums,
};
use crate::{
    model::{Cost, StatusFilter, Tokens, TraceState},
    store::StoreError,
};

/// Everything by which a trace is found and counted.
pub(super) struct Entry {
    pub(super) workspace: i64,
    pub(super) started_at: i64,
    /// The leading value of each dimension first.
    pub(super) facets: Vec<(Dimension, i64)>,
    pub(super) sums: TraceSums,
}

/// What a trace adds to the sums of others that it shares a value with.
#[derive(Clone, Copy, PartialEq, Eq)]
pub(super) struct TraceSums {
    pub(super) failed: bool,
    pub(super) tokens: Tokens,
    pub(super) cost: Cost,
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
        for run in &state.runs {
            facets.push((Dimension::Agent, term(&run.agent)?));
        }
        for conversation in &state.conversations {
            facets.push((Dimension::Conversation, term(conversation)?));
        }
        for user in &state.users {
            facets.push((Dimension::User, term(user)?));
        }
        facets.extend(state.kinds.iter().map(|kind| (Dimension::Kind, number::kind_number(*kind).into())));
        for usage in &state.models {
            let model = (Dimension::Model, term(&usage.model)?);
            if !facets.contains(&model) {
                facets.push(model);
            }
        }
        for tag in &state.tags {
            facets.push((Dimension::Tag, term(tag)?));
        }
        facets.push((Dimension::Environment, environment));
        let statuses = StatusFilter::ALL.into_iter().filter(|filter| filter.matches(state.status));
        facets.extend(statuses.map(|filter| (Dimension::Status, number::status_filter_number(filter))));
        let sums = TraceSums { failed: state.status.is_failure(), tokens: state.tokens, cost: state.cost };
        Ok(Self { workspace, started_at: state.started_at.as_micros(), facets, sums })
    }

    pub(super) fn conversations(&self) -> impl Iterator<Item = i64> {
        let conversations = self.facets.iter().filter(|(dimension, _)| *dimension == Dimension::Conversation);
        conversations.map(|(_, value)| *value)
    }
}

/// Takes a trace's old entry out of the tables and puts the new one in, with its facts; what both have is left alone.
pub(super) fn replace(
    session: &Session<'_>,
    trace: i64,
    old: Option<&Entry>,
    new: Option<(&Entry, Vec<u8>)>,
    sums: &mut Sums,
) -> Result<(), StoreError> {
    let (new, facts) = new.unzip();
    replace_facets(session, trace, old, new, sums)?;
    if let Some(entry) = old.or(new) {
        sums.facts.set(entry.workspace, trace, facts.unwrap_or_default());
    }
    conversations::count(session, old, new)
}

fn replace_facets(
    session: &Session<'_>,
    trace: i64,
    old: Option<&Entry>,
    new: Option<&Entry>,
    sums: &mut Sums,
) -> Result<(), StoreError> {
    let mut delete = session.connection.prepare_cached(
        "DELETE FROM facet WHERE workspace = ? AND dimension = ? AND value = ? AND started_at = ? AND trace = ?",
    )?;
    let mut insert = session.connection.prepare_cached(
        "INSERT INTO facet (workspace, dimension, value, started_at, trace) VALUES (?, ?, ?, ?, ?)",
    )?;
    let moved = old.map(|entry| entry.started_at) != new.map(|entry| entry.started_at);
    for (entry, other, traces) in [(old, new, -1), (new, old, 1)] {
        let Some(entry) = entry else { continue };
        let change = if traces < 0 { &mut delete } else { &mut insert };
        for facet in &entry.facets {
            let kept = other.is_some_and(|other| other.facets.contains(facet));
            let (dimension, value) = *facet;
            if !kept {
                sums.value(entry.workspace, dimension, value, traces);
            }
            if !kept || moved {
                change.execute(params![entry.workspace, dimension as u8, value, entry.started_at, trace])?;
            }
        }
    }
    Ok(())
}
