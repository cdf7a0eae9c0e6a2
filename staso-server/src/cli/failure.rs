use std::{fmt, io};

use super::signals::Signal;
use crate::{
    http::ApiError,
    pricing::PriceError,
    store::{OpenError, StoreError},
};

/// Why a command ends without having done what was asked.
#[derive(Debug)]
pub(super) enum Failure {
    /// What is wrong and what to do about it.
    Message(String),
    /// The same, for a mistake in the command line.
    Usage(String),
    /// Whoever read the output has seen enough.
    BrokenPipe,
    /// A signal ended it before it was done.
    Signal(Signal),
    /// The command that `staso dev` ran ended so.
    Command(u8),
    /// The command that `staso dev` was to run could not be started: what is wrong, and the code that shells
    /// give for it.
    NotStarted(String, u8),
}

impl Failure {
    pub(super) fn new(message: impl fmt::Display) -> Self {
        Self::Message(message.to_string())
    }

    /// What the process ends with.
    pub(super) fn exit_code(&self) -> u8 {
        match self {
            Self::Message(_) => 1,
            Self::Usage(_) => 2,
            Self::BrokenPipe => 0,
            Self::Signal(signal) => signal.exit_code(),
            Self::Command(code) | Self::NotStarted(_, code) => *code,
        }
    }

    /// What to tell the user; `None` where the user knows.
    pub(super) fn message(&self) -> Option<&str> {
        match self {
            Self::Message(message) | Self::Usage(message) | Self::NotStarted(message, _) => Some(message),
            Self::BrokenPipe | Self::Signal(_) | Self::Command(_) => None,
        }
    }
}

impl From<io::Error> for Failure {
    fn from(error: io::Error) -> Self {
        match error.kind() {
            io::ErrorKind::BrokenPipe => Self::BrokenPipe,
            _ => Self::new(error),
        }
    }
}

impl From<OpenError> for Failure {
    fn from(error: OpenError) -> Self {
        Self::new(error)
    }
}

impl From<StoreError> for Failure {
    fn from(error: StoreError) -> Self {
        Self::new(error)
    }
}

impl From<PriceError> for Failure {
    fn from(error: PriceError) -> Self {
        Self::new(error)
    }
}

impl From<getrandom::Error> for Failure {
    fn from(error: getrandom::Error) -> Self {
        Self::Message(format!("the system has no randomness to give: {error}"))
    }
}

/// What the API calls `min_duration` is `--min-duration` here.
impl From<ApiError> for Failure {
    fn from(error: ApiError) -> Self {
        let mut message = error.message().to_owned();
        for name in ["kind", "status", "since", "until", "min_duration", "sort", "limit", "failed"] {
            message = message.replace(&format!("`{name}`"), &format!("--{}", name.replace('_', "-")));
        }
        Self::Usage(message)
    }
}
