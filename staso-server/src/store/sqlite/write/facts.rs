use std::collections::BTreeMap;

use rusqlite::OptionalExtension as _;

use super::{
    super::{fact, number::Subject},
    session::Session,
};
use crate::{
    model::{Measures, Timestamp, TraceState},
    store::StoreError,
};

/// So many of the last bits of a trace's number are left away in that of its pack: traces that arrive together are
/// packed together. A change of one writes all of them, some kibibytes. In tests, worlds are small and have many packs.
const PACK_BITS: u32 = if cfg!(test) { 1 } else { 7 };

/// What a trace adds to metrics.
pub(super) fn encode(
    session: &mut Session<'_>,
    environment: i64,
    state: &TraceState,
) -> Result<Vec<u8>, StoreError> {
    let mut term = |text: &str| session.terms.number(session.connection, text);
    let user = state.users.first().map_or(Ok(0), |user| term(user))?;
    let mut facts = fact::Builder::new(state.started_at, environment, user);
    facts.push(Subject::Trace, state.started_at, 0, 0, &state.into());
    for run in &state.runs {
        let measures = Measures::from(run);
        if !measures.is_empty() {
            facts.push(Subject::Run, run.started_at, term(&run.agent)?, 0, &measures);
        }
    }
    for usage in &state.models {
        facts.push(Subject::Calls, usage.started_at, term(&usage.agent)?, term(&usage.model)?, &usage.into());
    }
    Ok(facts.finish())
}

/// The facts of traces that changed, by pack: a job writes each pack once.
#[derive(Default)]
pub(super) struct ChangedFacts {
    packs: BTreeMap<(i64, i64), BTreeMap<i64, Vec<u8>>>,
}

impl ChangedFacts {
    /// These are the trace's facts from now on; none takes it out.
    pub(super) fn set(&mut self, workspace: i64, trace: i64, facts: Vec<u8>) {
        self.packs.entry((workspace, trace >> PACK_BITS)).or_default().insert(trace, facts);
    }

    pub(super) fn write(self, session: &Session<'_>) -> Result<(), StoreError> {
        let connection = session.connection;
        let mut select =
            connection.prepare_cached("SELECT facts FROM fact_pack WHERE workspace = ? AND pack = ?")?;
        let mut upsert = connection.prepare_cached(
            "INSERT INTO fact_pack (workspace, pack, first_at, last_at, facts) VALUES (?, ?, ?, ?, ?)
             ON CONFLICT (workspace, pack) DO UPDATE SET first_at = excluded.first_at, last_at = excluded.last_at,
                 facts = excluded.facts",
        )?;
        let mut delete =
            connection.prepare_cached("DELETE FROM fact_pack WHERE workspace = ? AND pack = ?")?;
        for ((workspace, pack), changed) in self.packs {
            let old: Option<Vec<u8>> = select.query_row((workspace, pack), |row| row.get(0)).optional()?;
            let old = old.unwrap_or_default();
            let kept = fact::traces(&old).filter(|(trace, _)| !changed.contains_key(trace));
            let new = changed.iter().map(|(trace, facts)| (*trace, facts.as_slice()));
            let mut facts = Vec::with_capacity(old.len() + 1024);
            let mut started: Option<(Timestamp, Timestamp)> = None;
            for (trace, bytes) in kept.chain(new.filter(|(_, bytes)| !bytes.is_empty())) {
                fact::push_trace(&mut facts, trace, bytes);
                for at in fact::facts(bytes).map(|fact| fact.started_at) {
                    started = Some(started.map_or((at, at), |(first, last)| (first.min(at), last.max(at))));
                }
            }
            match started {
                Some((first, last)) => {
                    upsert.execute((workspace, pack, first.as_micros(), last.as_micros(), facts))?
                }
                None => delete.execute((workspace, pack))?,
            };
        }
        Ok(())
    }
}
