use std::sync::Arc;

use rusqlite::{Connection, Row, types::ValueRef};
use serde_json::value::RawValue;

use super::{annotation, record::Blocks, summary, term::Terms};
use crate::{
    model::{Page, PageRequest, SpanId, SpanRow, StoredSpan, Timestamp, TraceDetail, TraceId, WorkspaceId},
    store::{
        MAX_PAGE_BYTES, StoreError,
        cursor::Place,
        sqlite::{head::Head, pack, until::Until},
    },
};

/// What cursors of spans begin with.
const LIST: &str = "spans";

/// One trace with the rows of all its spans.
pub(in super::super) fn trace(
    connection: &Connection,
    workspace: WorkspaceId,
    trace_id: &TraceId,
) -> Result<Option<TraceDetail>, StoreError> {
    let packed = pack::pack_id(trace_id.as_str());
    let Some(trace) = summary::find(connection, workspace.0, &packed)? else { return Ok(None) };
    let mut terms = Terms::new(connection)?;
    Ok(Some(TraceDetail {
        summary: summary::of_trace(connection, &mut terms, trace)?,
        spans: in_order(connection, &mut terms, trace)?.into_iter().map(|span| span.row).collect(),
        annotations: annotation::of_trace(connection, workspace.0, &packed)?,
    }))
}

/// A page of the spans of a trace with their records.
pub(in super::super) fn spans(
    connection: &Connection,
    until: &Until,
    workspace: WorkspaceId,
    trace_id: &TraceId,
    page: &PageRequest,
) -> Result<Page<StoredSpan>, StoreError> {
    let after = page.after.as_ref().map(|cursor| Place::<String>::read(LIST, cursor)).transpose()?;
    let packed = pack::pack_id(trace_id.as_str());
    let Some(trace) = summary::find(connection, workspace.0, &packed)? else {
        return Ok(Page { items: Vec::new(), next: None });
    };
    let mut spans = in_order(connection, &mut Terms::new(connection)?, trace)?;
    if let Some(after) = after {
        let behind = |span: &PlacedSpan| {
            let place = span.place();
            (place.key, place.tie) > (after.key, after.tie.clone())
        };
        spans.drain(..spans.partition_point(|span| !behind(span)));
    }
    let mut blocks = Blocks::new(connection, until)?;
    let (mut items, mut next) = (Vec::new(), None);
    let mut bytes = 0;
    let mut spans = spans.into_iter().peekable();
    while let Some(span) = spans.next() {
        let place = span.place();
        let span = span.stored(&mut blocks)?;
        bytes += span.record.get().len();
        items.push(span);
        if (items.len() >= page.limit || bytes >= MAX_PAGE_BYTES) && spans.peek().is_some() {
            next = Some(place.cursor(LIST));
            break;
        }
    }
    Ok(Page { items, next })
}

/// One span with its record.
pub(in super::super) fn span(
    connection: &Connection,
    until: &Until,
    workspace: WorkspaceId,
    trace_id: &TraceId,
    span_id: &SpanId,
) -> Result<Option<StoredSpan>, StoreError> {
    let packed = pack::pack_id(trace_id.as_str());
    let Some(trace) = summary::find(connection, workspace.0, &packed)? else { return Ok(None) };
    let mut statement = connection.prepare_cached(&format!("{SELECT} WHERE trace = ?1 AND span_id = ?2"))?;
    let mut rows = statement.query((trace, pack::pack_id(span_id.as_str())))?;
    let Some(row) = rows.next()? else { return Ok(None) };
    let span = PlacedSpan::read(row, &mut Terms::new(connection)?)?;
    Ok(Some(span.stored(&mut Blocks::new(connection, until)?)?))
}

/// The spans of a trace by start, a root before what began with it, then by identifier.
pub(super) fn in_order(
    connection: &Connection,
    terms: &mut Terms<'_>,
    trace: i64,
) -> Result<Vec<PlacedSpan>, StoreError> {
    let mut statement = connection.prepare_cached(&format!("{SELECT} WHERE trace = ?1"))?;
    let mut rows = statement.query([trace])?;
    let mut spans = Vec::new();
    while let Some(row) = rows.next()? {
        spans.push(PlacedSpan::read(row, terms)?);
    }
    spans.sort_unstable_by(|a, b| a.order().cmp(&b.order()));
    Ok(spans)
}

const SELECT: &str = "SELECT span_id, parent, block, position, head FROM span";

/// A span and where its record is.
pub(super) struct PlacedSpan {
    pub(super) row: SpanRow,
    pub(super) block: i64,
    pub(super) position: usize,
}

impl PlacedSpan {
    fn read(row: &Row<'_>, terms: &mut Terms<'_>) -> Result<Self, StoreError> {
        let parent = row.get_ref(1)?;
        let head = Head::decode(row.get_ref(4)?.as_blob().unwrap_or_default())?;
        let row_of_span = SpanRow {
            span_id: SpanId::new(pack::unpack_id(row.get_ref(0)?)),
            parent_span_id: (parent != ValueRef::Null).then(|| SpanId::new(pack::unpack_id(parent))),
            name: terms.text(head.name)?,
            kind: head.kind,
            started_at: head.started_at,
            duration_micros: head.duration_micros,
            status: head.status,
            provisional: head.provisional,
            agent: terms.text(head.agent)?,
            model: terms.text(head.model)?,
            tokens: head.tokens,
            cost: head.cost,
        };
        Ok(Self { row: row_of_span, block: row.get(2)?, position: row.get(3)? })
    }

    fn stored(self, blocks: &mut Blocks<'_>) -> Result<StoredSpan, StoreError> {
        let record = blocks.record(self.block, self.position)?;
        let record = RawValue::from_string(record)
            .map_err(|error| StoreError::Engine(format!("a span's record is damaged: {error}")))?;
        Ok(StoredSpan { row: self.row, record: Arc::from(record) })
    }

    fn order(&self) -> (Timestamp, bool, &SpanId) {
        (self.row.started_at, self.row.parent_span_id.is_some(), &self.row.span_id)
    }

    fn place(&self) -> Place<String> {
        let has_parent = u8::from(self.row.parent_span_id.is_some());
        Place { key: self.row.started_at.as_micros(), tie: format!("{has_parent}{}", self.row.span_id) }
    }
}
