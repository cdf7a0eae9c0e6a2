//! Numbers, moments, states and kinds as people read them.

use maud::{Markup, html};

use crate::model::{Cost, SpanKind, SpanStatus, Timestamp, Tokens, TraceStatus};

/// Three digits and a unit: `3.10 ms`. From a minute on, `2m 05s` and `1h 02m`; from a day on, `3d 04h`.
#[must_use]
pub fn duration(micros: u64) -> String {
    if micros == 0 {
        return "0 ms".to_owned();
    }
    // Above it, one decimal would round to 60.0 s.
    if micros >= 59_950_000 {
        return long(micros);
    }
    [(1, "µs"), (1_000, "ms"), (1_000_000, "s")]
        .into_iter()
        .find_map(|(unit, name)| three_digits(micros, unit, name))
        .unwrap_or_else(|| long(micros))
}

/// `None` when it rounds to a thousand or more.
fn three_digits(micros: u64, unit: u64, name: &str) -> Option<String> {
    let rounded = |scale: u64| (micros * scale + unit / 2) / unit;
    let (hundredths, tenths, whole) = (rounded(100), rounded(10), rounded(1));
    if unit == 1 {
        (micros < 1_000).then(|| format!("{micros} {name}"))
    } else if hundredths < 1_000 {
        Some(format!("{}.{:02} {name}", hundredths / 100, hundredths % 100))
    } else if tenths < 1_000 {
        Some(format!("{}.{} {name}", tenths / 10, tenths % 10))
    } else {
        (whole < 1_000).then(|| format!("{whole} {name}"))
    }
}

fn long(micros: u64) -> String {
    let seconds = micros / 1_000_000 + u64::from(micros % 1_000_000 >= 500_000);
    let (days, hours, minutes) = (seconds / 86_400, seconds / 3_600 % 24, seconds / 60 % 60);
    if days > 0 {
        format!("{days}d {hours:02}h")
    } else if hours > 0 {
        format!("{hours}h {minutes:02}m")
    } else {
        format!("{minutes}m {:02}s", seconds % 60)
    }
}

