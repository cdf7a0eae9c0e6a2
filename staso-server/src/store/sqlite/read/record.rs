use std::{
    collections::HashMap,
    sync::{Mutex, MutexGuard, PoisonError},
};

use rusqlite::{CachedStatement, Connection};

use crate::store::{StoreError, sqlite::block};

/// Traces that arrived or were settled together share a block; those of one page rarely have more than this.
const KEPT: usize = 16;

/// What is kept is no more than this, but for the block that is looked at.
const KEPT_BYTES: usize = 8 << 20;

/// A larger block than this is looked at by one query at a time, as its texts are copied while they are.
const LARGE: u64 = 4 << 20;
static LARGE_ONE: Mutex<()> = Mutex::new(());

/// Shows the records of a trace's spans, one version of each, in no order that matters, until it has been told enough.
pub(super) fn of_trace(
    connection: &Connection,
    blocks: &mut Blocks<'_>,
    trace: i64,
    mut is_enough: impl FnMut(&str) -> bool,
) -> Result<(), StoreError> {
    let mut statement = connection
        .prepare_cached("SELECT block, position FROM span WHERE trace = ?1 ORDER BY block, position")?;
    let mut rows = statement.query([trace])?;
    while let Some(row) = rows.next()? {
        if is_enough(blocks.look_up(row.get(0)?, row.get(1)?)?) {
            break;
        }
    }
    Ok(())
}

/// Reads blocks and keeps the last few.
pub(super) struct Blocks<'c> {
    statement: CachedStatement<'c>,
    known: HashMap<i64, block::Records>,
    bytes: usize,
    /// Held while a large one is among them.
    large: Option<MutexGuard<'static, ()>>,
}

impl<'c> Blocks<'c> {
    pub(super) fn new(connection: &'c Connection) -> Result<Self, StoreError> {
        let statement = connection.prepare_cached("SELECT data FROM block WHERE id = ?1")?;
        Ok(Self { statement, known: HashMap::new(), bytes: 0, large: None })
    }

    pub(super) fn record(&mut self, block: i64, position: usize) -> Result<String, StoreError> {
        self.look_up(block, position).map(str::to_owned)
    }

    fn look_up(&mut self, block: i64, position: usize) -> Result<&str, StoreError> {
        if !self.known.contains_key(&block) {
            self.read(block)?;
        }
        let records = self.known.get(&block);
        records.and_then(|records| records.get(position)).ok_or_else(|| {
            StoreError::Engine(format!("a span's record is missing: block {block}, position {position}"))
        })
    }

    fn read(&mut self, block: i64) -> Result<(), StoreError> {
        let Self { statement, known, bytes, large } = self;
        let mut rows = statement.query([block])?;
        let row = rows.next()?.ok_or(rusqlite::Error::QueryReturnedNoRows)?;
        let data = row.get_ref(0)?.as_blob().unwrap_or_default();
        let more = block::decoded_bytes(data);
        if known.len() >= KEPT || large.is_some() || *bytes as u64 + more > KEPT_BYTES as u64 {
            known.clear();
            *bytes = 0;
            *large = None;
        }
        if more > LARGE {
            *large = Some(LARGE_ONE.lock().unwrap_or_else(PoisonError::into_inner));
        }
        let records = block::decode(data)?;
        *bytes += records.bytes();
        known.insert(block, records);
        Ok(())
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    /// Blocks of one record each, of so many bytes.
    fn blocks_of(sizes: &[usize]) -> Connection {
        let connection = Connection::open_in_memory().unwrap();
        connection.execute_batch("CREATE TABLE block (id INTEGER PRIMARY KEY, data BLOB)").unwrap();
        for size in sizes {
            let data = block::encode(&[&*"x".repeat(*size)]).unwrap();
            connection.execute("INSERT INTO block (data) VALUES (?)", [data]).unwrap();
        }
        connection
    }

    #[test]
    fn what_is_kept_of_blocks_has_a_bound() {
        let connection = blocks_of(&[3 << 20; 12]);
        let mut blocks = Blocks::new(&connection).unwrap();
        for block in 1..=12 {
            assert_eq!(blocks.record(block, 0).unwrap().len(), 3 << 20);
            let kept: usize = blocks.known.values().map(block::Records::bytes).sum();
            assert!(kept <= KEPT_BYTES && kept == blocks.bytes, "{kept}");
        }
    }

    #[test]
    fn a_large_block_is_kept_by_one_query_at_a_time_and_no_longer_than_it_is_looked_at() {
        let connection = blocks_of(&[30 << 20, 10]);
        let mut blocks = Blocks::new(&connection).unwrap();
        blocks.record(1, 0).unwrap();
        assert!(blocks.large.is_some() && LARGE_ONE.try_lock().is_err());
        blocks.record(2, 0).unwrap();
        assert!(blocks.large.is_none() && blocks.bytes < 100);
    }
}
