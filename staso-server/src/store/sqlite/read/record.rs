use std::collections::{HashMap, hash_map::Entry};

use rusqlite::{CachedStatement, Connection};

use crate::store::{StoreError, sqlite::block};

/// Traces that arrived or were settled together share a block; those of one page rarely have more than this.
const KEPT: usize = 16;

/// The records of a trace's spans, one version of each, in no order that matters.
pub(super) fn of_trace(
    connection: &Connection,
    blocks: &mut Blocks<'_>,
    trace: i64,
) -> Result<Vec<String>, StoreError> {
    let mut statement = connection.prepare_cached("SELECT block, position FROM span WHERE trace = ?1")?;
    let mut rows = statement.query([trace])?;
    let mut records = Vec::new();
    while let Some(row) = rows.next()? {
        records.push(blocks.record(row.get(0)?, row.get(1)?)?);
    }
    Ok(records)
}

/// Reads blocks and keeps the last few.
pub(super) struct Blocks<'c> {
    statement: CachedStatement<'c>,
    known: HashMap<i64, block::Records>,
}

impl<'c> Blocks<'c> {
    pub(super) fn new(connection: &'c Connection) -> Result<Self, StoreError> {
        let statement = connection.prepare_cached("SELECT data FROM block WHERE id = ?1")?;
        Ok(Self { statement, known: HashMap::new() })
    }

    pub(super) fn record(&mut self, block: i64, position: usize) -> Result<String, StoreError> {
        if self.known.len() >= KEPT && !self.known.contains_key(&block) {
            self.known.clear();
        }
        let records = match self.known.entry(block) {
            Entry::Occupied(entry) => entry.into_mut(),
            Entry::Vacant(entry) => {
                let data: Vec<u8> = self.statement.query_row([block], |row| row.get(0))?;
                entry.insert(block::decode(&data)?)
            }
        };
        let record = records.get(position).ok_or_else(|| {
            StoreError::Engine(format!("a span's record is missing: block {block}, position {position}"))
        })?;
        Ok(record.to_owned())
    }
}
