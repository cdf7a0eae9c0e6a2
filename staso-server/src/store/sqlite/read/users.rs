use std::cmp::Reverse;

use rusqlite::Connection;

use super::{
    fact::{ByValue, scan},
    term::Terms,
};
use crate::{
    model::{Dimension, Measures, MetricsFilter, Page, PageRequest, Timestamp, UserSummary, WorkspaceId},
    store::{StoreError, cursor::Place},
};

/// What cursors of users begin with.
const LIST: &str = "users";

/// The end users with runs that match, the last active first.
pub(in super::super) fn users(
    connection: &Connection,
    workspace: WorkspaceId,
    filter: &MetricsFilter,
    page: &PageRequest,
) -> Result<Page<UserSummary>, StoreError> {
    let after = page.after.as_ref().map(|cursor| Place::<i64>::read(LIST, cursor)).transpose()?;
    let mut active = ByValue::<Timestamp>::default();
    scan(connection, workspace, filter, Some(Dimension::User), |user, fact| {
        let last_at = active.entry(user).or_insert(fact.started_at());
        *last_at = fact.started_at().max(*last_at);
    })?;
    let mut users: Vec<(Timestamp, i64)> =
        active.into_iter().map(|(user, last_at)| (last_at, user)).collect();
    if let Some(after) = after {
        users.retain(|(last_at, user)| (last_at.as_micros(), *user) < (after.key, after.tie));
    }
    users.sort_unstable_by_key(|user| Reverse(*user));
    let more = users.len() > page.limit;
    users.truncate(page.limit);
    let last = users.last().filter(|_| more);
    let next = last.map(|(last_at, user)| Place { key: last_at.as_micros(), tie: *user }.cursor(LIST));

    // Only those that are shown: what is found of very many would not fit into the processor's caches.
    let mut measured: ByValue<Measures> =
        users.iter().map(|(_, user)| (*user, Measures::default())).collect();
    scan(connection, workspace, filter, Some(Dimension::User), |user, fact| {
        if let Some(measures) = measured.get_mut(&user) {
            fact.add_to(measures);
        }
    })?;
    let mut terms = Terms::new(connection)?;
    let items = users
        .into_iter()
        .map(|(last_at, user)| {
            let measures = measured.remove(&user).unwrap_or_default();
            Ok(UserSummary { user_id: terms.text(user)?, last_at, measures })
        })
        .collect::<Result<_, StoreError>>()?;
    Ok(Page { items, next })
}