/// `1234567` as `1,234,567`.
#[must_use]
pub fn count(number: u64) -> String {
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

/// Bytes as people say it: `900 bytes`, `12 KB`, `2.9 MB`.
#[must_use]
#[expect(clippy::cast_precision_loss, reason = "a size that people read")]
pub fn bytes(number: usize) -> String {
    let kilobytes = number as f64 / 1024.0;
    match number {
        0..1_024 => format!("{number} bytes"),
        1_024..1_048_576 => format!("{kilobytes:.0} KB"),
        _ => format!("{:.1} MB", kilobytes / 1024.0),
    }
}

/// At most three digits and a unit: `999`, `1.24k`, `12.4k`, `3.10M`.
#[must_use]
pub fn compact(number: u64) -> String {
    if number < 1_000 {
        return number.to_string();
    }
    let units = [(1_000_u64, "k"), (1_000_000, "M"), (1_000_000_000, "G"), (1_000_000_000_000, "T")];
    units
        .into_iter()
        .find_map(|(unit, name)| {
            let number = u128::from(number);
            let rounded = |scale: u128| (number * scale + u128::from(unit) / 2) / u128::from(unit);
            let (hundredths, tenths, whole) = (rounded(100), rounded(10), rounded(1));
            if hundredths < 1_000 {
                Some(format!("{}.{:02}{name}", hundredths / 100, hundredths % 100))
            } else if tenths < 1_000 {
                Some(format!("{}.{}{name}", tenths / 10, tenths % 10))
            } else {
                (whole < 1_000).then(|| format!("{whole}{name}"))
            }
        })
        .unwrap_or_else(|| count(number))
}

/// Failed ones among all as a percentage: `0%`, `0.4%`, `12%`, `100%`.
#[must_use]
pub fn percent(part: f64) -> String {
    let percent = part * 100.0;
    if percent == 0.0 {
        "0%".to_owned()
    } else if percent < 0.1 {
        "<0.1%".to_owned()
    } else if percent < 9.95 {
        format!("{percent:.1}%")
    } else {
        format!("{percent:.0}%")
    }
}

/// `$1.24`, or `≥ $1.24` when the price of some calls is unknown, `unknown` when that of all is, and `–` when
/// no model was called.
#[must_use]
pub fn cost(cost: &Cost) -> String {
    if cost.priced == 0 && cost.unpriced == 0 {
        return "–".to_owned();
    }
    match cost.usd() {
        None => "unknown".to_owned(),
        Some(usd) if cost.is_complete() => dollars(usd),
        Some(usd) => format!("≥ {}", dollars(usd)),
    }
}

/// Two decimals; below ten cents, two digits that say something.
#[must_use]
pub fn dollars(usd: f64) -> String {
    if usd >= 1_000.0 {
        #[expect(clippy::cast_possible_truncation, clippy::cast_sign_loss, reason = "rounded to dollars")]
        let whole = usd.round() as u64;
        return format!("${}", count(whole));
    }
    if usd >= 0.0995 || usd == 0.0 {
        return format!("${usd:.2}");
    }
    if usd < 0.000_001 {
        return "<$0.000001".to_owned();
    }
    let decimals = if usd >= 0.00995 {
        3
    } else if usd >= 0.000_995 {
        4
    } else if usd >= 0.000_099_5 {
        5
    } else {
        6
    };
    format!("${usd:.decimals$}")
}

/// Tokens in and out, short, with the exact numbers as a hint; `–` when there are none.
#[must_use]
pub fn tokens(tokens: &Tokens) -> Markup {
    if tokens.total == 0 {
        return html! { span.none { "–" } };
    }
    let exact =
        format!("{} in + {} out, {} in all", count(tokens.input), count(tokens.output), count(tokens.total));
    html! { span title=(exact) { (compact(tokens.total)) } }
}

/// A moment in full. The server writes UTC; the browser makes it local.
#[must_use]
pub fn time(moment: Timestamp) -> Markup {
    let utc = moment.to_string();
    html! { time datetime=(utc) data-format="full" title=(utc) { (minute(moment)) " UTC" } }
}

/// How long ago a moment was, with the moment in full as a hint.
#[must_use]
pub fn relative(moment: Timestamp, now: Timestamp) -> Markup {
    let utc = moment.to_string();
    html! { time datetime=(utc) data-format="relative" title=(utc) { (ago(moment, now)) } }
}

/// `2026-01-02 03:04:05`, in UTC.
#[must_use]
pub fn minute(moment: Timestamp) -> String {
    let text = moment.to_string();
    text.get(..19).map_or_else(|| text.clone(), |text| text.replace('T', " "))
}

/// `just now`, `42 s ago`, `5 min ago`, `3 h ago`, `12 d ago`; the moment itself when it is to come, beyond what clocks
/// differ by. The module `time.js` says the same.
#[must_use]
pub fn ago(moment: Timestamp, now: Timestamp) -> String {
    /// In seconds.
    const CLOCKS_DIFFER: i64 = 120;
    let seconds = now.as_micros().saturating_sub(moment.as_micros()) / 1_000_000;
    match seconds {
        _ if seconds < -CLOCKS_DIFFER => format!("{} UTC", minute(moment)),
        ..5 => "just now".to_owned(),
        5..60 => format!("{seconds} s ago"),
        60..3_600 => format!("{} min ago", seconds / 60),
        3_600..172_800 => format!("{} h ago", seconds / 3_600),
        _ => format!("{} d ago", seconds / 86_400),
    }
}

/// How a trace stands: a sign and a word.
#[must_use]
pub fn trace_status(status: TraceStatus) -> Markup {
    let sign = match status {
        TraceStatus::Running => "◌",
        TraceStatus::Unfinished => {
            return html! {
                span.status.is-unfinished title="Nothing of it arrived for 15 minutes. It was killed, or lost its connection." {
                    span.sign aria-hidden="true" { "◌" } " " (status.as_str())
                }
            };
        }
        TraceStatus::Ok => "✓",
        TraceStatus::Error => "✗",
        TraceStatus::Timeout => "◷",
        TraceStatus::Other => "?",
    };
    state(status.as_str(), sign)
}

/// How a span ended: a sign and a word.
#[must_use]
pub fn span_status(status: SpanStatus) -> Markup {
    let sign = match status {
        SpanStatus::Ok => "✓",
        SpanStatus::Error => "✗",
        SpanStatus::Timeout => "◷",
        SpanStatus::Other => "?",
    };
    state(status.as_str(), sign)
}

fn state(name: &'static str, sign: &'static str) -> Markup {
    html! { span.status.{ "is-" (name) } { span.sign aria-hidden="true" { (sign) } " " (name) } }
}

/// What stands for a kind of span, here as in a terminal.
#[must_use]
pub fn kind_glyph(kind: SpanKind) -> &'static str {
    match kind {
        SpanKind::Agent => "●",
        SpanKind::Tool => "■",
        SpanKind::Llm => "◇",
        SpanKind::Retriever => "◆",
        SpanKind::Custom => "□",
        _ => "○",
    }
}

