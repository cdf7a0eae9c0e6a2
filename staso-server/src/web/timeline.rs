use std::time::Duration;

use crate::model::{Bucket, Measures, TimeRange, Timestamp};

/// Widths of buckets that people read easily, in seconds.
const WIDTHS: [u64; 12] = [15, 60, 120, 300, 900, 1_800, 3_600, 10_800, 21_600, 86_400, 604_800, 2_419_200];

/// About so many bars fit into a chart.
const SLOTS: u64 = 60;

/// Measures in slots of equal width, without gaps.
#[derive(Clone, Debug, PartialEq)]
pub(super) struct Timeline {
    pub(super) start: Timestamp,
    pub(super) width: Duration,
    pub(super) slots: Vec<Measures>,
}

impl Timeline {
    /// The width of buckets to ask for. For all time it is a day, as when it began is not known yet.
    pub(super) fn bucket(range: TimeRange, now: Timestamp) -> Duration {
        let Some(since) = range.since else { return Duration::from_secs(86_400) };
        width_for(micros(since, range.until.unwrap_or(now)))
    }

    /// Spreads buckets over the range, from its start, else from the first of them.
    pub(super) fn new(range: TimeRange, bucket: Duration, buckets: &[Bucket], now: Timestamp) -> Self {
        let until = range.until.unwrap_or(now);
        let first = range.since.or_else(|| buckets.first().map(|bucket| bucket.start)).unwrap_or(now);
        let width = bucket.max(width_for(micros(first, until)));
        let width_micros = i64::try_from(width.as_micros()).unwrap_or(i64::MAX).max(1);
        let slot_of = |moment: Timestamp| moment.as_micros().div_euclid(width_micros);
        let first_slot = slot_of(first);
        let count = slot_of(until).saturating_sub(first_slot).saturating_add(1);
        let count = usize::try_from(count).unwrap_or(1).clamp(1, 500);
        let mut slots = vec![Measures::default(); count];
        for bucket in buckets {
            let index = usize::try_from(slot_of(bucket.start) - first_slot).ok();
            if let Some(slot) = index.and_then(|index| slots.get_mut(index)) {
                slot.add(&bucket.measures);
            }
        }
        Self { start: Timestamp::from_micros(first_slot.saturating_mul(width_micros)), width, slots }
    }

    /// When a slot begins.
    pub(super) fn at(&self, slot: usize) -> Timestamp {
        let width = i64::try_from(self.width.as_micros()).unwrap_or(i64::MAX);
        self.start.plus_micros(width.saturating_mul(i64::try_from(slot).unwrap_or(i64::MAX)))
    }
}

fn micros(since: Timestamp, until: Timestamp) -> u64 {
    u64::try_from(until.as_micros().saturating_sub(since.as_micros())).unwrap_or(0)
}

fn width_for(micros: u64) -> Duration {
    let seconds = micros / 1_000_000 / SLOTS;
    let width = WIDTHS.into_iter().find(|width| *width >= seconds).unwrap_or(2_419_200);
    Duration::from_secs(width)
}

#[cfg(test)]
mod tests {
    use super::*;

    const DAY: i64 = 86_400_000_000;

    fn bucket(start: i64, count: u64) -> Bucket {
        Bucket { start: Timestamp::from_micros(start), measures: Measures { count, ..Measures::default() } }
    }

    #[test]
    fn slots_cover_the_range_without_gaps() {
        let now = Timestamp::from_micros(100 * DAY);
        let range = TimeRange { since: Some(Timestamp::from_micros(99 * DAY)), until: None };
        let width = Timeline::bucket(range, now);
        assert_eq!(width, Duration::from_secs(1_800));
        let line =
            Timeline::new(range, width, &[bucket(99 * DAY, 3), bucket(100 * DAY - 1_800_000_000, 4)], now);
        assert_eq!((line.start.as_micros(), line.slots.len()), (99 * DAY, 49));
        let counts: Vec<_> = line.slots.iter().map(|slot| slot.count).collect();
        assert_eq!((counts[0], counts[47], counts.iter().sum::<u64>()), (3, 4, 7));
        assert_eq!(line.at(47).as_micros(), 100 * DAY - 1_800_000_000);
    }

    #[test]
    fn all_time_begins_with_the_first_bucket_and_stays_readable() {
        let now = Timestamp::from_micros(1_000 * DAY);
        let range = TimeRange::default();
        let width = Timeline::bucket(range, now);
        let line = Timeline::new(range, width, &[bucket(200 * DAY, 1), bucket(999 * DAY, 2)], now);
        assert!(line.slots.len() <= 120, "{}", line.slots.len());
        assert_eq!(line.slots.iter().map(|slot| slot.count).sum::<u64>(), 3);
    }

    #[test]
    fn nothing_is_one_empty_slot() {
        let line =
            Timeline::new(TimeRange::default(), Duration::from_secs(60), &[], Timestamp::from_micros(0));
        assert_eq!(line.slots, [Measures::default()]);
    }
}
