//! Records of one trace, compressed together.
//!
//! ```text
//! length of the rest before compression │ zstd( count │ length of each │ the records )     numbers are varints
//! ```

use super::varint;
use crate::store::StoreError;

/// Higher levels save little on blocks of a few records and cost what ingest does not have.
const LEVEL: i32 = 1;

/// More than any request brings; a length beyond it is a sign of damage.
const MAX_BYTES: u64 = 1 << 30;

/// Puts records into a block.
///
/// # Errors
///
/// [`StoreError::Engine`] when there is no memory for it.
pub(super) fn encode(records: &[&str]) -> Result<Vec<u8>, StoreError> {
    let mut plain = Vec::new();
    varint::push(&mut plain, records.len() as u64);
    records.iter().for_each(|record| varint::push(&mut plain, record.len() as u64));
    records.iter().for_each(|record| plain.extend_from_slice(record.as_bytes()));
    let mut block = Vec::new();
    varint::push(&mut block, plain.len() as u64);
    let compressed =
        zstd::bulk::compress(&plain, LEVEL).map_err(|error| StoreError::Engine(error.to_string()))?;
    block.extend_from_slice(&compressed);
    Ok(block)
}

/// The records of a block.
///
/// # Errors
///
/// [`StoreError::Engine`] when it is damaged.
pub(super) fn decode(block: &[u8]) -> Result<Vec<Box<str>>, StoreError> {
    records(block).ok_or_else(|| StoreError::Engine("a block of records is damaged".to_owned()))
}

fn records(mut block: &[u8]) -> Option<Vec<Box<str>>> {
    let length = varint::take(&mut block).filter(|length| *length <= MAX_BYTES)?;
    let plain = zstd::bulk::decompress(block, usize::try_from(length).ok()?).ok()?;
    let mut rest = plain.as_slice();
    let count = varint::take(&mut rest)?;
    let lengths: Vec<u64> = (0..count).map_while(|_| varint::take(&mut rest)).collect();
    let record = |length: u64| {
        let (record, behind) = rest.split_at_checked(usize::try_from(length).ok()?)?;
        rest = behind;
        Some(std::str::from_utf8(record).ok()?.into())
    };
    (lengths.len() as u64 == count).then(|| lengths.into_iter().map(record).collect())?
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    proptest! {
        #[test]
        fn records_are_read_back(records: Vec<String>) {
            let texts: Vec<&str> = records.iter().map(String::as_str).collect();
            let read = decode(&encode(&texts).unwrap()).unwrap();
            prop_assert_eq!(read.iter().map(AsRef::as_ref).collect::<Vec<&str>>(), texts);
        }

        #[test]
        fn damage_is_an_error(records in prop::collection::vec(".{0,40}", 1..5), at: prop::sample::Index, flip in 1_u8..) {
            let texts: Vec<&str> = records.iter().map(String::as_str).collect();
            let mut block = encode(&texts).unwrap();
            let length = block.len();
            let _ = decode(&block[..at.index(length)]).unwrap_err();
            block[at.index(length)] ^= flip;
            let _ = decode(&block);
        }
    }
}
