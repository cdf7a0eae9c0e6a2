use std::fmt;

/// How a span ended.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Hash)]
#[non_exhaustive]
pub enum SpanStatus {
    /// It returned a value.
    #[default]
    Ok,
    /// It returned an error, panicked or was cancelled.
    Error,
    /// It ran out of time.
    Timeout,
}

impl SpanStatus {
    /// The wire form: `ok`, `error` or `timeout`.
    #[must_use]
    pub const fn as_str(self) -> &'static str {
        match self {
            Self::Ok => "ok",
            Self::Error => "error",
            Self::Timeout => "timeout",
        }
    }
}

impl fmt::Display for SpanStatus {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.pad(self.as_str())
    }
}
