use rusqlite::Connection;

use super::{condition::Conditions, summary, term::Terms, text::TextMatch, walk::Walk};
use crate::{
    model::{Page, PageRequest, TraceFilter, TraceSort, TraceSummary, WorkspaceId},
    store::{
        StoreError,
        cursor::{Place, traces_list},
        sqlite::until::Until,
        text::TextQuery,
    },
};

/// The traces that match, in order.
pub(in super::super) fn traces(
    connection: &Connection,
    until: &Until,
    workspace: WorkspaceId,
    filter: &TraceFilter,
    sort: TraceSort,
    page: &PageRequest,
) -> Result<Page<TraceSummary>, StoreError> {
    let after = page.after.as_ref().map(|cursor| Place::read(traces_list(sort), cursor)).transpose()?;
    let Some(conditions) = Conditions::of(connection, workspace, filter)? else {
        return Ok(Page { items: Vec::new(), next: None });
    };
    let query = match &filter.text {
        Some(text) => match TextQuery::parse(text, filter.text_in) {
            // Nothing contains nothing to search for.
            None => return Ok(Page { items: Vec::new(), next: None }),
            query => query,
        },
        None => None,
    };
    let text = query.map(|query| TextMatch::new(connection, until, conditions.workspace, query));
    let mut text = text.transpose()?;
    let among = text.as_ref().and_then(TextMatch::few);
    let walk = Walk::new(connection, &conditions, sort, after.as_ref(), among.as_deref())?;

    let mut found: Vec<Place<i64>> = Vec::new();
    let mut more = false;
    walk.run(connection, |place| {
        if let Some(text) = &mut text
            && !text.contains(connection, place.tie)?
        {
            return Ok(true);
        }
        more = found.len() == page.limit;
        if !more {
            found.push(place);
        }
        Ok(!more)
    })?;

    let mut terms = Terms::new(connection)?;
    let items = found
        .iter()
        .map(|place| summary::of_trace(connection, &mut terms, place.tie))
        .collect::<Result<_, _>>()?;
    let next = found.last().filter(|_| more).map(|place| place.cursor(traces_list(sort)));
    Ok(Page { items, next })
}
