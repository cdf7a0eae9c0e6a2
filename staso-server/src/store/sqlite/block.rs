//! Records of spans, compressed together.
//!
//! ```text
//! length of the rest before compression │ zstd( count │ length of each │ the records )     numbers are varints
//! ```

use std::{cell::RefCell, io, ops::Range};

use zstd::bulk::Compressor;

use super::varint;
use crate::store::StoreError;

/// For records that have just arrived: ingest has no time for more.
pub(super) const FAST: i32 = 1;

/// For records that stay.
pub(super) const DENSE: i32 = 6;

/// More than any request brings; a length beyond it is a sign of damage.
const MAX_BYTES: u64 = 1 << 30;

/// Records on their way into a block.
#[derive(Default)]
pub(super) struct Builder {
    count: usize,
    lengths: Vec<u8>,
    records: Vec<u8>,
}

impl Builder {
    /// Adds a record. Its position in the block.
    pub(super) fn push(&mut self, record: &str) -> usize {
        varint::push(&mut self.lengths, record.len() as u64);
        self.records.extend_from_slice(record.as_bytes());
        self.count += 1;
        self.count - 1
    }

    /// How many bytes the records have.
    pub(super) fn bytes(&self) -> usize {
        self.records.len()
    }

    /// The block.
    ///
    /// # Errors
    ///
    /// [`StoreError::Engine`] when there is no memory for it.
    pub(super) fn finish(&self, level: i32) -> Result<Vec<u8>, StoreError> {
        let mut plain = Vec::with_capacity(10 + self.lengths.len() + self.records.len());
        varint::push(&mut plain, self.count as u64);
        plain.extend_from_slice(&self.lengths);
        plain.extend_from_slice(&self.records);
        let compressed = compress(&plain, level).map_err(|error| StoreError::Engine(error.to_string()))?;
        let mut block = Vec::with_capacity(10 + compressed.len());
        varint::push(&mut block, plain.len() as u64);
        block.extend_from_slice(&compressed);
        Ok(block)
    }
}

fn compress(plain: &[u8], level: i32) -> io::Result<Vec<u8>> {
    thread_local! {
        // To make its tables anew costs as much as to compress some spans.
        static COMPRESSOR: RefCell<Option<Compressor<'static>>> = const { RefCell::new(None) };
    }
    COMPRESSOR.with_borrow_mut(|kept| {
        let mut compressor = match kept.take() {
            Some(compressor) => compressor,
            None => Compressor::new(level)?,
        };
        compressor.set_compression_level(level)?;
        let compressed = compressor.compress(plain)?;
        *kept = Some(compressor);
        Ok(compressed)
    })
}

/// The records of a block.
pub(super) struct Records {
    plain: Vec<u8>,
    places: Vec<Range<usize>>,
}

impl Records {
    /// What it takes in memory, but for what does not matter.
    pub(super) fn bytes(&self) -> usize {
        self.plain.len()
    }

    /// The record at a position.
    pub(super) fn get(&self, position: usize) -> Option<&str> {
        std::str::from_utf8(self.plain.get(self.places.get(position)?.clone())?).ok()
    }
}

/// How many bytes a block has once it is decoded.
pub(super) fn decoded_bytes(mut block: &[u8]) -> u64 {
    varint::take(&mut block).unwrap_or_default()
}

/// Reads what [`Builder`] made.
///
/// # Errors
///
/// [`StoreError::Engine`] when it is damaged.
pub(super) fn decode(block: &[u8]) -> Result<Records, StoreError> {
    records(block).ok_or_else(|| StoreError::Engine("a block of records is damaged".to_owned()))
}

fn records(mut block: &[u8]) -> Option<Records> {
    let length = varint::take(&mut block).filter(|length| *length <= MAX_BYTES)?;
    let plain = zstd::bulk::decompress(block, usize::try_from(length).ok()?).ok()?;
    let mut rest = plain.as_slice();
    let count = varint::take(&mut rest)?;
    let lengths: Vec<u64> = (0..count).map_while(|_| varint::take(&mut rest)).collect();
    let mut start = plain.len() - rest.len();
    let mut places = Vec::with_capacity(lengths.len());
    for length in &lengths {
        let end = start.checked_add(usize::try_from(*length).ok()?)?;
        places.push(start..end);
        start = end;
    }
    (lengths.len() as u64 == count && start <= plain.len()).then_some(Records { plain, places })
}

#[cfg(test)]
pub(super) fn encode(records: &[&str]) -> Result<Vec<u8>, StoreError> {
    let mut block = Builder::default();
    for record in records {
        block.push(record);
    }
    block.finish(FAST)
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    proptest! {
        #[test]
        fn records_are_read_back(records: Vec<String>, level in prop::sample::select(vec![FAST, DENSE])) {
            let mut block = Builder::default();
            for (position, record) in records.iter().enumerate() {
                prop_assert_eq!(block.push(record), position);
            }
            let read = decode(&block.finish(level).unwrap()).unwrap();
            for (position, record) in records.iter().enumerate() {
                prop_assert_eq!(read.get(position), Some(record.as_str()));
            }
            prop_assert_eq!(read.get(records.len()), None);
        }

        #[test]
        fn damage_is_an_error(records in prop::collection::vec(".{0,40}", 1..5), at: prop::sample::Index, flip in 1_u8..) {
            let texts: Vec<&str> = records.iter().map(String::as_str).collect();
            let mut block = encode(&texts).unwrap();
            let length = block.len();
            prop_assert!(decode(&block[..at.index(length)]).is_err());
            block[at.index(length)] ^= flip;
            if let Ok(read) = decode(&block) {
                (0..9).for_each(|position| { read.get(position); });
            }
        }
    }
}
