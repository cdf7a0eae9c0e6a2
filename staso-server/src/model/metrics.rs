use std::time::Duration;

use serde::{Deserialize, Serialize};

use super::{AgentRun, Cost, Histogram, MetricsFilter, ModelUse, Timestamp, Tokens, TraceState, add_counts};

/// What metrics are told apart by.
///
/// Metrics are of *calls*, the spans that called a model, when told apart by model; else of *runs*, at most one per agent
/// and trace, when told apart or filtered by agent; else of whole traces. A filter by model keeps the runs or traces that
/// called it, with the tokens and the cost of these calls.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, Serialize, Deserialize, utoipa::ToSchema)]
#[serde(rename_all = "lowercase")]
pub enum Dimension {
    /// The agent.
    Agent,
    /// The environment.
    Environment,
    /// The model that answered.
    Model,
    /// The end user.
    User,
}

/// Which metrics.
#[derive(Clone, Debug, PartialEq)]
pub struct MetricsQuery {
    /// Of which runs or calls.
    pub filter: MetricsFilter,
    /// Told apart by this; one series over whole traces when absent.
    pub by: Option<Dimension>,
    /// The width of the buckets of time, aligned to 1970; one bucket when absent.
    pub bucket: Option<Duration>,
    /// At most so many series, those with the most runs.
    pub limit: usize,
}

/// One series per value of the dimension, that with the most runs first.
#[derive(Clone, Debug, PartialEq, Serialize, utoipa::ToSchema)]
pub struct Metrics {
    /// The series.
    pub series: Vec<Series>,
    /// How many more series there are than the query asked for.
    pub omitted: usize,
}

/// Metrics of one agent, environment, model or user, or of everything.
#[derive(Clone, Debug, PartialEq, Serialize, utoipa::ToSchema)]
pub struct Series {
    /// The value of the dimension; empty for everything.
    pub key: String,
    /// When the last run or call in the range started.
    pub last_at: Timestamp,
    /// Over the whole range.
    pub total: Measures,
    /// Over time, the earliest first; buckets without a run are left out.
    pub buckets: Vec<Bucket>,
}

/// Metrics of a span of time.
#[derive(Clone, Debug, PartialEq, Serialize, utoipa::ToSchema)]
pub struct Bucket {
    /// Where it begins.
    pub start: Timestamp,
    /// What happened in it.
    #[serde(flatten)]
    pub measures: Measures,
}

/// What is counted.
#[derive(Clone, Debug, Default, PartialEq)]
pub struct Measures {
    /// Traces, runs or calls: see [`Dimension`].
    pub count: u64,
    /// How many failed.
    pub errors: u64,
    /// How long they took, those that ended.
    pub latency: Histogram,
    /// What they used.
    pub tokens: Tokens,
    /// What they cost.
    pub cost: Cost,
}

impl Measures {
    /// Whether nothing was counted at all.
    #[must_use]
    pub fn is_empty(&self) -> bool {
        *self == Self::default()
    }

    /// Failed ones among all, from 0 to 1; 0 when there are none.
    #[must_use]
    #[expect(clippy::cast_precision_loss, reason = "a ratio that people read")]
    pub fn error_rate(&self) -> f64 {
        if self.count == 0 { 0.0 } else { self.errors as f64 / self.count as f64 }
    }

    /// Keeps what was counted, with what these calls used and cost in place of everything.
    pub fn narrow_to<'a>(&mut self, calls: impl IntoIterator<Item = &'a Self>) {
        (self.tokens, self.cost) = (Tokens::default(), Cost::default());
        for call in calls {
            self.tokens += call.tokens;
            self.cost += call.cost;
        }
    }

    /// Adds what another span of time or agent counted.
    pub fn add(&mut self, other: &Self) {
        self.count = add_counts(self.count, other.count);
        self.errors = add_counts(self.errors, other.errors);
        self.latency.add(&other.latency);
        self.tokens += other.tokens;
        self.cost += other.cost;
    }
}

/// A trace.
impl From<&TraceState> for Measures {
    fn from(state: &TraceState) -> Self {
        let ended = state.status.has_ended();
        Self {
            count: 1,
            errors: state.status.is_failure().into(),
            latency: ended.then_some(state.duration_micros).into_iter().collect(),
            tokens: state.tokens,
            cost: state.cost,
        }
    }
}

/// What an agent did in a trace.
impl From<&AgentRun> for Measures {
    fn from(run: &AgentRun) -> Self {
        Self {
            count: run.ran.into(),
            errors: run.failed.into(),
            latency: run.duration_micros.into_iter().collect(),
            tokens: run.tokens,
            cost: run.cost,
        }
    }
}

/// Each call of a model by an agent in a trace.
impl From<&ModelUse> for Measures {
    fn from(usage: &ModelUse) -> Self {
        Self {
            count: usage.durations_micros.len() as u64,
            errors: usage.errors,
            latency: usage.durations_micros.iter().copied().collect(),
            tokens: usage.tokens,
            cost: usage.cost,
        }
    }
}

/// Metrics as JSON, with the quantiles of the latency, at most 1.6 % off, in place of its histogram.
#[derive(Serialize, utoipa::ToSchema)]
#[schema(as = Measures)]
struct MeasuresDocument {
    /// Traces, runs or calls: see [`Dimension`].
    count: u64,
    /// How many failed.
    errors: u64,
    /// Failed ones among all, from 0 to 1.
    error_rate: f64,
    /// Half of those that ended took at most so many microseconds.
    p50_micros: Option<u64>,
    /// 95 of 100 took at most so many microseconds.
    p95_micros: Option<u64>,
    /// 99 of 100 took at most so many microseconds.
    p99_micros: Option<u64>,
    /// What they used.
    tokens: Tokens,
    /// What they cost.
    cost: Cost,
}

impl Serialize for Measures {
    fn serialize<S: serde::Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        MeasuresDocument {
            count: self.count,
            errors: self.errors,
            error_rate: self.error_rate(),
            p50_micros: self.latency.quantile(0.50),
            p95_micros: self.latency.quantile(0.95),
            p99_micros: self.latency.quantile(0.99),
            tokens: self.tokens,
            cost: self.cost,
        }
        .serialize(serializer)
    }
}

impl utoipa::PartialSchema for Measures {
    fn schema() -> utoipa::openapi::RefOr<utoipa::openapi::schema::Schema> {
        MeasuresDocument::schema()
    }
}

impl utoipa::ToSchema for Measures {}

/// An end user in a list.
#[derive(Clone, Debug, PartialEq, Serialize, utoipa::ToSchema)]
pub struct UserSummary {
    /// As the sender wrote it.
    pub user_id: String,
    /// When the user's last run in the range started.
    pub last_at: Timestamp,
    /// Over the user's traces in the range.
    #[serde(flatten)]
    pub measures: Measures,
}
