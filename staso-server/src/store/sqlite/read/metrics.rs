use std::{cmp::Reverse, collections::HashMap, time::Duration};

use rusqlite::Connection;

use super::{fact::scan, term::Terms};
use crate::{
    model::{Bucket, Measures, Metrics, MetricsQuery, Series, Timestamp, WorkspaceId},
    store::{StoreError, sqlite::fact::Fact},
};

/// Counts, latencies, tokens and costs.
pub(in super::super) fn metrics(
    connection: &Connection,
    workspace: WorkspaceId,
    query: &MetricsQuery,
) -> Result<Metrics, StoreError> {
    let mut found = HashMap::<i64, Found>::new();
    scan(connection, workspace, &query.filter, query.by, |key, fact| {
        found.entry(key).or_insert_with(|| Found::new(fact.started_at)).add(fact, query.bucket);
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
    /// In their order, each with where it begins; one without, where time is not divided.
    buckets: Vec<(Option<Timestamp>, Measures)>,
}

impl Found {
    fn new(at: Timestamp) -> Self {
        // There may be very many series, most of one bucket.
        Self { first_at: at, last_at: at, buckets: Vec::with_capacity(1) }
    }

    fn add(&mut self, fact: &Fact<'_>, width: Option<Duration>) {
        self.first_at = self.first_at.min(fact.started_at);
        self.last_at = self.last_at.max(fact.started_at);
        let start = width.map(|width| fact.started_at.floor(width));
        let place = self.buckets.partition_point(|(other, _)| *other < start);
        match self.buckets.get_mut(place).filter(|(other, _)| *other == start) {
            Some((_, measures)) => fact.add_to(measures),
            None => {
                let mut measures = Measures::default();
                fact.add_to(&mut measures);
                self.buckets.insert(place, (start, measures));
            }
        }
    }

    fn count(&self) -> u64 {
        self.buckets.iter().map(|(_, measures)| measures.count).sum()
    }

    fn into_series(self, key: String, since: Option<Timestamp>) -> Series {
        let whole = since.unwrap_or(self.first_at);
        let mut total = Measures::default();
        let mut buckets = Vec::with_capacity(self.buckets.len());
        for (start, measures) in self.buckets {
            total.add(&measures);
            buckets.push(Bucket { start: start.unwrap_or(whole), measures });
        }
        Series { key, last_at: self.last_at, total, buckets }
    }
}
