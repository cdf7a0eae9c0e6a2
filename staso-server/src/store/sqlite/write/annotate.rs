use rusqlite::params;

use super::{
    super::{number::DataType, pack},
    session::Session,
};
use crate::{
    model::{Annotation, AnnotationValue, TraceId, WorkspaceId},
    store::{MAX_ANNOTATIONS, StoreError},
};

/// Keeps what was said of a trace. Without a workspace it is about that trace wherever it is, and if it is
/// nowhere, about the first that arrives.
pub(in super::super) fn annotate(
    session: &mut Session<'_>,
    workspace: Option<WorkspaceId>,
    trace_id: &TraceId,
    annotation: &Annotation,
) -> Result<(), StoreError> {
    let revision = session.next_revision()?;
    let trace_id = pack::pack_id(trace_id.as_str());
    let connection = session.connection;
    let mut owners = match workspace {
        Some(workspace) => vec![workspace.0],
        None => {
            let mut select = connection.prepare_cached(
                "SELECT workspace.id FROM workspace JOIN trace
                     ON trace.workspace = workspace.id AND trace.trace_id = ?",
            )?;
            select.query_map([&trace_id], |row| row.get(0))?.collect::<Result<Vec<i64>, _>>()?
        }
    };
    if owners.is_empty() {
        owners.push(0);
    }
    let mut insert = connection.prepare_cached(
        "INSERT INTO annotation (workspace, trace_id, span_id, name, value, data_type, comment, received_at)
         VALUES (?, ?, ?, ?, ?, ?, ?, ?)",
    )?;
    let mut touch =
        connection.prepare_cached("UPDATE trace SET revision = ? WHERE workspace = ? AND trace_id = ?")?;
    let (value, data_type): (&dyn rusqlite::ToSql, _) = match &annotation.value {
        AnnotationValue::Numeric(number) => (number, DataType::Numeric),
        AnnotationValue::Categorical(label) => (label, DataType::Categorical),
        AnnotationValue::Boolean(yes) => (yes, DataType::Boolean),
    };
    let mut count =
        connection.prepare_cached("SELECT count(*) FROM annotation WHERE trace_id = ? AND workspace = ?")?;
    for owner in owners {
        let known: usize = count.query_row((&trace_id, owner), |row| row.get(0))?;
        if known >= MAX_ANNOTATIONS {
            return Err(StoreError::TooManyAnnotations);
        }
        insert.execute(params![
            owner,
            trace_id,
            annotation.span_id.as_ref().map(|id| pack::pack_id(id.as_str())),
            annotation.name,
            value,
            data_type as u8,
            annotation.comment,
            annotation.received_at.as_micros(),
        ])?;
        touch.execute(params![revision, owner, trace_id])?;
    }
    Ok(())
}
