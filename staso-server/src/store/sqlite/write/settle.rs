use std::time::Duration;

use rusqlite::{OptionalExtension as _, types::Value};

use super::{
    super::block::{self, Records},
    again, arrived,
    prepare::Packer,
    session::{Session, Writing},
    sums::Sums,
    tokens::Tokens,
    trace::Known,
};
use crate::{model::Timestamp, store::StoreError};

/// A trace that did not change for so long is settled: more of it would have to be indexed again.
const QUIET: Duration = Duration::from_secs(2);

/// For each of its spans it has to be quiet for so much longer, as each would be read again.
const QUIET_PER_SPAN: Duration = Duration::from_millis(1);

/// So many traces at a time, and no more once they have so many spans: about what fills a block. A job that arrives
/// meanwhile waits for some hundredths of a second, unless one trace alone has many more spans.
const TRACES: usize = 256;
const SPANS: u64 = 600;

/// While more traces than this wait, more time is taken for them: searches read the text of each.
const FAR_BEHIND: i64 = 20_000;

/// Records of about so many bytes are compressed together for good.
const BLOCK_BYTES: usize = 1 << 20;

/// What `trace.again` is where spans are to be derived again.
const SPANS_AGAIN: i64 = 2;

/// Which traces are settled.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(in super::super) enum Patience {
    /// Those that have not changed lately.
    UntilQuiet,
    /// All.
    None,
}

/// Makes the text of some traces searchable and packs their records together. Whether there may be more.
pub(in super::super) fn settle_some(
    session: &mut Session<'_>,
    patience: Patience,
) -> Result<bool, StoreError> {
    let (quiet, per_span) = match patience {
        Patience::UntilQuiet => {
            (Timestamp::now().before(QUIET).as_micros(), QUIET_PER_SPAN.as_micros() as i64)
        }
        Patience::None => (i64::MAX, 0),
    };
    let mut select = session.connection.prepare_cached(
        "SELECT id, spans, outdated, again FROM trace INDEXED BY trace_unsettled
         WHERE unsettled = 1 AND updated_at <= ?1 AND updated_at <= ?1 - spans * ?2 ORDER BY updated_at LIMIT ?3",
    )?;
    let found = select.query_map((quiet, per_span, TRACES), |row| {
        Ok((row.get(0)?, row.get(1)?, row.get(2)?, row.get(3)?))
    })?;
    let found: Vec<(i64, u64, Option<bool>, Option<i64>)> = found.collect::<Result<_, _>>()?;
    let mut settling = Settling::new();
    let mut spans_so_far = 0;
    for (trace, spans, outdated, again) in &found {
        if spans_so_far >= SPANS {
            break;
        }
        spans_so_far += spans;
        if *again == Some(SPANS_AGAIN) {
            again::derive(session, *trace, &mut settling.sums)?;
        } else if outdated.is_some()
            && let Some(known) = Known::get(session, *trace)?
        {
            known.catch_up(session, &mut settling.sums)?;
        }
        settling.settle(session, *trace)?;
    }
    settling.finish(session)?;
    Ok(found.len() == TRACES || spans_so_far >= SPANS)
}

/// Whether so much waits to be settled that jobs have to wait for it.
pub(super) fn is_far_behind(writing: &Writing) -> Result<bool, StoreError> {
    let mut select = writing.connection.prepare_cached(
        "SELECT 1 FROM trace INDEXED BY trace_unsettled WHERE unsettled = 1 LIMIT 1 OFFSET ?",
    )?;
    Ok(select.exists([FAR_BEHIND])?)
}

/// Where a span's record was.
struct Place {
    trace: i64,
    span_id: Value,
    block: i64,
}

/// Some traces on their way.
struct Settling {
    /// The block that was read last: traces that arrived together are settled together.
    open: Option<OpenBlock>,
    packer: Packer,
    moved: Vec<(Place, (usize, usize))>,
    tokens: Tokens,
    sums: Sums,
}

struct OpenBlock {
    id: i64,
    settled: bool,
    /// Absent when it is damaged or missing.
    records: Option<Records>,
}

impl Settling {
    fn new() -> Self {
        Self {
            open: None,
            packer: Packer::new(BLOCK_BYTES, block::DENSE),
            moved: Vec::new(),
            tokens: Tokens::default(),
            sums: Sums::default(),
        }
    }

    fn settle(&mut self, session: &Session<'_>, trace: i64) -> Result<(), StoreError> {
        let connection = session.connection;
        let mut select = connection.prepare_cached(
            "SELECT block, position, span_id FROM span WHERE trace = ? ORDER BY block, position",
        )?;
        let mut rows = select.query([trace])?;
        while let Some(row) = rows.next()? {
            let (block, position) = (row.get(0)?, row.get(1)?);
            let open = match &mut self.open {
                Some(open) if open.id == block => open,
                other => other.insert(OpenBlock::read(session, block)?),
            };
            let Some(record) = open.records.as_ref().and_then(|records| records.get(position)) else {
                continue;
            };
            self.tokens.add(record);
            if !open.settled {
                let to = self.packer.add(record)?;
                self.moved.push((Place { trace, span_id: row.get(2)?, block }, to));
            }
        }
        self.tokens.write(session, trace)?;
        let done = if session.derive.is_some() { "NULL" } else { "nullif(again, 1)" };
        let sql = format!("UPDATE trace SET unsettled = NULL, again = {done} WHERE id = ?");
        connection.prepare_cached(&sql)?.execute([trace])?;
        Ok(())
    }

    /// Writes the records where they stay. A record is moved once: a trace that grows and is settled again and again
    /// does not leave copies behind.
    fn finish(mut self, session: &mut Session<'_>) -> Result<(), StoreError> {
        session.vocabulary.learn(session.connection, self.tokens.into_vocabulary())?;
        let blocks = self.packer.finish()?;
        let blocks = blocks.iter().map(|data| arrived::insert(session, data, true));
        let blocks = blocks.collect::<Result<Vec<i64>, _>>()?;
        let mut update = session
            .connection
            .prepare_cached("UPDATE span SET block = ?, position = ? WHERE trace = ? AND span_id = ?")?;
        for (from, (block, position)) in self.moved {
            let Some(block) = blocks.get(block) else { continue };
            update.execute((block, position, from.trace, from.span_id))?;
            self.sums.block(*block, 1);
            self.sums.block(from.block, -1);
        }
        self.sums.write(session)
    }
}

impl OpenBlock {
    fn read(session: &Session<'_>, id: i64) -> Result<Self, StoreError> {
        let mut select = session
            .connection
            .prepare_cached("SELECT settled, data FROM block JOIN block_use ON block = id WHERE id = ?")?;
        let found = select.query_row([id], |row| Ok((row.get(0)?, row.get::<_, Vec<u8>>(1)?))).optional()?;
        let (settled, records) = match found {
            Some((settled, data)) => (settled, block::decode(&data)),
            None => (true, Err(StoreError::Engine("it is missing".to_owned()))),
        };
        if let Err(error) = &records {
            tracing::warn!(block = id, %error, "the spans in this block cannot be searched or shown");
        }
        Ok(Self { id, settled, records: records.ok() })
    }
}
