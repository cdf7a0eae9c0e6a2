use crate::{
    http::Mode,
    model::{Cost, Grant, SpanId, SpanKind, SpanRow, SpanStatus, Timestamp, Workspace, WorkspaceId},
    web::PageContext,
};

/// A span that began and lasted so many microseconds.
pub(in crate::web) fn span(id: &str, parent: Option<&str>, start: i64, duration: u64) -> SpanRow {
    SpanRow {
        span_id: SpanId::new(id),
        parent_span_id: parent.map(SpanId::new),
        name: id.to_owned(),
        kind: SpanKind::Tool,
        started_at: Timestamp::from_micros(start),
        duration_micros: duration,
        status: SpanStatus::Ok,
        provisional: false,
        agent: String::new(),
        model: String::new(),
        tokens: None,
        cost: Cost::default(),
    }
}

/// A page of the default workspace on one's own machine.
pub(in crate::web) fn context() -> PageContext {
    let workspace =
        Workspace { id: WorkspaceId(1), slug: "default".to_owned(), created_at: Timestamp::default() };
    PageContext::new(workspace.clone(), vec![workspace], Grant::Organization, Mode::Local)
}
