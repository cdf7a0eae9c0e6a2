use std::{cmp::Reverse, collections::HashMap};

use rusqlite::Connection;

use super::{fact::scan, term::Terms};
use crate::{
    model::{Bucket, Measures, Metrics, MetricsQuery, Series, Timestamp, WorkspaceId},
    store::StoreError,
};

/// Counts, latencies, tokens and costs.
pub(in super::super) fn metrics(
    connection: &Connection,
    workspace: WorkspaceId,
    query: &MetricsQuery,
) -> Result<Metrics, StoreError> {
    let mut found = HashMap::<i64, (Timestamp, Vec<Bucket>)>::new();
    scan(connection, workspace, &query.filter, query.by, |fact| {
        let (last_at, buckets) = found.entry(fact.key).or_default();
        *last_at = fact.started_at;
        // Facts come in the order of time: each belongs into the last bucket of its series, or into a new one.
        let start = match query.bucket {
            Some(width) => fact.started_at.floor(width),
            None => buckets
                .first()
                .map_or(query.filter.range.since.unwrap_or(fact.started_at), |first| first.start),
        };
        match buckets.last_mut().filter(|last| last.start == start) {
            Some(last) => fact.add_to(&mut last.measures),
            None => {
                let mut measures = Measures::default();
                fact.add_to(&mut measures);
                buckets.push(Bucket { start, measures });
            }
        }
    })?;

    let count = |buckets: &[Bucket]| buckets.iter().map(|bucket| bucket.measures.count).sum::<u64>();
    let mut found: Vec<_> =
        found.into_iter().map(|(key, (last_at, buckets))| (count(&buckets), key, last_at, buckets)).collect();
    found.sort_unstable_by_key(|(count, ..)| Reverse(*count));
    let omitted = found.len().saturating_sub(query.limit);
    // Of those that have as many runs as the last one that is wanted, their names decide.
    let least = query.limit.checked_sub(1).and_then(|last| found.get(last)).map_or(0, |(count, ..)| *count);
    found.retain(|(count, ..)| *count >= least);

    let mut terms = Terms::new(connection)?;
    let mut series = Vec::with_capacity(found.len());
    for (_, key, last_at, buckets) in found {
        let mut total = Measures::default();
        buckets.iter().for_each(|bucket| total.add(&bucket.measures));
        series.push(Series { key: terms.text(key)?, last_at, total, buckets });
    }
    series.sort_unstable_by(|a, b| b.total.count.cmp(&a.total.count).then_with(|| a.key.cmp(&b.key)));
    series.truncate(query.limit);
    Ok(Metrics { series, omitted })
}
