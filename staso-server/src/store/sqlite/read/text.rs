use std::collections::HashSet;

use rusqlite::Connection;

use super::{
    condition::FEW,
    record::{self, Blocks},
};
use crate::store::{StoreError, words::WordQuery};

/// Which traces contain the words of a query: settled ones as the index has it, the others by their records.
pub(super) struct TextMatch<'c> {
    query: WordQuery,
    blocks: Blocks<'c>,
    /// Settled and found, of any workspace, in ascending order.
    settled: Vec<i64>,
    /// Those of the workspace that the index does not know, or not as they are now.
    unsettled: HashSet<i64>,
}

impl<'c> TextMatch<'c> {
    /// `None` when the text has no words, so that every trace contains them.
    pub(super) fn new(
        connection: &'c Connection,
        workspace: i64,
        text: Option<&str>,
    ) -> Result<Option<Self>, StoreError> {
        let query = WordQuery::parse(text.unwrap_or_default());
        if query.is_empty() {
            return Ok(None);
        }
        let mut statement = connection.prepare_cached(
            "SELECT id FROM trace INDEXED BY trace_unsettled WHERE unsettled = 1 AND workspace = ?1",
        )?;
        let unsettled = statement.query_map([workspace], |row| row.get(0))?.collect::<Result<_, _>>()?;
        let mut statement = connection.prepare_cached("SELECT rowid FROM search WHERE search MATCH ?1")?;
        let settled =
            statement.query_map([expression(&query)], |row| row.get(0))?.collect::<Result<_, _>>()?;
        Ok(Some(Self { query, blocks: Blocks::new(connection)?, settled, unsettled }))
    }

    /// All traces that can match, when they are few.
    pub(super) fn few(&self) -> Option<Vec<i64>> {
        if (self.settled.len() + self.unsettled.len()) as u64 > FEW {
            return None;
        }
        let settled = self.settled.iter().copied().filter(|trace| !self.unsettled.contains(trace));
        Some(settled.chain(self.unsettled.iter().copied()).collect())
    }

    /// Whether a trace of the workspace contains the words.
    pub(super) fn contains(&mut self, connection: &Connection, trace: i64) -> Result<bool, StoreError> {
        if !self.unsettled.contains(&trace) {
            return Ok(self.settled.binary_search(&trace).is_ok());
        }
        let records = record::of_trace(connection, &mut self.blocks, trace)?;
        Ok(self.query.matches(records.iter().map(AsRef::as_ref)))
    }
}

/// Words hold no quotes, so each is a string of FTS5, in which nothing else has a meaning.
fn expression(query: &WordQuery) -> String {
    let mut expression: String = query.whole.iter().map(|word| format!("\"{word}\" ")).collect();
    if let Some(prefix) = &query.prefix {
        expression.push_str(&format!("\"{prefix}\"*"));
    }
    expression
}
