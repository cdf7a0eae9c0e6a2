//! What a fact counts, as one value.
//!
//! ```text
//! count │ errors │ tokens in │ out │ total │ billionths of a dollar │ priced │ unpriced │
//! { how many latencies a bucket has │ their sum }
//! ```

use super::varint;
use crate::model::{Measures, add_counts};

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
    for (times, sum) in latency.buckets() {
        varint::push(&mut bytes, times.into());
        varint::push(&mut bytes, sum);
    }
    bytes
}

/// The count that [`encode`] wrote.
pub(super) fn count(mut bytes: &[u8]) -> u64 {
    varint::take(&mut bytes).unwrap_or_default()
}

/// Adds what [`encode`] wrote.
pub(super) fn add(mut bytes: &[u8], to: &mut Measures) {
    let mut next = || varint::take(&mut bytes).unwrap_or_default();
    let Measures { count, errors, latency, tokens, cost } = to;
    for sum in [count, errors, &mut tokens.input, &mut tokens.output, &mut tokens.total] {
        *sum = add_counts(*sum, next());
    }
    for sum in [&mut cost.nano_usd, &mut cost.priced, &mut cost.unpriced] {
        *sum = add_counts(*sum, next());
    }
    while let Some((times, sum)) = varint::take(&mut bytes).zip(varint::take(&mut bytes)) {
        if let Ok(times) = times.try_into() {
            latency.record_many(times, sum);
        }
    }
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;
    use crate::model::{Cost, MAX_COUNT, Tokens};

    proptest! {
        #[test]
        fn adding_what_was_encoded_is_adding_it(
            numbers in prop::collection::vec((0_u64..1 << 40, prop::array::uniform7(0_u64..=MAX_COUNT), any::<Vec<u64>>()), 1..5),
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
