use std::{fmt::Display, str::FromStr};

use super::{super::cursor::Place, StoreError};
use crate::model::{Page, PageRequest};

/// A page of items, the greatest place first.
pub(super) fn descending<K: Display + FromStr + Ord, T>(
    list: &str,
    mut items: Vec<(Place<K>, T)>,
    request: &PageRequest,
) -> Result<Page<T>, StoreError> {
    items.sort_by(|(a, _), (b, _)| (b.key, &b.tie).cmp(&(a.key, &a.tie)));
    if let Some(cursor) = &request.after {
        let after = Place::<K>::read(list, cursor)?;
        items.retain(|(place, _)| (place.key, &place.tie) < (after.key, &after.tie));
    }
    Ok(first(list, items, request.limit))
}

/// A page of items, the least place first.
pub(super) fn ascending<K: Display + FromStr + Ord, T>(
    list: &str,
    mut items: Vec<(Place<K>, T)>,
    request: &PageRequest,
) -> Result<Page<T>, StoreError> {
    items.sort_by(|(a, _), (b, _)| (a.key, &a.tie).cmp(&(b.key, &b.tie)));
    if let Some(cursor) = &request.after {
        let after = Place::<K>::read(list, cursor)?;
        items.retain(|(place, _)| (place.key, &place.tie) > (after.key, &after.tie));
    }
    Ok(first(list, items, request.limit))
}

fn first<K: Display + FromStr, T>(list: &str, mut items: Vec<(Place<K>, T)>, limit: usize) -> Page<T> {
    let more = items.len() > limit;
    items.truncate(limit);
    let next = items.last().filter(|_| more).map(|(place, _)| place.cursor(list));
    Page { items: items.into_iter().map(|(_, item)| item).collect(), next }
}
