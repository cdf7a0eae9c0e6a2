use std::{fmt::Display, str::FromStr};

use super::StoreError;
use crate::model::{Cursor, Timestamp, TraceSort};

/// Where a page of a list ended: the key that the list is sorted by, and what tells items with the same key
/// apart.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) struct Place<T> {
    pub(super) key: i64,
    pub(super) tie: T,
}

impl<T: Display + FromStr> Place<T> {
    /// The cursor for it. `list` keeps lists apart that are sorted by different keys.
    pub(super) fn cursor(&self, list: &str) -> Cursor {
        Cursor::new(format!("{list}.{}.{}", self.key, self.tie))
    }

    /// Reads a cursor of this list.
    ///
    /// # Errors
    ///
    /// [`StoreError::BadCursor`].
    pub(super) fn read(list: &str, cursor: &Cursor) -> Result<Self, StoreError> {
        let mut parts = cursor.as_str().splitn(3, '.');
        let mut next = || parts.next().ok_or(StoreError::BadCursor);
        if next()? != list {
            return Err(StoreError::BadCursor);
        }
        let key = next()?.parse().map_err(|_| StoreError::BadCursor)?;
        let tie = next()?.parse().map_err(|_| StoreError::BadCursor)?;
        Ok(Self { key, tie })
    }
}

/// The cursor for the turns of a conversation that began at a moment or later.
#[must_use]
pub fn turns_from(moment: Timestamp) -> Cursor {
    Place { key: moment.as_micros().saturating_sub(1), tie: i64::MAX }.cursor("turns")
}

/// What cursors of traces in this order begin with.
pub(super) fn traces_list(sort: TraceSort) -> &'static str {
    match sort {
        TraceSort::Newest => "newest",
        TraceSort::Slowest => "slowest",
        TraceSort::Costliest => "costliest",
        TraceSort::MostTokens => "tokens",
    }
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    proptest! {
        #[test]
        fn a_cursor_is_read_back(key: i64, tie: String) {
            let place = Place { key, tie };
            prop_assert_eq!(Place::read("slowest", &place.cursor("slowest")).unwrap(), place);
        }

        #[test]
        fn any_other_text_is_refused(text: String) {
            prop_assert!(matches!(Place::<i64>::read("newest", &Cursor::new(text)), Err(StoreError::BadCursor)));
        }
    }

    #[test]
    fn a_cursor_of_another_list_is_refused() {
        let cursor = Place { key: 1, tie: 2 }.cursor("slowest");
        assert!(matches!(Place::<i64>::read("newest", &cursor), Err(StoreError::BadCursor)));
    }
}
