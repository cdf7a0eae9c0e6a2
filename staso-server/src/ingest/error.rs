use axum::http::StatusCode;

use super::locate::locate;
use crate::http::ApiError;

/// Why a request cannot be read. Nothing of it is stored.
#[derive(Debug, PartialEq, Eq, thiserror::Error)]
#[non_exhaustive]
pub enum ParseError {
    /// It is not JSON.
    #[error("{path}: {message}")]
    Malformed {
        /// Where, such as `traces[0].spans[2].name`; `$` is the whole request.
        path: String,
        /// What the parser says, with line and column.
        message: String,
    },
    /// It is JSON, but not what is taken.
    #[error("{path}: {message}")]
    Invalid {
        /// Where, as above.
        path: String,
        /// What was expected.
        message: String,
    },
}

impl ParseError {
    pub(super) fn invalid(path: impl Into<String>, message: impl ToString) -> Self {
        Self::Invalid { path: path.into(), message: message.to_string() }
    }

    /// What the parser says of the whole of `json`.
    pub(super) fn of_json(error: &serde_json::Error, json: &str) -> Self {
        let path = locate(json, error);
        if error.is_data() {
            return Self::invalid(path, error);
        }
        Self::Malformed { path, message: error.to_string() }
    }

    /// The same, of something inside `outer`.
    pub(super) fn within(self, outer: &str) -> Self {
        let join = |path: String| match path.as_str() {
            "$" => outer.to_owned(),
            inner if inner.starts_with('[') => format!("{outer}{inner}"),
            inner => format!("{outer}.{inner}"),
        };
        match self {
            Self::Malformed { path, message } => Self::Malformed { path: join(path), message },
            Self::Invalid { path, message } => Self::Invalid { path: join(path), message },
        }
    }
}

impl From<ParseError> for ApiError {
    fn from(error: ParseError) -> Self {
        match error {
            ParseError::Malformed { path, message } => {
                Self::new(StatusCode::BAD_REQUEST, "malformed_json", message).at(path)
            }
            ParseError::Invalid { path, message } => {
                Self::new(StatusCode::UNPROCESSABLE_ENTITY, "invalid", message).at(path)
            }
        }
    }
}
