//! Derives again from the records what an earlier version derived otherwise.

use rusqlite::OptionalExtension as _;
use serde_json::value::RawValue;

use super::{
    super::block,
    heads,
    session::{Session, Writing},
    sums::Sums,
    trace::Known,
};
use crate::store::StoreError;

/// How far a store is with what an upgrade left to be done.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Upgrade {
    /// How many traces there were to derive again when the store was opened.
    pub of: u64,
    /// How many of them are left.
    pub left: u64,
}

impl Upgrade {
    pub(super) fn left(writing: &Writing) -> Result<Self, StoreError> {
        let sql =
            "SELECT count(*) FROM trace INDEXED BY trace_again WHERE again IS NOT NULL AND unsettled = 1";
        let left = writing.connection.prepare_cached(sql)?.query_row([], |row| row.get(0))?;
        Ok(Self { of: left, left })
    }

    /// Whether nothing is left.
    #[must_use]
    pub const fn is_done(&self) -> bool {
        self.left == 0
    }
}

/// Derives the spans of a trace again, and what the trace comes to.
pub(super) fn derive(session: &mut Session<'_>, trace: i64, sums: &mut Sums) -> Result<(), StoreError> {
    let Some(derive) = session.derive else { return Ok(()) };
    let mut select = session.connection.prepare_cached(
        "SELECT span_id, block, position FROM span WHERE trace = ? ORDER BY block, position",
    )?;
    let mut rows = select.query([trace])?;
    let mut open: Option<(i64, Option<block::Records>)> = None;
    while let Some(row) = rows.next()? {
        let (block, position) = (row.get(1)?, row.get(2)?);
        let records = match &open {
            Some((id, records)) if *id == block => records,
            _ => &open.insert((block, read(session, block)?)).1,
        };
        let record = records.as_ref().and_then(|records| records.get(position));
        let head = record.and_then(|record| derive(serde_json::from_str::<&RawValue>(record).ok()?));
        // What cannot be read any more stays as it was read.
        if let Some(head) = head {
            heads::rewrite(session, trace, &row.get(0)?, &head)?;
        }
    }
    if let Some(known) = Known::get(session, trace)? {
        known.catch_up(session, sums)?;
    }
    Ok(())
}

fn read(session: &Session<'_>, block: i64) -> Result<Option<block::Records>, StoreError> {
    let mut select = session.connection.prepare_cached("SELECT data FROM block WHERE id = ?")?;
    let data: Option<Vec<u8>> = select.query_row([block], |row| row.get(0)).optional()?;
    Ok(data.and_then(|data| block::decode(&data).ok()))
}
