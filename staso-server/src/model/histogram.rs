/// Durations in microseconds, in buckets of which 64 make up a power of two.
///
/// A quantile is at most 1.6 % off, and exact where the durations of its bucket are the same, as a few mostly are.
/// Histograms add up without loss, so those of an hour are the sum of those of its minutes.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Histogram {
    /// The buckets that are not empty, in their order. Most histograms, those of one user or of one hour, have a few.
    buckets: Vec<Bucket>,
}

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
struct Bucket {
    number: u16,
    times: u32,
    sum: u64,
}

/// Buckets per power of two, and the power of two that this is.
const STEPS: u64 = 1 << STEPS_LOG2;
const STEPS_LOG2: u64 = 6;

impl Histogram {
    /// Counts a duration in microseconds.
    pub fn record(&mut self, micros: u64) {
        self.record_many(1, micros);
    }

    /// Counts as many durations as one of [`buckets`](Self::buckets) has, which add up to `sum`.
    pub fn record_many(&mut self, times: u32, sum: u64) {
        let Some(mean) = sum.checked_div(times.into()) else { return };
        self.merge(Bucket { number: bucket(mean), times, sum });
    }

    /// Counts what another counted.
    pub fn add(&mut self, other: &Self) {
        other.buckets.iter().for_each(|bucket| self.merge(*bucket));
    }

    fn merge(&mut self, other: Bucket) {
        match self.buckets.binary_search_by_key(&other.number, |bucket| bucket.number) {
            Ok(place) => {
                // A bucket that is full takes no more, so that its mean stays within it.
                if let Some(bucket) = self.buckets.get_mut(place)
                    && let Some(times) = bucket.times.checked_add(other.times)
                    && let Some(sum) = bucket.sum.checked_add(other.sum)
                {
                    (bucket.times, bucket.sum) = (times, sum);
                }
            }
            Err(place) => self.buckets.insert(place, other),
        }
    }

    /// How many durations each bucket that is not empty has, and their sum.
    pub fn buckets(&self) -> impl Iterator<Item = (u32, u64)> {
        self.buckets.iter().map(|bucket| (bucket.times, bucket.sum))
    }

    /// How many durations were counted.
    #[must_use]
    pub fn count(&self) -> u64 {
        self.buckets.iter().map(|bucket| u64::from(bucket.times)).sum()
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
        self.buckets().find_map(|(times, sum)| {
            seen += u64::from(times);
            (seen >= rank).then(|| sum / u64::from(times))
        })
    }
}

/// The number of the bucket of a duration.
fn bucket(micros: u64) -> u16 {
    let number = if micros < STEPS {
        micros
    } else {
        let power = u64::from(micros.ilog2());
        let step = (micros >> (power - STEPS_LOG2)) - STEPS;
        (power - STEPS_LOG2 + 1) * STEPS + step
    };
    u16::try_from(number).unwrap_or(u16::MAX)
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
    fn buckets_are_as_wide_as_a_sixty_fourth() {
        for (micros, number) in [
            (0, 0),
            (63, 63),
            (127, 127),
            (128, 128),
            (129, 128),
            (130, 129),
            (1_000_000, 954),
            (u64::MAX, 3775),
        ] {
            assert_eq!(bucket(micros), number, "{micros}");
        }
    }

    #[test]
    fn nothing_has_no_quantile() {
        assert_eq!(Histogram::default().quantile(0.5), None);
    }

    #[test]
    fn a_few_durations_are_as_they_were() {
        let histogram: Histogram = [40_000, 900_000, 40_000].into_iter().collect();
        assert_eq!(histogram.quantile(0.5), Some(40_000));
        assert_eq!(histogram.quantile(0.99), Some(900_000));
    }

    #[test]
    fn a_bucket_that_is_full_keeps_what_it_has() {
        let histogram: Histogram = [u64::MAX - 1, u64::MAX].into_iter().collect();
        assert_eq!(histogram.quantile(0.99), Some(u64::MAX - 1));
    }

    proptest! {
        #[test]
        fn a_single_duration_is_exact(micros: u64, percent in 0_usize..=100) {
            let histogram: Histogram = [micros].into_iter().collect();
            prop_assert_eq!(histogram.quantile(percent as f64 / 100.0), Some(micros));
        }

        #[test]
        fn a_quantile_is_at_most_a_sixty_fourth_off(
            mut durations in prop::collection::vec(prop_oneof![0_u64..200, 0_u64..10_000_000_000, 0_u64..1 << 56], 1..200),
            percent in 1_usize..=100,
        ) {
            let histogram: Histogram = durations.iter().copied().collect();
            durations.sort_unstable();
            let exact = durations[(durations.len() * percent).div_ceil(100) - 1];
            let found = histogram.quantile(percent as f64 / 100.0).unwrap();
            prop_assert!(exact.abs_diff(found) <= exact / 64, "{exact} {found}");
        }
    }
}
