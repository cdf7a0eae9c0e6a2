use rusqlite::Connection;

use crate::{
    model::WorkspaceId,
    store::{Facets, MAX_FACETS, StoreError, sqlite::number::Dimension},
};

/// The values that filters can take, the most frequent first.
pub(in super::super) fn facets(
    connection: &Connection,
    workspace: WorkspaceId,
) -> Result<Facets, StoreError> {
    let mut statement = connection.prepare_cached(
        "SELECT term.text FROM facet_value v JOIN term ON term.id = v.value \
         WHERE v.workspace = ?1 AND v.dimension = ?2 AND v.traces > 0 \
         ORDER BY v.traces DESC, term.text LIMIT ?3",
    )?;
    let mut most_frequent = |dimension: Dimension| {
        statement
            .query_map((workspace.0, dimension as i64, MAX_FACETS as i64), |row| row.get(0))?
            .collect::<Result<Vec<String>, _>>()
    };
    Ok(Facets {
        environments: most_frequent(Dimension::Environment)?,
        agents: most_frequent(Dimension::Agent)?,
        models: most_frequent(Dimension::Model)?,
        tags: most_frequent(Dimension::Tag)?,
    })
}
