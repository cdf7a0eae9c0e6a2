use super::{
    super::block::{self, Records},
    prepare::PreparedSpan,
    session::Session,
};
use crate::store::StoreError;

/// The blocks of a batch while it is stored. A block is written when the first span that stands points to it: of a
/// batch that brings nothing new, nothing is kept.
pub(super) struct Arrived<'a> {
    blocks: Vec<Block<'a>>,
}

struct Block<'a> {
    data: &'a [u8],
    id: Option<i64>,
    records: Option<Records>,
}

impl<'a> Arrived<'a> {
    pub(super) fn new(blocks: &'a [Vec<u8>]) -> Self {
        Self { blocks: blocks.iter().map(|data| Block { data, id: None, records: None }).collect() }
    }

    /// Where a span's record is in the database.
    pub(super) fn place(
        &mut self,
        session: &Session<'_>,
        span: &PreparedSpan,
    ) -> Result<(i64, usize), StoreError> {
        let block = self.blocks.get_mut(span.block).ok_or_else(missing)?;
        let id = match block.id {
            Some(id) => id,
            None => *block.id.insert(insert(session, block.data, false)?),
        };
        Ok((id, span.position))
    }

    /// A span's record.
    pub(super) fn record(&mut self, span: &PreparedSpan) -> Result<Box<str>, StoreError> {
        let block = self.blocks.get_mut(span.block).ok_or_else(missing)?;
        let records = match &mut block.records {
            Some(records) => records,
            none => none.insert(block::decode(block.data)?),
        };
        records.get(span.position).map(Into::into).ok_or_else(missing)
    }

    /// A record in the database.
    pub(super) fn record_in(
        &self,
        session: &Session<'_>,
        block: i64,
        position: usize,
    ) -> Result<Box<str>, StoreError> {
        let mut select = session.connection.prepare_cached("SELECT data FROM block WHERE id = ?")?;
        let data: Vec<u8> = select.query_row([block], |row| row.get(0))?;
        block::decode(&data)?.get(position).map(Into::into).ok_or_else(missing)
    }
}

/// Writes a block to which nothing points yet. Its number.
pub(super) fn insert(session: &Session<'_>, data: &[u8], settled: bool) -> Result<i64, StoreError> {
    let id = session.connection.prepare_cached("INSERT INTO block (data) VALUES (?)")?.insert([data])?;
    let mut insert = session
        .connection
        .prepare_cached("INSERT INTO block_use (block, spans, settled) VALUES (?, 0, ?)")?;
    insert.execute((id, settled))?;
    Ok(id)
}

fn missing() -> StoreError {
    StoreError::Engine("a span's record is missing from its block".to_owned())
}
