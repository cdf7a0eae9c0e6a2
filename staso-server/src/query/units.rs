use std::time::Duration;

use super::given;
use crate::{
    http::ApiError,
    model::{TimeRange, Timestamp},
};

const MOMENTS: &str = "a time such as 2026-01-02T03:04:05Z, a time before now such as 15m, 24h or 7d, or all";
const DURATIONS: &str = "a number and a unit out of us, ms, s, m, h, d, w, such as 1.5s or 24h";

/// Reads `1.5s`, `200ms`, `24h`, `7d`.
///
/// # Errors
///
/// 400 with the units that are known.
pub fn duration(parameter: &str, text: &str) -> Result<Duration, ApiError> {
    parse_duration(text)
        .ok_or_else(|| ApiError::bad_parameter(parameter, format!("`{parameter}` must be {DURATIONS}")))
}

fn parse_duration(text: &str) -> Option<Duration> {
    let text = text.trim();
    let digits = text.find(|char: char| !char.is_ascii_digit() && char != '.')?;
    let (number, unit) = text.split_at_checked(digits)?;
    let seconds = match unit.trim() {
        "us" | "µs" => 1e-6,
        "ms" => 1e-3,
        "s" => 1.0,
        "m" | "min" => 60.0,
        "h" => 3_600.0,
        "d" => 86_400.0,
        "w" => 604_800.0,
        _ => return None,
    };
    Duration::try_from_secs_f64(number.parse::<f64>().ok()? * seconds).ok()
}

/// Reads a moment in RFC 3339, or one relative to now: `24h` is 24 hours ago. `all` is none.
///
/// # Errors
///
/// 400 with examples of both.
pub fn moment(parameter: &str, text: &str, now: Timestamp) -> Result<Option<Timestamp>, ApiError> {
    if text.eq_ignore_ascii_case("all") {
        return Ok(None);
    }
    if let Some(ago) = parse_duration(text) {
        return Ok(Some(now.before(ago)));
    }
    text.parse()
        .map(Some)
        .map_err(|_| ApiError::bad_parameter(parameter, format!("`{parameter}` must be {MOMENTS}")))
}

/// The range between the parameters `since` and `until`.
///
/// # Errors
///
/// 400 when one cannot be read, or the range ends before it begins.
pub fn range(since: &Option<String>, until: &Option<String>, now: Timestamp) -> Result<TimeRange, ApiError> {
    let read = |parameter, value| match given(value) {
        Some(text) => moment(parameter, text, now),
        None => Ok(None),
    };
    let range = TimeRange { since: read("since", since)?, until: read("until", until)? };
    if range.since.zip(range.until).is_some_and(|(since, until)| since > until) {
        return Err(ApiError::bad_parameter("until", "`until` must not be before `since`"));
    }
    Ok(range)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn durations_are_numbers_with_a_unit() {
        for (text, millis) in [
            ("1500us", Some(1)),
            ("200ms", Some(200)),
            ("1.5s", Some(1_500)),
            (" 2 m ", Some(120_000)),
            ("24h", Some(86_400_000)),
            ("7d", Some(604_800_000)),
            ("15", None),
            ("h", None),
            ("", None),
            ("-1s", None),
            ("1..5s", None),
            ("9999999999999999999999w", None),
            ("1y", None),
        ] {
            let read = duration("min_duration", text);
            assert_eq!(read.ok().map(|read| read.as_millis()), millis, "{text:?}");
        }
    }

    #[test]
    fn a_moment_is_absolute_or_before_now() {
        let now = Timestamp::from_micros(1_700_000_000_000_000);
        let read = |text| moment("since", text, now).map_err(|error| error.message().to_owned());
        assert_eq!(read("1h"), Ok(Some(now.plus_micros(-3_600_000_000))));
        assert_eq!(read("2023-11-14T22:13:20+00:00"), Ok(Some(now)));
        assert_eq!(read("all"), Ok(None));
        assert_eq!(
            read("yesterday"),
            Err("`since` must be a time such as 2026-01-02T03:04:05Z, a time before now such as 15m, 24h or 7d, \
                 or all"
                .to_owned())
        );
    }

    #[test]
    fn a_range_that_ends_before_it_begins_is_refused() {
        let read = |since: &str, until: &str| {
            range(&Some(since.to_owned()), &Some(until.to_owned()), Timestamp::from_micros(0)).is_ok()
        };
        assert_eq!(
            [read("2h", "1h"), read("1h", "2h"), read("1h", ""), read("", "")],
            [true, false, true, true]
        );
    }
}
