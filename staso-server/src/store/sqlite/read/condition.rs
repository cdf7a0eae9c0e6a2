use rusqlite::Connection;

use super::term;
use crate::{
    model::{SILENCE, StatusFilter, TimeRange, Timestamp, TraceFilter, TraceStatus, WorkspaceId},
    store::{
        StoreError,
        sqlite::number::{Dimension, kind_number, status_filter_number},
    },
};

/// Fewer than this are looked at one by one rather than met on the way through a list on which they may be
/// rare. In tests, worlds are small and take both ways.
pub(super) const FEW: u64 = if cfg!(test) { 1 } else { 8_000 };

/// Which traces of a workspace, in the numbers of the engine.
#[derive(Clone, Debug)]
pub(super) struct Conditions {
    pub(super) workspace: i64,
    /// All of these must be among the trace's values; that of the fewest traces first.
    pub(super) facets: Vec<Facet>,
    pub(super) started: Bounds,
    /// In microseconds.
    pub(super) min_duration: Option<i64>,
    /// When something of it arrived last.
    pub(super) updated: Option<Bounds>,
}

/// A value that a trace must have.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) struct Facet {
    pub(super) dimension: Dimension,
    pub(super) value: i64,
    /// How many traces have it.
    pub(super) traces: u64,
}

/// From the first moment up to, not including, the second.
#[derive(Clone, Copy, Debug)]
pub(super) struct Bounds {
    pub(super) since: i64,
    pub(super) until: i64,
}

impl Bounds {
    pub(super) fn is_open(self) -> bool {
        self.since == i64::MIN && self.until == i64::MAX
    }

    pub(super) fn contains(self, micros: i64) -> bool {
        (self.since..self.until).contains(&micros)
    }
}

impl From<TimeRange> for Bounds {
    fn from(range: TimeRange) -> Self {
        Self {
            since: range.since.map_or(i64::MIN, |since| since.as_micros()),
            until: range.until.map_or(i64::MAX, |until| until.as_micros()),
        }
    }
}

impl Conditions {
    /// Every trace of the workspace.
    pub(super) fn all(workspace: WorkspaceId) -> Self {
        Self {
            workspace: workspace.0,
            facets: Vec::new(),
            started: TimeRange::default().into(),
            min_duration: None,
            updated: None,
        }
    }

    /// All conditions but the text. `None` when no trace can match, as one of the values occurs nowhere.
    pub(super) fn of(
        connection: &Connection,
        workspace: WorkspaceId,
        filter: &TraceFilter,
    ) -> Result<Option<Self>, StoreError> {
        let mut conditions = Self::all(workspace);
        conditions.started = filter.range.into();
        conditions.min_duration =
            filter.min_duration_micros.map(|micros| i64::try_from(micros).unwrap_or(i64::MAX));
        let silent = Some(Timestamp::now().before(SILENCE));
        conditions.updated = match filter.status {
            Some(StatusFilter::Is(TraceStatus::Running)) => {
                Some(TimeRange { since: silent, until: None }.into())
            }
            Some(StatusFilter::Is(TraceStatus::Unfinished)) => {
                Some(TimeRange { since: None, until: silent }.into())
            }
            _ => None,
        };
        let texts = [
            (Dimension::Environment, &filter.environment),
            (Dimension::Agent, &filter.agent),
            (Dimension::Conversation, &filter.conversation),
            (Dimension::User, &filter.user),
            (Dimension::Model, &filter.model),
            (Dimension::Tag, &filter.tag),
        ];
        let numbers = [
            (Dimension::Kind, filter.kind.map(|kind| kind_number(kind).into())),
            (Dimension::Status, filter.status.map(status_filter_number)),
        ];
        let mut possible = true;
        for (dimension, text) in texts {
            possible &= conditions.require_text(connection, dimension, text.as_deref())?;
        }
        for (dimension, number) in numbers {
            possible &= match number {
                Some(number) => conditions.require(connection, dimension, number)?,
                None => true,
            };
        }
        Ok(possible.then_some(conditions))
    }

    /// Adds the condition that the trace has this value; none, if absent. Whether any trace does.
    pub(super) fn require_text(
        &mut self,
        connection: &Connection,
        dimension: Dimension,
        text: Option<&str>,
    ) -> Result<bool, StoreError> {
        let Some(text) = text else { return Ok(true) };
        match term::number(connection, text)? {
            Some(value) => self.require(connection, dimension, value),
            None => Ok(false),
        }
    }

    /// Adds the condition that the trace has this value. Whether any trace does.
    pub(super) fn require(
        &mut self,
        connection: &Connection,
        dimension: Dimension,
        value: i64,
    ) -> Result<bool, StoreError> {
        let traces = traces_with(connection, self.workspace, dimension, value)?;
        let facet = Facet { dimension, value, traces };
        let place = self.facets.partition_point(|other| other.traces <= traces);
        self.facets.insert(place, facet);
        Ok(traces > 0)
    }
}

fn traces_with(
    connection: &Connection,
    workspace: i64,
    dimension: Dimension,
    value: i64,
) -> Result<u64, StoreError> {
    let mut statement = connection.prepare_cached(
        "SELECT coalesce(sum(traces), 0) FROM facet_value WHERE workspace = ?1 AND dimension = ?2 AND value = ?3",
    )?;
    Ok(statement.query_row((workspace, dimension as i64, value), |row| row.get(0))?)
}
