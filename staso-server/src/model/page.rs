use serde::{Deserialize, Serialize};

/// Where a page ended, as the engine that made it wrote it down. Opaque to everyone else.
///
/// Pages are found by key, not by offset: what arrives between two requests neither repeats nor skips an
/// item.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize, utoipa::ToSchema)]
#[serde(transparent)]
pub struct Cursor(pub(crate) String);

impl Cursor {
    /// Takes a text that [`as_str`](Self::as_str) gave; the engine checks it.
    #[must_use]
    pub fn new(text: impl Into<String>) -> Self {
        Self(text.into())
    }

    /// The text to put into a URL.
    #[must_use]
    pub fn as_str(&self) -> &str {
        &self.0
    }
}

/// How many items, and after which.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct PageRequest {
    /// At most so many items.
    pub limit: usize,
    /// Continue behind this place; from the start when absent.
    pub after: Option<Cursor>,
}

impl PageRequest {
    /// The first `limit` items.
    #[must_use]
    pub const fn first(limit: usize) -> Self {
        Self { limit, after: None }
    }
}

/// Some items in order, and where the next ones start.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, utoipa::ToSchema)]
pub struct Page<T> {
    /// The items.
    pub items: Vec<T>,
    /// What to pass as `cursor` for the next items; absent after the last.
    #[serde(rename = "next_cursor")]
    pub next: Option<Cursor>,
}
