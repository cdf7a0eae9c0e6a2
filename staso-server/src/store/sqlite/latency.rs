use rusqlite::types::{Value, ValueRef};

use super::varint;
use crate::model::Histogram;

/// How long some calls took: the bucket of one as a number, those of several as varints; NULL for none.
pub(super) fn encode(durations_micros: &[u64]) -> Value {
    match durations_micros {
        [] => Value::Null,
        [micros] => Value::Integer(i64::from(Histogram::bucket(*micros))),
        several => {
            let mut bytes = Vec::with_capacity(several.len() * 2);
            several.iter().for_each(|micros| varint::push(&mut bytes, Histogram::bucket(*micros).into()));
            Value::Blob(bytes)
        }
    }
}

/// Counts what [`encode`] wrote.
pub(super) fn count(encoded: ValueRef<'_>, histogram: &mut Histogram) {
    let mut record = |bucket: u64| {
        if let Ok(bucket @ 0..=495) = u16::try_from(bucket) {
            histogram.record_bucket(bucket, 1);
        }
    };
    match encoded {
        ValueRef::Integer(bucket) => record(bucket.cast_unsigned()),
        ValueRef::Blob(mut bytes) => {
            while let Some(bucket) = varint::take(&mut bytes) {
                record(bucket);
            }
        }
        ValueRef::Null | ValueRef::Real(_) | ValueRef::Text(_) => {}
    }
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    proptest! {
        #[test]
        fn a_histogram_of_encoded_durations_is_that_of_the_durations(durations: Vec<u64>) {
            let (mut expected, mut counted) = (Histogram::default(), Histogram::default());
            durations.iter().for_each(|micros| expected.record(*micros));
            count((&encode(&durations)).into(), &mut counted);
            prop_assert_eq!(counted, expected);
        }
    }
}
