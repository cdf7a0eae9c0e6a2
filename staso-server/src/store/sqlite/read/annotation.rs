use rusqlite::{
    Connection, Row,
    types::{Value, ValueRef},
};

use crate::{
    model::{Annotation, AnnotationValue, SpanId, Timestamp},
    store::{
        StoreError,
        sqlite::{
            number::{DataType, data_type_of},
            pack,
        },
    },
};

/// What was said of a trace or its spans, in the order of arrival.
pub(super) fn of_trace(
    connection: &Connection,
    workspace: i64,
    packed_id: &Value,
) -> Result<Vec<Annotation>, StoreError> {
    let mut statement = connection.prepare_cached(
        "SELECT name, value, data_type, span_id, comment, received_at FROM annotation \
         WHERE trace_id = ?1 AND workspace = ?2 ORDER BY id",
    )?;
    let annotations = statement.query_map((packed_id, workspace), read)?.collect::<Result<_, _>>()?;
    Ok(annotations)
}

fn read(row: &Row<'_>) -> rusqlite::Result<Annotation> {
    let value = match data_type_of(row.get(2)?) {
        DataType::Numeric => AnnotationValue::Numeric(row.get(1)?),
        DataType::Categorical => AnnotationValue::Categorical(row.get(1)?),
        DataType::Boolean => AnnotationValue::Boolean(row.get(1)?),
    };
    let span_id = row.get_ref(3)?;
    Ok(Annotation {
        name: row.get(0)?,
        value,
        span_id: (span_id != ValueRef::Null).then(|| SpanId::new(pack::unpack_id(span_id))),
        comment: row.get(4)?,
        received_at: Timestamp::from_micros(row.get(5)?),
    })
}
