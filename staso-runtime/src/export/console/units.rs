//! Numbers as people read them.

use std::time::Duration;

/// Three digits and a unit: `3.10 ms`. From a minute on, `2m 05s` and `1h 02m`.
pub(super) fn duration(duration: Duration) -> String {
    const UNITS: [(u128, &str); 3] = [(1_000, "µs"), (1_000_000, "ms"), (1_000_000_000, "s")];
    let nanos = duration.as_nanos();
    if nanos == 0 {
        return "0 µs".to_owned();
    }
    // Above it, one decimal would round to 60.0 s.
    if nanos >= 59_950_000_000 {
        return long(nanos);
    }
    UNITS.iter().find_map(|(unit, name)| three_digits(nanos, *unit, name)).unwrap_or_else(|| long(nanos))
}

/// `1234567` as `1,234,567`.
pub(super) fn grouped(number: u64) -> String {
    let digits = number.to_string();
    let mut text = String::with_capacity(digits.len() + digits.len() / 3);
    for (index, digit) in digits.chars().enumerate() {
        if index > 0 && (digits.len() - index).is_multiple_of(3) {
            text.push(',');
        }
        text.push(digit);
    }
    text
}

/// `None` when it rounds to a thousand or more.
fn three_digits(nanos: u128, unit: u128, name: &str) -> Option<String> {
    let rounded = |scale: u128| (nanos * scale + unit / 2) / unit;
    let (hundredths, tenths, whole) = (rounded(100), rounded(10), rounded(1));
    if hundredths < 1_000 {
        Some(format!("{}.{:02} {name}", hundredths / 100, hundredths % 100))
    } else if tenths < 1_000 {
        Some(format!("{}.{} {name}", tenths / 10, tenths % 10))
    } else {
        (whole < 1_000).then(|| format!("{whole} {name}"))
    }
}

fn long(nanos: u128) -> String {
    let seconds = (nanos + 500_000_000) / 1_000_000_000;
    let (hours, minutes, seconds) = (seconds / 3_600, seconds / 60 % 60, seconds % 60);
    if hours > 0 { format!("{hours}h {minutes:02}m") } else { format!("{minutes}m {seconds:02}s") }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn durations_have_three_digits_and_the_unit_that_suits_them() {
        for (nanos, expected) in [
            (0, "0 µs"),
            (250, "0.25 µs"),
            (3_100_000, "3.10 ms"),
            (12_000_000, "12.0 ms"),
            (840_000_000, "840 ms"),
            (999_499, "999 µs"),
            (999_500, "1.00 ms"),
            (1_240_000_000, "1.24 s"),
            (9_995_000_000, "10.0 s"),
            (59_949_999_999, "59.9 s"),
            (59_950_000_000, "1m 00s"),
            (125_000_000_000, "2m 05s"),
            (3_725_000_000_000, "1h 02m"),
        ] {
            assert_eq!(duration(Duration::from_nanos(nanos)), expected, "{nanos} ns");
        }
    }

    #[test]
    fn digits_stand_in_groups_of_three() {
        for (number, expected) in
            [(0, "0"), (999, "999"), (1_532, "1,532"), (100_000, "100,000"), (1_234_567, "1,234,567")]
        {
            assert_eq!(grouped(number), expected);
        }
    }
}
