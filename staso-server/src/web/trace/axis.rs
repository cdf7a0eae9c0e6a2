use crate::model::Timestamp;

/// The time axis that all bars of a trace share.
#[derive(Clone, Copy, Debug)]
pub(super) struct Axis {
    start: Timestamp,
    /// At least 1.
    length_micros: u64,
}

/// A mark on the axis.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) struct Tick {
    /// Since the start of the axis.
    pub(super) micros: u64,
}

const SECOND: u64 = 1_000_000;
const MINUTE: u64 = 60 * SECOND;
const HOUR: u64 = 60 * MINUTE;
const DAY: u64 = 24 * HOUR;

/// Distances between marks that read well beyond a second; below, 1, 2 and 5 times a power of ten.
const LONG_STEPS: [u64; 20] = [
    SECOND,
    2 * SECOND,
    5 * SECOND,
    10 * SECOND,
    15 * SECOND,
    30 * SECOND,
    MINUTE,
    2 * MINUTE,
    5 * MINUTE,
    10 * MINUTE,
    15 * MINUTE,
    30 * MINUTE,
    HOUR,
    2 * HOUR,
    3 * HOUR,
    6 * HOUR,
    12 * HOUR,
    DAY,
    2 * DAY,
    7 * DAY,
];

impl Axis {
    pub(super) fn new(start: Timestamp, end: Timestamp) -> Self {
        Self { start, length_micros: micros_between(start, end).max(1) }
    }

    pub(super) fn start(&self) -> Timestamp {
        self.start
    }

    /// Where a moment is, as a part of the axis in percent.
    #[expect(clippy::cast_precision_loss, reason = "a place on a screen")]
    pub(super) fn percent(&self, moment: Timestamp) -> f64 {
        let offset = moment.as_micros().saturating_sub(self.start.as_micros());
        (offset as f64 / self.length_micros as f64 * 100.0).clamp(0.0, 100.0)
    }

    /// Marks at round distances, the first at 0, at most so many gaps between them.
    pub(super) fn ticks(&self, gaps: u64) -> Vec<Tick> {
        let least = self.length_micros.div_ceil(gaps.max(1));
        let short = (0..6).flat_map(|power| [1, 2, 5].map(|digit| digit * 10_u64.pow(power)));
        let step = short.chain(LONG_STEPS).find(|step| *step >= least);
        let step = step.unwrap_or_else(|| least.div_ceil(DAY).saturating_mul(DAY));
        (0..=self.length_micros / step).map(|index| Tick { micros: index * step }).collect()
    }
}

/// From one moment to a later one; 0 when it is not later.
pub(super) fn micros_between(from: Timestamp, until: Timestamp) -> u64 {
    u64::try_from(until.as_micros().saturating_sub(from.as_micros())).unwrap_or(0)
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    fn axis(micros: i64) -> Axis {
        Axis::new(Timestamp::from_micros(5), Timestamp::from_micros(5 + micros))
    }

    #[track_caller]
    fn check(micros: i64, expected: &[u64]) {
        let found: Vec<u64> = axis(micros).ticks(4).iter().map(|tick| tick.micros).collect();
        assert_eq!(found, expected);
    }

    #[test]
    fn marks_are_at_round_distances() {
        check(0, &[0, 1]);
        check(7, &[0, 2, 4, 6]);
        check(1_234, &[0, 500, 1_000]);
        check(3_100_000, &[0, SECOND, 2 * SECOND, 3 * SECOND]);
        check(100_000_000, &[0, 30 * SECOND, 60 * SECOND, 90 * SECOND]);
        check(60 * i64::try_from(DAY).unwrap(), &[0, 15 * DAY, 30 * DAY, 45 * DAY, 60 * DAY]);
    }

    #[test]
    fn places_outside_are_moved_to_the_ends() {
        let at = |micros| axis(100).percent(Timestamp::from_micros(micros));
        assert_eq!([0, 5, 30, 105, 500].map(at), [0.0, 0.0, 25.0, 100.0, 100.0]);
    }

    proptest! {
        #[test]
        fn marks_are_few_and_never_beyond_the_end(micros in 0_i64..i64::MAX / 2, gaps in 1_u64..20) {
            let axis = axis(micros);
            let ticks = axis.ticks(gaps);
            prop_assert!((1..=gaps + 1).contains(&(ticks.len() as u64)));
            prop_assert!(ticks.iter().all(|tick| tick.micros <= axis.length_micros));
        }
    }
}
