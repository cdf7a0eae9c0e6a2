use std::collections::BTreeMap;

use rusqlite::params;

use super::{super::number::Dimension, facts::ChangedFacts, session::Session};
use crate::store::StoreError;

/// Rows that many traces share. A job adds up what it changes in them and writes each once.
#[derive(Default)]
pub(super) struct Sums {
    values: BTreeMap<(i64, Dimension, i64), i64>,
    blocks: BTreeMap<i64, i64>,
    pub(super) facts: ChangedFacts,
}

impl Sums {
    /// So many more traces of the workspace have the value.
    pub(super) fn value(&mut self, workspace: i64, dimension: Dimension, value: i64, traces: i64) {
        *self.values.entry((workspace, dimension, value)).or_default() += traces;
    }

    /// So many more spans point to the block.
    pub(super) fn block(&mut self, block: i64, spans: i64) {
        *self.blocks.entry(block).or_default() += spans;
    }

    /// Writes what was added up, and deletes what nothing has or points to any more.
    pub(super) fn write(self, session: &Session<'_>) -> Result<(), StoreError> {
        let connection = session.connection;
        let mut add = connection.prepare_cached(
            "INSERT INTO facet_value (workspace, dimension, value, traces) VALUES (?, ?, ?, ?)
             ON CONFLICT DO UPDATE SET traces = traces + excluded.traces",
        )?;
        let mut delete_value = connection.prepare_cached(
            "DELETE FROM facet_value WHERE workspace = ? AND dimension = ? AND value = ? AND traces <= 0",
        )?;
        for ((workspace, dimension, value), traces) in self.values {
            if traces != 0 {
                add.execute(params![workspace, dimension as u8, value, traces])?;
            }
            if traces < 0 {
                delete_value.execute(params![workspace, dimension as u8, value])?;
            }
        }
        let mut count = connection
            .prepare_cached("UPDATE block_use SET spans = spans + ? WHERE block = ? RETURNING spans")?;
        for (block, spans) in self.blocks {
            let spans: i64 = count.query_row([spans, block], |row| row.get(0))?;
            if spans <= 0 {
                for delete in ["DELETE FROM block WHERE id = ?", "DELETE FROM block_use WHERE block = ?"] {
                    connection.prepare_cached(delete)?.execute([block])?;
                }
            }
        }
        self.facts.write(session)
    }
}
