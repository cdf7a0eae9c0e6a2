use crate::record::clock::WallTime;

const SECONDS_A_DAY: u64 = 86_400;

/// Writes `YYYY-MM-DDTHH:MM:SS.ffffff+00:00`, without the fraction where it is zero.
pub(super) fn write_timestamp(time: WallTime, out: &mut Vec<u8>) {
    let micros = time.0 / 1_000;
    let seconds = micros / 1_000_000;
    let date = Date::of_day(seconds / SECONDS_A_DAY);
    let second_of_day = seconds % SECONDS_A_DAY;

    write_digits::<4>(date.year, out);
    for (separator, part) in [
        (b'-', date.month),
        (b'-', date.day),
        (b'T', second_of_day / 3_600),
        (b':', second_of_day / 60 % 60),
        (b':', second_of_day % 60),
    ] {
        out.push(separator);
        write_digits::<2>(part, out);
    }
    let fraction = micros % 1_000_000;
    if fraction > 0 {
        out.push(b'.');
        write_digits::<6>(fraction, out);
    }
    out.extend_from_slice(b"+00:00");
}

/// A day of the Gregorian calendar.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
struct Date {
    year: u64,
    /// From 1.
    month: u64,
    /// From 1.
    day: u64,
}

impl Date {
    /// The date so many days after 1970-01-01.
    ///
    /// Years are counted from March, so that a leap day is the last day of its year, its four years, its
    /// century and its four hundred years: each unit is peeled off by a division, and only the last
    /// unit of the next larger one can be longer than the others.
    const fn of_day(since_1970: u64) -> Self {
        const SINCE_MARCH_OF_YEAR_0: u64 = 719_468;
        let mut days = since_1970 + SINCE_MARCH_OF_YEAR_0;

        let cycles = days / 146_097;
        days %= 146_097;
        let centuries = at_most_3(days / 36_524);
        days -= centuries * 36_524;
        let leaps = days / 1_461;
        days %= 1_461;
        let years = at_most_3(days / 365);
        days -= years * 365;

        // Five months from March, and again from August, have 153 days.
        let months = (5 * days + 2) / 153;
        let day = days - (153 * months + 2) / 5 + 1;
        let from_march = 400 * cycles + 100 * centuries + 4 * leaps + years;
        if months < 10 {
            Self { year: from_march, month: months + 3, day }
        } else {
            Self { year: from_march + 1, month: months - 9, day }
        }
    }
}

const fn at_most_3(value: u64) -> u64 {
    if value > 3 { 3 } else { value }
}

fn write_digits<const N: usize>(mut value: u64, out: &mut Vec<u8>) {
    let mut digits = [b'0'; N];
    for digit in digits.iter_mut().rev() {
        *digit += (value % 10) as u8;
        value /= 10;
    }
    out.extend_from_slice(&digits);
}

#[cfg(test)]
mod tests {
    use super::*;

    fn written(nanos: u64) -> String {
        let mut out = Vec::new();
        write_timestamp(WallTime(nanos), &mut out);
        String::from_utf8(out).unwrap()
    }

    /// The days before a date, year by year and month by month.
    fn day_number(date: Date) -> u64 {
        let leap =
            |year: u64| year.is_multiple_of(4) && !year.is_multiple_of(100) || year.is_multiple_of(400);
        let years: u64 = (1970..date.year).map(|year| 365 + u64::from(leap(year))).sum();
        let february = 28 + u64::from(leap(date.year));
        let lengths = [31, february, 31, 30, 31, 30, 31, 31, 30, 31, 30, 31];
        years + lengths.iter().take(date.month as usize - 1).sum::<u64>() + date.day - 1
    }

    #[test]
    fn known_instants_have_their_text() {
        for (nanos, text) in [
            (0, "1970-01-01T00:00:00+00:00"),
            (999, "1970-01-01T00:00:00+00:00"),
            (1_000, "1970-01-01T00:00:00.000001+00:00"),
            (951_782_400_000_000_000, "2000-02-29T00:00:00+00:00"),
            (1_792_194_585_166_692_999, "2026-10-16T23:49:45.166692+00:00"),
            (4_107_542_399_500_000_000, "2100-02-28T23:59:59.500000+00:00"),
            (4_107_542_400_000_000_000, "2100-03-01T00:00:00+00:00"),
            (u64::MAX, "2554-07-21T23:34:33.709551+00:00"),
        ] {
            assert_eq!(written(nanos), text);
        }
    }

    #[test]
    fn every_day_up_to_the_year_9999_follows_the_one_before() {
        let mut before = Date { year: 1969, month: 12, day: 31 };
        let last = Date { year: 9999, month: 12, day: 31 };
        for day in 0..=day_number(last) {
            let date = Date::of_day(day);
            let next_day = Date { day: before.day + 1, ..before };
            let next_month = Date { month: before.month + 1, day: 1, ..before };
            let next_year = Date { year: before.year + 1, month: 1, day: 1 };
            assert!([next_day, next_month, next_year].contains(&date), "{date:?} after {before:?}");
            before = date;
        }
        assert_eq!(before, last);
    }

    proptest::proptest! {
        #[test]
        fn a_date_gives_the_day_it_came_from(day in 0..2_932_897_u64) {
            proptest::prop_assert_eq!(day_number(Date::of_day(day)), day);
        }

        #[test]
        fn texts_sort_as_their_instants_do(one: u64, gap in 1_000..u64::MAX) {
            let later = one.saturating_add(gap);
            proptest::prop_assume!(later / 1_000 > one / 1_000);
            proptest::prop_assert!(written(one) < written(later));
        }
    }
}
