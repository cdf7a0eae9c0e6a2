use std::{fmt, str::FromStr, time::Duration};

use serde::{Deserialize, Deserializer, Serialize, Serializer, de};

/// A moment, in whole microseconds since 1970-01-01T00:00:00Z.
///
/// Its text is RFC 3339 in UTC with six decimals, such as `2026-01-02T03:04:05.000000Z`; texts with any
/// offset and any number of decimals are read.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct Timestamp(i64);

impl Timestamp {
    /// The moment so many microseconds after 1970.
    #[must_use]
    pub const fn from_micros(micros: i64) -> Self {
        Self(micros)
    }

    /// Microseconds since 1970.
    #[must_use]
    pub const fn as_micros(self) -> i64 {
        self.0
    }

    /// This moment by the system's clock.
    #[must_use]
    #[expect(clippy::disallowed_methods, reason = "the one place where the backend reads the wall clock")]
    pub fn now() -> Self {
        let since = std::time::SystemTime::now().duration_since(std::time::UNIX_EPOCH).unwrap_or_default();
        Self(i64::try_from(since.as_micros()).unwrap_or(i64::MAX))
    }

    /// The moment so much earlier; the earliest there is, when that is out of range.
    #[must_use]
    pub fn before(self, span: Duration) -> Self {
        Self(self.0.saturating_sub(i64::try_from(span.as_micros()).unwrap_or(i64::MAX)))
    }

    /// The start of the interval that it falls into, of those of this width that are aligned to 1970.
    #[must_use]
    pub fn floor(self, width: Duration) -> Self {
        let width = i64::try_from(width.as_micros()).unwrap_or(i64::MAX).max(1);
        Self(self.0.saturating_sub(self.0.rem_euclid(width)))
    }

    /// The moment so many microseconds later, within range.
    #[must_use]
    pub const fn plus_micros(self, micros: i64) -> Self {
        Self(self.0.saturating_add(micros))
    }
}

impl fmt::Display for Timestamp {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let nearest = if self.0 < 0 { jiff::Timestamp::MIN } else { jiff::Timestamp::MAX };
        write!(f, "{:.6}", jiff::Timestamp::from_microsecond(self.0).unwrap_or(nearest))
    }
}

impl FromStr for Timestamp {
    type Err = jiff::Error;

    fn from_str(text: &str) -> Result<Self, Self::Err> {
        let moment = match text.parse::<jiff::Timestamp>() {
            Ok(moment) => moment,
            // The parser knows nanoseconds and refuses what is finer.
            Err(error) => without_finer_decimals(text).ok_or(error)?.parse::<jiff::Timestamp>()?,
        };
        Ok(Self(moment.as_microsecond()))
    }
}

/// The text with nine decimals; `None` when it has no more.
fn without_finer_decimals(text: &str) -> Option<String> {
    let (whole, rest) = text.split_once('.')?;
    let end = rest.find(|char: char| !char.is_ascii_digit()).unwrap_or(rest.len());
    let (decimals, offset) = rest.split_at(end);
    Some(format!("{whole}.{}{offset}", decimals.get(..9).filter(|_| decimals.len() > 9)?))
}

impl Serialize for Timestamp {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        serializer.collect_str(self)
    }
}

impl<'de> Deserialize<'de> for Timestamp {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        String::deserialize(deserializer)?.parse().map_err(de::Error::custom)
    }
}

impl utoipa::PartialSchema for Timestamp {
    fn schema() -> utoipa::openapi::RefOr<utoipa::openapi::schema::Schema> {
        utoipa::openapi::ObjectBuilder::new()
            .schema_type(utoipa::openapi::schema::Type::String)
            .format(Some(utoipa::openapi::SchemaFormat::KnownFormat(utoipa::openapi::KnownFormat::DateTime)))
            .into()
    }
}

impl utoipa::ToSchema for Timestamp {}

/// The moments from `since` up to, not including, `until`; open where absent.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct TimeRange {
    /// The first moment in the range.
    pub since: Option<Timestamp>,
    /// The first moment after the range.
    pub until: Option<Timestamp>,
}

impl TimeRange {
    /// Whether the moment is in the range.
    #[must_use]
    pub fn contains(&self, moment: Timestamp) -> bool {
        self.since.is_none_or(|since| since <= moment) && self.until.is_none_or(|until| moment < until)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn any_offset_and_any_number_of_decimals_is_read() {
        for text in [
            "2026-01-02T03:04:05Z",
            "2026-01-02T03:04:05+00:00",
            "2026-01-02T05:04:05.000+02:00",
            "2026-01-02T03:04:05.000000000Z",
            "2026-01-02T03:04:05.000000000999999+00:00",
        ] {
            assert_eq!(
                text.parse::<Timestamp>().unwrap().to_string(),
                "2026-01-02T03:04:05.000000Z",
                "{text}"
            );
        }
    }

    #[test]
    fn what_is_no_moment_is_refused() {
        for text in
            ["", "now", "2026-01-02", "2026-01-02T03:04:05", "2026-01-02T03:04:05.", "2026-13-02T03:04:05Z"]
        {
            assert!(text.parse::<Timestamp>().is_err(), "{text}");
        }
    }

    #[test]
    fn an_interval_holds_its_start_before_1970_too() {
        let floor = |micros| Timestamp::from_micros(micros).floor(Duration::from_micros(10)).as_micros();
        assert_eq!([-11, -10, -1, 0, 9, 10].map(floor), [-20, -10, -10, 0, 0, 10]);
    }

    #[test]
    fn a_range_holds_its_start_and_not_its_end() {
        let at = Timestamp::from_micros;
        let range = TimeRange { since: Some(at(10)), until: Some(at(20)) };
        assert_eq!([9, 10, 19, 20].map(|micros| range.contains(at(micros))), [false, true, true, false]);
    }
}
