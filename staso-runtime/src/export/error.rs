use std::{error::Error, fmt, time::Duration};

/// Why spans were not delivered.
///
/// [`as_str`](Self::as_str) gives the names that the delivery reports of every Staso SDK use.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
#[non_exhaustive]
pub enum FailureKind {
    /// Recording is off: not initialised, switched off, or already shut down.
    Disabled,
    /// The span ended after the client was shut down.
    Shutdown,
    /// The queue held as many spans or bytes as it may.
    QueueFull,
    /// The backend does not know the API key.
    InvalidKey,
    /// The organization's plan has ended.
    PlanExpired,
    /// The API key may not write here.
    Forbidden,
    /// The backend asks for fewer requests.
    RateLimited,
    /// The backend refused the request, or its answer is not a complete acknowledgement.
    MalformedResponse,
    /// The backend had an error of its own.
    BackendUnavailable,
    /// No connection to the backend, or it broke.
    NetworkUnavailable,
    /// No answer before the deadline.
    Timeout,
    /// A file could not be written.
    Io,
    /// An exporter panicked, or one of your own failed.
    Exporter,
    /// The sender thread could not be started or stopped working.
    SenderUnavailable,
}

impl FailureKind {
    /// The name in delivery reports, such as `queue_full`.
    #[must_use]
    pub const fn as_str(self) -> &'static str {
        match self {
            Self::Disabled => "disabled",
            Self::Shutdown => "shutdown",
            Self::QueueFull => "queue_full",
            Self::InvalidKey => "invalid_key",
            Self::PlanExpired => "plan_expired",
            Self::Forbidden => "forbidden",
            Self::RateLimited => "rate_limited",
            Self::MalformedResponse => "malformed_response",
            Self::BackendUnavailable => "backend_unavailable",
            Self::NetworkUnavailable => "network_unavailable",
            Self::Timeout => "timeout",
            Self::Io => "io",
            Self::Exporter => "exporter",
            Self::SenderUnavailable => "sender_unavailable",
        }
    }

    /// Whether sending the same spans again later could succeed without a change of configuration.
    #[must_use]
    pub const fn is_retryable(self) -> bool {
        matches!(
            self,
            Self::QueueFull
                | Self::RateLimited
                | Self::BackendUnavailable
                | Self::NetworkUnavailable
                | Self::Timeout
                | Self::Io
                | Self::SenderUnavailable
        )
    }
}

impl fmt::Display for FailureKind {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.pad(self.as_str())
    }
}

/// Whether the sender tries the same batch again.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub enum Retry {
    /// The batch is lost.
    Never,
    /// After the sender's own waits: 0.5 s, then 1.0 s, each up to a fifth longer.
    Backoff,
    /// After exactly this wait.
    After(Duration),
    /// At once, in two halves, each a batch of its own with a new key: the batch is too large. One span
    /// alone is lost.
    Split,
}

/// What an exporter says of a batch that it could not deliver.
///
/// ```
/// use staso::export::{ExportError, FailureKind, Retry};
///
/// let error = ExportError::new(FailureKind::NetworkUnavailable, "connection refused").retry(Retry::Backoff);
/// assert_eq!(error.to_string(), "network_unavailable: connection refused");
/// ```
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct ExportError {
    kind: FailureKind,
    retry: Retry,
    message: String,
}

impl ExportError {
    /// A failure that is not tried again. The message must hold no secret: it is logged.
    #[must_use]
    pub fn new(kind: FailureKind, message: impl Into<String>) -> Self {
        Self { kind, retry: Retry::Never, message: message.into() }
    }

    /// The same failure, with another try.
    #[must_use]
    pub fn retry(mut self, retry: Retry) -> Self {
        self.retry = retry;
        self
    }

    /// Its kind, for the delivery report.
    #[must_use]
    pub fn kind(&self) -> FailureKind {
        self.kind
    }

    /// Whether and when the batch is tried again.
    #[must_use]
    pub fn retry_advice(&self) -> Retry {
        self.retry
    }

    /// What happened and what to do.
    #[must_use]
    pub fn message(&self) -> &str {
        &self.message
    }
}

impl fmt::Display for ExportError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{}: {}", self.kind, self.message)
    }
}

impl Error for ExportError {}
