use std::{
    collections::HashMap,
    sync::{Condvar, Mutex, PoisonError},
    time::Duration,
};

use rusqlite::{CachedStatement, Connection};

use crate::store::{
    StoreError,
    sqlite::{block, until::Until},
};

/// Traces that arrived or were settled together share a block; those of one page rarely have more than this.
const KEPT: usize = 16;

/// What is kept is no more than this, but for the block that is looked at.
const KEPT_BYTES: usize = 8 << 20;

/// A larger block than this is looked at by one query at a time, as its texts are copied while they are.
const LARGE: u64 = 4 << 20;
static LARGE_ONE: Turn = Turn { is_taken: Mutex::new(false), given_back: Condvar::new() };

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
    until: &'c Until,
    known: HashMap<i64, block::Records>,
    bytes: usize,
    /// Held while a large one is among them.
    large: Option<Taken>,
}

impl<'c> Blocks<'c> {
    pub(super) fn new(connection: &'c Connection, until: &'c Until) -> Result<Self, StoreError> {
        let statement = connection.prepare_cached("SELECT data FROM block WHERE id = ?1")?;
        Ok(Self { statement, until, known: HashMap::new(), bytes: 0, large: None })
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
        let Self { statement, until, known, bytes, large } = self;
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
            *large = Some(LARGE_ONE.take(until)?);
        }
        let records = block::decode(data)?;
        *bytes += records.bytes();
        known.insert(block, records);
        Ok(())
    }
}

/// What one query at a time has.
struct Turn {
    is_taken: Mutex<bool>,
    given_back: Condvar,
}

/// Gives the turn back when it is dropped.
#[must_use]
struct Taken(&'static Turn);

impl Turn {
    /// After so long in line it is looked whether anybody still waits for the query.
    const LOOK: Duration = Duration::from_millis(50);

    /// Waits for the turn.
    ///
    /// # Errors
    ///
    /// [`StoreError::Overloaded`] when the query is over before that.
    fn take(&'static self, until: &Until) -> Result<Taken, StoreError> {
        let mut is_taken = self.is_taken.lock().unwrap_or_else(PoisonError::into_inner);
        while *is_taken {
            until.check()?;
            let woken = self.given_back.wait_timeout(is_taken, Self::LOOK);
            is_taken = woken.unwrap_or_else(PoisonError::into_inner).0;
        }
        *is_taken = true;
        Ok(Taken(self))
    }
}

impl Drop for Taken {
    fn drop(&mut self) {
        *self.0.is_taken.lock().unwrap_or_else(PoisonError::into_inner) = false;
        self.0.given_back.notify_one();
    }
}

#[cfg(test)]
mod tests {
    use std::sync::mpsc;

    use super::*;

    const WATCHDOG: Duration = Duration::from_secs(60);

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
        let until = Until::of(WATCHDOG);
        let mut blocks = Blocks::new(&connection, &until).unwrap();
        for block in 1..=12 {
            assert_eq!(blocks.record(block, 0).unwrap().len(), 3 << 20);
            let kept: usize = blocks.known.values().map(block::Records::bytes).sum();
            assert!(kept <= KEPT_BYTES && kept == blocks.bytes, "{kept}");
        }
    }

    #[test]
    fn a_large_block_is_kept_by_one_query_at_a_time_and_no_longer_than_it_is_looked_at() {
        let connection = blocks_of(&[30 << 20, 10]);
        let (until, over) = (Until::of(WATCHDOG), Until::of(Duration::ZERO));
        let mut blocks = Blocks::new(&connection, &until).unwrap();
        blocks.record(1, 0).unwrap();
        // One that is over has no turn to wait for.
        let mut other = Blocks::new(&connection, &over).unwrap();
        assert!(matches!(other.record(1, 0), Err(StoreError::Overloaded { .. })));
        assert!(other.known.is_empty() && other.record(2, 0).is_ok());
        blocks.record(2, 0).unwrap();
        assert!(blocks.large.is_none() && blocks.bytes < 100);
    }

    #[test]
    fn whoever_waits_for_a_turn_has_it_once_it_is_given_back() {
        static TURN: Turn = Turn { is_taken: Mutex::new(false), given_back: Condvar::new() };
        let first = TURN.take(&Until::of(WATCHDOG)).unwrap();
        assert!(TURN.take(&Until::of(Duration::from_millis(1))).is_err());
        let (done, is_done) = mpsc::channel();
        std::thread::spawn(move || done.send(TURN.take(&Until::of(WATCHDOG)).is_ok()).unwrap());
        drop(first);
        assert!(is_done.recv_timeout(WATCHDOG).unwrap());
        assert!(TURN.take(&Until::of(WATCHDOG)).is_ok());
    }
}