/// A kind of span: its glyph and its name.
#[must_use]
pub fn kind(kind: SpanKind) -> Markup {
    html! {
        span.kind.{ "kind-" (kind.as_str()) } {
            span.sign aria-hidden="true" { (kind_glyph(kind)) } " " (kind.as_str())
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn durations_have_three_digits_and_the_unit_that_suits_them() {
        for (micros, expected) in [
            (0, "0 ms"),
            (17, "17 µs"),
            (999, "999 µs"),
            (3_100, "3.10 ms"),
            (12_000, "12.0 ms"),
            (999_499, "999 ms"),
            (999_500, "1.00 s"),
            (9_995_000, "10.0 s"),
            (59_949_999, "59.9 s"),
            (59_950_000, "1m 00s"),
            (125_000_000, "2m 05s"),
            (3_725_000_000, "1h 02m"),
            (273_600_000_000, "3d 04h"),
            (u64::MAX, "213503982d 08h"),
        ] {
            assert_eq!(duration(micros), expected, "{micros} µs");
        }
    }

    #[test]
    fn counts_are_grouped_or_short() {
        for (number, grouped, short) in [
            (0, "0", "0"),
            (999, "999", "999"),
            (1_240, "1,240", "1.24k"),
            (99_950, "99,950", "100k"),
            (999_500, "999,500", "1.00M"),
            (1_234_567, "1,234,567", "1.23M"),
        ] {
            assert_eq!((count(number), compact(number)), (grouped.to_owned(), short.to_owned()));
        }
        assert_eq!(compact(u64::MAX), count(u64::MAX));
    }

    #[test]
    fn an_unknown_cost_is_never_shown_as_nothing() {
        for (nano_usd, priced, unpriced, expected) in [
            (0, 0, 0, "–"),
            (0, 0, 2, "unknown"),
            (10_000_000, 1, 1, "≥ $0.010"),
            (1_240_000_000, 3, 0, "$1.24"),
            (120_000, 1, 0, "$0.00012"),
            (0, 1, 0, "$0.00"),
            (10, 1, 0, "<$0.000001"),
            (1_234_600_000_000, 1, 0, "$1,235"),
        ] {
            assert_eq!(cost(&Cost { nano_usd, priced, unpriced }), expected);
        }
    }

    #[test]
    fn sizes_are_said_briefly() {
        assert_eq!([900, 12_288, 3_000_000].map(bytes), ["900 bytes", "12 KB", "2.9 MB"]);
    }

    #[test]
    fn a_failure_among_many_does_not_round_to_none() {
        for (part, expected) in
            [(0.0, "0%"), (0.000_1, "<0.1%"), (0.004, "0.4%"), (0.0996, "10%"), (0.12, "12%"), (1.0, "100%")]
        {
            assert_eq!(percent(part), expected);
        }
    }

    #[test]
    fn b11_a_moment_is_as_long_ago_as_it_was_or_a_date() {
        let now = Timestamp::from_micros(10_000_000_000_000);
        for (seconds, expected) in [
            (-9_000, "1970-04-26 20:16:40 UTC"),
            (-315_360_000, "1980-04-23 17:46:40 UTC"),
            (-90, "just now"),
            (4, "just now"),
            (42, "42 s ago"),
            (61, "1 min ago"),
            (7_200, "2 h ago"),
            (172_800, "2 d ago"),
        ] {
            assert_eq!(ago(now.plus_micros(-seconds * 1_000_000), now), expected);
        }
    }
}
