use std::{collections::BTreeSet, time::Duration};

use rusqlite::params;

use super::{
    super::block,
    prepare::Packer,
    session::{Session, Writing},
    sums::Sums,
};
use crate::{
    model::Timestamp,
    store::{StoreError, words},
};

/// A trace that did not change for so long is settled: more of it would have to be indexed again.
const QUIET: Duration = Duration::from_secs(2);

/// So many traces at a time. A job that arrives meanwhile waits for some hundredths of a second.
const SLICE: usize = 256;

/// While more traces than this wait, searches read so much text that they become slow.
const FAR_BEHIND: i64 = 4096;

/// Makes the text of some traces searchable and packs their records together. Whether there may be more; `all`
/// also takes those that changed just now.
pub(super) fn settle_some(session: &mut Session<'_>, all: bool) -> Result<bool, StoreError> {
    let quiet = if all { i64::MAX } else { Timestamp::now().before(QUIET).as_micros() };
    let mut select = session.connection.prepare_cached(
        "SELECT id FROM trace WHERE unsettled = 1 AND updated_at <= ? ORDER BY updated_at LIMIT ?",
    )?;
    let traces: Vec<i64> =
        select.query_map(params![quiet, SLICE.cast_signed()], |row| row.get(0))?.collect::<Result<_, _>>()?;
    let mut repacked = Repacked::default();
    for trace in &traces {
        settle(session, *trace, &mut repacked)?;
    }
    repacked.write(session)?;
    Ok(traces.len() == SLICE)
}

/// Whether so much waits to be settled that jobs have to wait for it.
pub(super) fn is_far_behind(writing: &Writing) -> bool {
    let far = || -> rusqlite::Result<bool> {
        let mut select =
            writing.connection.prepare_cached("SELECT 1 FROM trace WHERE unsettled = 1 LIMIT 1 OFFSET ?")?;
        select.exists([FAR_BEHIND])
    };
    far().unwrap_or(false)
}

fn settle(session: &mut Session<'_>, trace: i64, repacked: &mut Repacked) -> Result<(), StoreError> {
    let mut select = session.connection.prepare_cached(
        "SELECT block, position, span_id FROM span WHERE trace = ? ORDER BY block, position",
    )?;
    let places: Vec<Place> = select
        .query_map([trace], |row| {
            Ok(Place { trace, block: row.get(0)?, position: row.get(1)?, span_id: row.get(2)? })
        })?
        .collect::<Result<_, _>>()?;
    let scattered = places.first().map(|place| place.block) != places.last().map(|place| place.block);
    let mut found = BTreeSet::new();
    let mut select = session.connection.prepare_cached("SELECT data FROM block WHERE id = ?")?;
    for in_block in places.chunk_by(|a, b| a.block == b.block) {
        let Some(first) = in_block.first() else { continue };
        let data: Vec<u8> = select.query_row([first.block], |row| row.get(0))?;
        let records = block::decode(&data)?;
        for place in in_block {
            let record = usize::try_from(place.position).ok().and_then(|position| records.get(position));
            let Some(record) = record else { continue };
            words::in_record(record, &mut |word| {
                if !found.contains(word) {
                    found.insert(word.to_owned());
                }
            });
            if scattered {
                repacked.add(place.clone(), record)?;
            }
        }
    }
    let connection = session.connection;
    connection.prepare_cached("DELETE FROM search WHERE rowid = ?")?.execute([trace])?;
    let text = found.into_iter().collect::<Vec<String>>().join(" ");
    connection
        .prepare_cached("INSERT INTO search (rowid, words) VALUES (?, ?)")?
        .execute(params![trace, text])?;
    connection.prepare_cached("UPDATE trace SET unsettled = NULL WHERE id = ?")?.execute([trace])?;
    Ok(())
}

/// Where a record is.
#[derive(Clone)]
struct Place {
    trace: i64,
    block: i64,
    position: i64,
    span_id: rusqlite::types::Value,
}

/// Records of traces that arrived in pieces, on their way into blocks that they share.
#[derive(Default)]
struct Repacked {
    packer: Packer,
    moved: Vec<(Place, (usize, usize))>,
}

impl Repacked {
    fn add(&mut self, from: Place, record: &str) -> Result<(), StoreError> {
        let to = self.packer.add(record)?;
        self.moved.push((from, to));
        Ok(())
    }

    fn write(self, session: &Session<'_>) -> Result<(), StoreError> {
        let connection = session.connection;
        let mut insert = connection.prepare_cached("INSERT INTO block (live, data) VALUES (0, ?)")?;
        let blocks = self
            .packer
            .finish()?
            .into_iter()
            .map(|data| insert.insert([data]))
            .collect::<Result<Vec<i64>, _>>()?;
        let mut update = connection
            .prepare_cached("UPDATE span SET block = ?, position = ? WHERE trace = ? AND span_id = ?")?;
        let mut sums = Sums::default();
        for (from, (block, position)) in self.moved {
            let Some(block) = blocks.get(block) else { continue };
            update.execute(params![block, position.cast_signed(), from.trace, from.span_id])?;
            sums.block(*block, 1);
            sums.block(from.block, -1);
        }
        sums.write(session)
    }
}
