//! What a row of `fact` counts, as one value: metrics read very many, and a column costs more than a varint.
//!
//! ```text
//! count │ errors │ tokens in │ out │ total │ billionths of a dollar │ priced │ unpriced │ bucket of each that ended
//! ```

use super::varint;
use crate::model::{Histogram, Measures};

/// Writes what was counted.
pub(super) fn encode(measures: &Measures) -> Vec<u8> {
    let Measures { count, errors, latency, tokens, cost } = measures;
    let mut bytes = Vec::with_capacity(24);
    for number in [*count, *errors, tokens.input, tokens.output, tokens.total] {
        varint::push(&mut bytes, number);
    }
    for number in [cost.nano_usd, cost.priced, cost.unpriced] {
        varint::push(&mut bytes, number);
    }
    for (bucket, times) in latency.buckets() {
        (0..times).for_each(|_| varint::push(&mut bytes, bucket.into()));
    }
    bytes
}

/// Adds what [`encode`] wrote.
pub(super) fn add(mut bytes: &[u8], to: &mut Measures) {
    let mut next = || varint::take(&mut bytes).unwrap_or_default();
    to.count += next();
    to.errors += next();
    for sum in [&mut to.tokens.input, &mut to.tokens.output, &mut to.tokens.total, &mut to.cost.nano_usd] {
        *sum = sum.saturating_add(next());
    }
    to.cost.priced += next();
    to.cost.unpriced += next();
    while let Some(bucket) = varint::take(&mut bytes) {
        if let Ok(bucket @ ..=Histogram::LAST_BUCKET) = u16::try_from(bucket) {
            to.latency.record_bucket(bucket, 1);
        }
    }
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;
    use crate::model::{Cost, Tokens};

    proptest! {
        #[test]
        fn adding_what_was_encoded_is_adding_it(
            numbers in prop::collection::vec((0_u64..1 << 40, prop::array::uniform7(0_u64..1 << 50), any::<Vec<u64>>()), 1..5),
        ) {
            let (mut expected, mut found) = (Measures::default(), Measures::default());
            for (count, [errors, input, output, total, nano_usd, priced, unpriced], durations) in numbers {
                let latency = durations.into_iter().collect();
                let tokens = Tokens { input, output, total };
                let cost = Cost { nano_usd, priced, unpriced };
                let measures = Measures { count, errors, latency, tokens, cost };
                expected.add(&measures);
                add(&encode(&measures), &mut found);
            }
            prop_assert_eq!(found, expected);
        }

        #[test]
        fn damage_does_no_harm(bytes: Vec<u8>) {
            add(&bytes, &mut Measures::default());
        }
    }
}
