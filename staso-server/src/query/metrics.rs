use std::time::Duration;

use serde::Deserialize;
use utoipa::IntoParams;

use super::{duration, given, limit, name, one_of, range};
use crate::{
    http::ApiError,
    model::{Dimension, MetricsFilter, MetricsQuery, TimeRange, Timestamp},
};

/// More points than that are no chart.
const MOST_BUCKETS: u128 = 10_000;

/// Which metrics.
#[derive(Clone, Debug, Default, Deserialize, IntoParams)]
#[serde(deny_unknown_fields)]
#[into_params(parameter_in = Query)]
pub struct MetricsParameters {
    /// The workspace's slug; by default that of the key, else `default`.
    pub workspace: Option<String>,
    /// In this environment.
    pub environment: Option<String>,
    /// Of this agent.
    pub agent: Option<String>,
    /// For this end user.
    pub user: Option<String>,
    /// Of this model.
    pub model: Option<String>,
    /// Started at this time or later: RFC 3339, or before now such as `24h`, or `all`.
    pub since: Option<String>,
    /// Started before this time: as for `since`.
    pub until: Option<String>,
    /// One series per `agent`, `environment`, `model` or `user`; else one over whole traces.
    pub by: Option<String>,
    /// The width of the buckets over time, such as `5m` or `1h`; else one over the whole range. At least a
    /// second; an hour for a range without `since`.
    pub bucket: Option<String>,
    /// At most so many series, those with the most runs: 1 to 1000, by default 100.
    pub limit: Option<String>,
}

impl MetricsParameters {
    /// Of which runs or calls.
    ///
    /// # Errors
    ///
    /// 400 that names the parameter and what it may be.
    pub fn filter(&self, now: Timestamp) -> Result<MetricsFilter, ApiError> {
        Ok(MetricsFilter {
            environment: name(&self.environment),
            agent: name(&self.agent),
            user: name(&self.user),
            model: name(&self.model),
            range: range(&self.since, &self.until, now)?,
        })
    }

    /// Which metrics.
    ///
    /// # Errors
    ///
    /// 400 that names the parameter and what it may be.
    pub fn query(&self, now: Timestamp) -> Result<MetricsQuery, ApiError> {
        let filter = self.filter(now)?;
        let bucket = given(&self.bucket).map(|text| duration("bucket", text)).transpose()?;
        if let Some(bucket) = bucket {
            check_bucket(bucket, filter.range, now)?;
        }
        let dimensions = [
            ("agent", Dimension::Agent),
            ("environment", Dimension::Environment),
            ("model", Dimension::Model),
            ("user", Dimension::User),
        ];
        Ok(MetricsQuery {
            filter,
            by: one_of("by", &self.by, dimensions)?,
            bucket,
            limit: limit(&self.limit, 100, 1_000)?,
        })
    }
}

fn check_bucket(bucket: Duration, range: TimeRange, now: Timestamp) -> Result<(), ApiError> {
    let least = match range.since {
        None => Duration::from_secs(3_600),
        Some(since) => {
            let until = range.until.unwrap_or(now);
            let micros = u64::try_from(until.as_micros().saturating_sub(since.as_micros())).unwrap_or(0);
            let least = u64::try_from(u128::from(micros).div_ceil(MOST_BUCKETS)).unwrap_or(u64::MAX);
            Duration::from_micros(least).max(Duration::from_secs(1))
        }
    };
    if bucket >= least {
        return Ok(());
    }
    let least = least.as_secs() + u64::from(least.subsec_nanos() > 0);
    Err(ApiError::bad_parameter("bucket", format!("`bucket` must be at least {least}s for this range")))
}

/// Which runs of agents.
#[derive(Clone, Debug, Default, Deserialize, IntoParams)]
#[serde(deny_unknown_fields)]
#[into_params(parameter_in = Query)]
pub struct AgentParameters {
    /// The workspace's slug; by default that of the key, else `default`.
    pub workspace: Option<String>,
    /// In this environment.
    pub environment: Option<String>,
    /// For this end user.
    pub user: Option<String>,
    /// Started at this time or later: RFC 3339, or before now such as `24h`, or `all`.
    pub since: Option<String>,
    /// Started before this time: as for `since`.
    pub until: Option<String>,
}

impl AgentParameters {
    /// Of which runs.
    ///
    /// # Errors
    ///
    /// 400 that names the parameter and what it may be.
    pub fn filter(&self, now: Timestamp) -> Result<MetricsFilter, ApiError> {
        Ok(MetricsFilter {
            environment: name(&self.environment),
            agent: None,
            user: name(&self.user),
            model: None,
            range: range(&self.since, &self.until, now)?,
        })
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn buckets_are_not_so_narrow_that_there_are_too_many() {
        let now = Timestamp::from_micros(1_700_000_000_000_000);
        let check = |since: &str, bucket: &str| {
            let since = Some(since.to_owned());
            let parameters =
                MetricsParameters { since, bucket: Some(bucket.to_owned()), ..Default::default() };
            parameters.query(now).map(|_| ()).map_err(|error| error.message().to_owned())
        };
        assert_eq!(check("1h", "1s"), Ok(()));
        assert_eq!(check("7d", "1m"), Err("`bucket` must be at least 61s for this range".to_owned()));
        assert_eq!(check("7d", "61s"), Ok(()));
        assert_eq!(check("all", "5m"), Err("`bucket` must be at least 3600s for this range".to_owned()));
        assert_eq!(check("1h", "0s"), Err("`bucket` must be at least 1s for this range".to_owned()));
    }
}
