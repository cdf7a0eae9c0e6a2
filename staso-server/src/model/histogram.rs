/// How often durations occurred, in buckets of which 32 make up a power of two.
///
/// A quantile is at most 3.2 % above the true one and never below it. Histograms add up without loss, so
/// those of an hour are the sum of those of its minutes.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Histogram {
    /// The buckets that are not empty, in their order, and how often a duration fell into each. Most histograms,
    /// those of one user or of one hour, have a few.
    counts: Vec<(u16, u32)>,
}

/// Buckets per power of two, and the power of two that this is.
const STEPS: u64 = 1 << STEPS_LOG2;
const STEPS_LOG2: u64 = 5;

impl Histogram {
    /// The bucket of the longest durations.
    pub const LAST_BUCKET: u16 = 1919;

    /// The bucket of a duration in microseconds, at most [`LAST_BUCKET`](Self::LAST_BUCKET).
    #[must_use]
    pub fn bucket(micros: u64) -> u16 {
        let bucket = if micros < STEPS {
            micros
        } else {
            let power = u64::from(micros.ilog2());
            let step = (micros >> (power - STEPS_LOG2)) - STEPS;
            (power - STEPS_LOG2 + 1) * STEPS + step
        };
        u16::try_from(bucket).unwrap_or(u16::MAX)
    }

    /// The greatest duration of a bucket, in microseconds.
    #[must_use]
    pub fn upper_bound(bucket: u16) -> u64 {
        let bucket = u64::from(bucket);
        if bucket < STEPS {
            return bucket;
        }
        let shift = u32::try_from(bucket / STEPS - 1).unwrap_or(u32::MAX);
        let bound = u128::from(STEPS + bucket % STEPS + 1).checked_shl(shift).unwrap_or(u128::MAX);
        u64::try_from(bound - 1).unwrap_or(u64::MAX)
    }

    /// Counts a duration in microseconds.
    pub fn record(&mut self, micros: u64) {
        self.record_bucket(Self::bucket(micros), 1);
    }

    /// Counts durations whose bucket is known.
    pub fn record_bucket(&mut self, bucket: u16, times: u32) {
        match self.counts.binary_search_by_key(&bucket, |(bucket, _)| *bucket) {
            Ok(place) => {
                if let Some((_, count)) = self.counts.get_mut(place) {
                    *count = count.saturating_add(times);
                }
            }
            Err(place) => self.counts.insert(place, (bucket, times)),
        }
    }

    /// Counts what another counted.
    pub fn add(&mut self, other: &Self) {
        for (bucket, times) in other.buckets() {
            self.record_bucket(bucket, times);
        }
    }

    /// The buckets that are not empty, and how often each occurred.
    pub fn buckets(&self) -> impl Iterator<Item = (u16, u32)> {
        self.counts.iter().copied()
    }

    /// How many durations were counted.
    #[must_use]
    pub fn count(&self) -> u64 {
        self.counts.iter().map(|(_, times)| u64::from(*times)).sum()
    }

    /// The duration, in microseconds, that the given part of all, from 0 to 1, did not exceed; `None` when
    /// there are none.
    #[must_use]
    #[expect(
        clippy::cast_precision_loss,
        clippy::cast_possible_truncation,
        clippy::cast_sign_loss,
        reason = "a rank among counts, far below the limits of f64"
    )]
    pub fn quantile(&self, part: f64) -> Option<u64> {
        // 50 * 0.14 is a little more than 7, which is no reason to take the eighth.
        let rank = ((self.count() as f64 * part - 1e-6).ceil() as u64).max(1);
        let mut seen = 0;
        self.buckets().find_map(|(bucket, times)| {
            seen += u64::from(times);
            (seen >= rank).then(|| Self::upper_bound(bucket))
        })
    }
}

/// Counts durations in microseconds.
impl FromIterator<u64> for Histogram {
    fn from_iter<T: IntoIterator<Item = u64>>(durations: T) -> Self {
        let mut histogram = Self::default();
        durations.into_iter().for_each(|micros| histogram.record(micros));
        histogram
    }
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    #[test]
    fn the_numbers_of_buckets_never_change_because_stores_keep_them() {
        for (micros, bucket) in
            [(0, 0), (31, 31), (64, 64), (65, 64), (1_000, 190), (1_000_000, 509), (u64::MAX, 1919)]
        {
            assert_eq!(Histogram::bucket(micros), bucket, "{micros}");
        }
    }

    #[test]
    fn nothing_has_no_quantile() {
        assert_eq!(Histogram::default().quantile(0.5), None);
    }

    proptest! {
        #[test]
        fn a_bucket_holds_its_durations(micros: u64) {
            let bucket = Histogram::bucket(micros);
            prop_assert!(bucket <= Histogram::LAST_BUCKET);
            prop_assert!(micros <= Histogram::upper_bound(bucket));
            prop_assert!(bucket == 0 || micros > Histogram::upper_bound(bucket - 1));
        }

        #[test]
        fn a_quantile_is_at_most_a_thirty_second_too_high(
            mut durations in prop::collection::vec(0_u64..10_000_000_000, 1..200),
            percent in 1_usize..=100,
        ) {
            let histogram: Histogram = durations.iter().copied().collect();
            durations.sort_unstable();
            let exact = durations[(durations.len() * percent).div_ceil(100) - 1];
            let found = histogram.quantile(percent as f64 / 100.0).unwrap();
            prop_assert!(exact <= found && found - exact <= exact / 32, "{exact} {found}");
        }
    }
}
