use std::{cmp::Reverse, time::Duration};

use rusqlite::Connection;

use super::{
    fact::{ByValue, Counted, scan},
    term::Terms,
};
use crate::{
    model::{Bucket, Dimension, Measures, Metrics, MetricsQuery, Series, Timestamp, WorkspaceId, add_counts},
    store::StoreError,
};

/// Counts, latencies, tokens and costs.
pub(in super::super) fn metrics(
    connection: &Connection,
    workspace: WorkspaceId,
    query: &MetricsQuery,
) -> Result<Metrics, StoreError> {
    // What is found of very many users would not fit into the processor's caches; other values are few.
    let counts = match query.by {
        Some(Dimension::User) => Some(counts(connection, workspace, query)?),
        _ => None,
    };
    let least = counts.as_ref().map_or(0, |counts| least_shown(counts.values().copied(), query.limit));
    let is_shown =
        |key| counts.as_ref().is_none_or(|counts| counts.get(&key).is_some_and(|count| *count >= least));

    let mut found = ByValue::<Found>::default();
    scan(connection, workspace, &query.filter, query.by, |key, fact| {
        if is_shown(key) {
            found.entry(key).or_insert_with(|| Found::new(fact.started_at())).add(fact, query.bucket);
        }
    })?;
    let omitted = counts.as_ref().map_or(found.len(), ByValue::len).saturating_sub(query.limit);
    let least = least_shown(found.values().map(Found::count), query.limit);

    let mut terms = Terms::new(connection)?;
    let mut series = Vec::new();
    for (key, found) in found.into_iter().filter(|(_, found)| found.count() >= least) {
        series.push(found.into_series(terms.text(key)?, query.filter.range.since));
    }
    series.sort_unstable_by(|a, b| b.total.count.cmp(&a.total.count).then_with(|| a.key.cmp(&b.key)));
    series.truncate(query.limit);
    Ok(Metrics { series, omitted })
}

fn counts(
    connection: &Connection,
    workspace: WorkspaceId,
    query: &MetricsQuery,
) -> Result<ByValue<u64>, StoreError> {
    let mut counts = ByValue::default();
    scan(connection, workspace, &query.filter, query.by, |key, fact| {
        let count = counts.entry(key).or_default();
        *count = add_counts(*count, fact.count());
    })?;
    Ok(counts)
}

/// The least count that is among the greatest. Of the keys that have just this many, their names decide.
fn least_shown(counts: impl Iterator<Item = u64>, limit: usize) -> u64 {
    let mut counts: Vec<u64> = counts.collect();
    counts.sort_unstable_by_key(|count| Reverse(*count));
    limit.checked_sub(1).and_then(|last| counts.get(last)).copied().unwrap_or_default()
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
        Self { first_at: at, last_at: at, buckets: Vec::new() }
    }

    fn add(&mut self, fact: &Counted<'_>, width: Option<Duration>) {
        self.first_at = self.first_at.min(fact.started_at());
        self.last_at = self.last_at.max(fact.started_at());
        let start = width.map(|width| fact.started_at().floor(width));
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
