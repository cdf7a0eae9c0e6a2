use std::{
    cmp::Reverse,
    collections::{BTreeMap, HashMap},
};

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
    let mut found = HashMap::<i64, Found>::new();
    scan(connection, workspace, &query.filter, query.by, |key, fact| {
        let series = found.entry(key).or_insert_with(|| Found::new(fact.started_at));
        series.first_at = series.first_at.min(fact.started_at);
        series.last_at = series.last_at.max(fact.started_at);
        let start = query.bucket.map(|width| fact.started_at.floor(width));
        fact.add_to(series.buckets.entry(start).or_default());
    })?;

    let mut found: Vec<_> = found.into_iter().map(|(key, series)| (series.count(), key, series)).collect();
    found.sort_unstable_by_key(|(count, ..)| Reverse(*count));
    let omitted = found.len().saturating_sub(query.limit);
    // Of those that have as many runs as the last one that is wanted, their names decide.
    let least = query.limit.checked_sub(1).and_then(|last| found.get(last)).map_or(0, |(count, ..)| *count);
    found.retain(|(count, ..)| *count >= least);

    let mut terms = Terms::new(connection)?;
    let mut series = Vec::with_capacity(found.len());
    for (_, key, found) in found {
        series.push(found.into_series(terms.text(key)?, query.filter.range.since));
    }
    series.sort_unstable_by(|a, b| b.total.count.cmp(&a.total.count).then_with(|| a.key.cmp(&b.key)));
    series.truncate(query.limit);
    Ok(Metrics { series, omitted })
}

/// What was found for one value of the dimension.
struct Found {
    first_at: Timestamp,
    last_at: Timestamp,
    /// By where they begin; one without, where time is not divided.
    buckets: BTreeMap<Option<Timestamp>, Measures>,
}

impl Found {
    fn new(at: Timestamp) -> Self {
        Self { first_at: at, last_at: at, buckets: BTreeMap::new() }
    }

    fn count(&self) -> u64 {
        self.buckets.values().map(|measures| measures.count).sum()
    }

    fn into_series(self, key: String, since: Option<Timestamp>) -> Series {
        let mut total = Measures::default();
        self.buckets.values().for_each(|measures| total.add(measures));
        let whole = since.unwrap_or(self.first_at);
        let buckets = self
            .buckets
            .into_iter()
            .map(|(start, measures)| Bucket { start: start.unwrap_or(whole), measures })
            .collect();
        Series { key, last_at: self.last_at, total, buckets }
    }
}
