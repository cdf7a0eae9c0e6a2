use std::fmt::{self, Display};

use serde::ser;

use super::super::{limits::Limits, text::display_text};

/// Longest message kept of an error.
const MESSAGE_BYTES: usize = 1024;

/// Why a value is not written in full. One word, since every call returns it.
#[derive(Debug)]
pub(super) struct Error(Box<Reason>);

#[derive(Debug)]
pub(super) enum Reason {
    /// The limit of bytes was reached; what is written up to there is good.
    Stopped,
    /// The limit of containers or of the stack was reached.
    TooDeep,
    /// The user's `Serialize` says so.
    Failed(String),
}

impl Error {
    #[cold]
    pub(super) fn stopped() -> Self {
        Self(Box::new(Reason::Stopped))
    }

    #[cold]
    pub(super) fn too_deep() -> Self {
        Self(Box::new(Reason::TooDeep))
    }

    pub(super) fn is_too_deep(&self) -> bool {
        matches!(*self.0, Reason::TooDeep)
    }

    pub(super) fn into_reason(self) -> Reason {
        *self.0
    }
}

impl ser::Error for Error {
    #[cold]
    fn custom<T: Display>(message: T) -> Self {
        let limits = Limits { bytes: MESSAGE_BYTES, ..Limits::default() };
        Self(Box::new(Reason::Failed(display_text(&message, &limits))))
    }
}

impl std::error::Error for Error {}

impl Display for Error {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(match &*self.0 {
            Reason::Stopped => "the value is larger than is captured",
            Reason::TooDeep => "the value is deeper than is captured",
            Reason::Failed(message) => message,
        })
    }
}
