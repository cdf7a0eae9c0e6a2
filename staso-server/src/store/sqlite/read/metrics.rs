use std::collections::{BTreeMap, HashMap};

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
    // Of each value of the dimension: when its first and its last run started.
    let mut ends = HashMap::<i64, (Timestamp, Timestamp)>::new();
    let mut measures = BTreeMap::<(i64, Timestamp), Measures>::new();
    scan(connection, workspace, &query.filter, query.by, |fact| {
        let (first, last) = ends.entry(fact.key).or_insert((fact.started_at, fact.started_at));
        *last = fact.started_at;
        let start = match query.bucket {
            Some(width) => fact.started_at.floor(width),
            None => query.filter.range.since.unwrap_or(*first),
        };
        fact.add_to(measures.entry((fact.key, start)).or_default());
    })?;

    let mut buckets = HashMap::<i64, Vec<Bucket>>::new();
    for ((key, start), measures) in measures {
        buckets.entry(key).or_default().push(Bucket { start, measures });
    }
    let mut terms = Terms::new(connection)?;
    let mut series = Vec::with_capacity(ends.len());
    for (key, (_, last_at)) in ends {
        let buckets = buckets.remove(&key).unwrap_or_default();
        let mut total = Measures::default();
        buckets.iter().for_each(|bucket| total.add(&bucket.measures));
        series.push(Series { key: terms.text(key)?, last_at, total, buckets });
    }
    series.sort_unstable_by(|a, b| b.total.count.cmp(&a.total.count).then_with(|| a.key.cmp(&b.key)));
    Ok(Metrics { series })
}
