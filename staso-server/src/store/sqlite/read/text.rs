use std::collections::HashSet;

use rusqlite::Connection;

use super::{
    condition::FEW,
    record::{self, Blocks},
    vocabulary::words_with,
};
use crate::{
    model::TextField,
    store::{
        StoreError,
        sqlite::{text, until::Until},
        text::{
            TextQuery,
            tokens::{self, Class, PIECE, WITHIN_PIECE, first, last},
        },
    },
};

/// What more words than this contain says too little of where to look.
const MOST_WORDS: usize = if cfg!(test) { 3 } else { 1_000 };

/// So many pairs of characters say where to look.
const MOST_PAIRS: usize = 16;

/// More rows than this are not gathered.
const MOST_ROWS: usize = 4_000_000;

/// Which traces contain what a query asks for. The index says where to look: what it cannot decide, and what it does not
/// know yet, is looked up in the records.
pub(super) struct TextMatch<'c> {
    query: TextQuery,
    until: &'c Until,
    blocks: Blocks<'c>,
    /// The settled ones that may match, of any workspace, in ascending order. `None` when each may.
    settled: Option<Vec<i64>>,
    /// Whether those match for certain.
    is_exact: bool,
    /// Those of the workspace that the index does not know, or not as they are now.
    unsettled: HashSet<i64>,
}

impl<'c> TextMatch<'c> {
    pub(super) fn new(
        connection: &'c Connection,
        until: &'c Until,
        workspace: i64,
        query: TextQuery,
    ) -> Result<Self, StoreError> {
        let mut statement = connection.prepare_cached(
            "SELECT id FROM trace INDEXED BY trace_unsettled WHERE unsettled = 1 AND workspace = ?1",
        )?;
        let unsettled = statement.query_map([workspace], |row| row.get(0))?.collect::<Result<_, _>>()?;
        let mut settled: Option<Vec<i64>> = None;
        let mut is_exact = true;
        for needle in query.needles() {
            let Some(rows) = rows_of(connection, needle)? else {
                is_exact = false;
                continue;
            };
            is_exact &= is_decided(needle);
            let of = |row: &i64| query.field().is_none_or(|field: TextField| text::is_of(*row, field));
            let mut traces: Vec<i64> = rows.into_iter().filter(of).map(text::trace_of).collect();
            traces.dedup();
            settled = Some(both(settled, traces));
        }
        Ok(Self { query, until, blocks: Blocks::new(connection, until)?, settled, is_exact, unsettled })
    }

    /// All traces that can match, when they are few.
    pub(super) fn few(&self) -> Option<Vec<i64>> {
        let settled = self.settled.as_ref()?;
        if (settled.len() + self.unsettled.len()) as u64 > FEW {
            return None;
        }
        let settled = settled.iter().copied().filter(|trace| !self.unsettled.contains(trace));
        Some(settled.chain(self.unsettled.iter().copied()).collect())
    }

    /// Whether a trace of the workspace contains what is asked for. An error when it is over before that is known.
    pub(super) fn contains(&mut self, connection: &Connection, trace: i64) -> Result<bool, StoreError> {
        if !self.unsettled.contains(&trace)
            && let Some(settled) = &self.settled
        {
            let may_match = settled.binary_search(&trace).is_ok();
            if self.is_exact || !may_match {
                return Ok(may_match);
            }
        }
        let until = self.until;
        let is_over = || until.is_over();
        let mut search = self.query.search(&is_over);
        let mut found = false;
        record::of_trace(connection, &mut self.blocks, trace, |record| {
            found = search.look_at(record);
            found || until.is_over()
        })?;
        if !found {
            until.check()?;
        }
        Ok(found)
    }
}

/// Whether the index alone says where the needle is.
fn is_decided(needle: &str) -> bool {
    let chars = needle.chars().count();
    match tokens::runs(needle).as_slice() {
        [(Class::Word, _)] => chars <= WITHIN_PIECE,
        [(Class::Unspaced, _)] => chars <= 2,
        _ => false,
    }
}

/// The rows of the index whose texts may contain the needle, in ascending order. `None` when each may.
fn rows_of(connection: &Connection, needle: &str) -> Result<Option<Vec<i64>>, StoreError> {
    let runs = tokens::runs(needle);
    let mut rows: Option<Vec<i64>> = None;
    for (index, (class, run)) in runs.iter().enumerate() {
        let (begins, ends) = (index > 0, index + 1 < runs.len());
        let found = match class {
            Class::Space => None,
            Class::Symbol => {
                Some(with_all(connection, run.chars().map(|char| tokens::symbol(char).to_string()))?)
            }
            Class::Unspaced => Some(with_unspaced(connection, run)?),
            Class::Word => match (begins, ends) {
                (true, true) => Some(with_all(connection, [first(run, PIECE)])?),
                (true, false) => Some(rows_with(connection, &format!("\"{}\"*", first(run, WITHIN_PIECE)))?),
                (false, true) => with_any(connection, last(run, WITHIN_PIECE), true)?,
                (false, false) => with_any(connection, first(run, WITHIN_PIECE), false)?,
            },
        };
        if let Some(found) = found.filter(|found| found.len() <= MOST_ROWS) {
            rows = Some(both(rows, found));
        }
        if rows.as_ref().is_some_and(Vec::is_empty) {
            break;
        }
    }
    Ok(rows)
}

/// A run of a script without spaces: its pairs, or whatever begins with its only character.
fn with_unspaced(connection: &Connection, run: &str) -> Result<Vec<i64>, StoreError> {
    let chars: Vec<char> = run.chars().collect();
    match chars.as_slice() {
        [only] => rows_with(connection, &format!("\"{only}\"*")),
        _ => with_all(connection, chars.windows(2).take(MOST_PAIRS).map(String::from_iter)),
    }
}

/// The rows with a word that contains a text, or ends with it. `None` when too many words do.
fn with_any(connection: &Connection, text: &str, at_end: bool) -> Result<Option<Vec<i64>>, StoreError> {
    let Some(words) = words_with(connection, text, at_end, MOST_WORDS)? else { return Ok(None) };
    let mut rows = Vec::new();
    for word in words {
        rows.extend(rows_with(connection, &format!("\"{word}\""))?);
        if rows.len() > MOST_ROWS {
            return Ok(None);
        }
    }
    rows.sort_unstable();
    rows.dedup();
    Ok(Some(rows))
}

/// The rows with every token.
fn with_all(
    connection: &Connection,
    tokens: impl IntoIterator<Item: AsRef<str>>,
) -> Result<Vec<i64>, StoreError> {
    let quoted: Vec<String> = tokens.into_iter().map(|token| format!("\"{}\"", token.as_ref())).collect();
    rows_with(connection, &quoted.join(" "))
}

/// Tokens hold no quotes, so each is a string of FTS5, in which nothing else has a meaning.
fn rows_with(connection: &Connection, expression: &str) -> Result<Vec<i64>, StoreError> {
    let mut statement = connection.prepare_cached("SELECT rowid FROM search WHERE search MATCH ?1")?;
    let rows = statement.query_map([expression], |row| row.get(0))?.collect::<Result<_, _>>()?;
    Ok(rows)
}

/// What is in both lists, which are in ascending order. The first list has everything when it is none.
fn both(known: Option<Vec<i64>>, mut found: Vec<i64>) -> Vec<i64> {
    if let Some(known) = known {
        found.retain(|row| known.binary_search(row).is_ok());
    }
    found
}

#[cfg(test)]
mod tests {
    use std::time::Duration;

    use super::*;
    use crate::store::sqlite::block;

    #[test]
    fn a_search_ends_at_its_deadline_within_the_text_of_a_trace() {
        let connection = Connection::open_in_memory().unwrap();
        connection
            .execute_batch(
                "CREATE TABLE block (id INTEGER PRIMARY KEY, data BLOB);
                 CREATE TABLE span (trace, block, position); INSERT INTO span VALUES (7, 1, 0);",
            )
            .unwrap();
        let record = format!(r#"{{"input": "{}needle"}}"#, "hay ".repeat(50_000));
        let data = block::encode(&[&*record]).unwrap();
        connection.execute("INSERT INTO block (data) VALUES (?)", [data]).unwrap();
        let contains = |within| {
            let until = Until::of(within);
            let mut text = TextMatch {
                query: TextQuery::parse("needle", None).unwrap(),
                until: &until,
                blocks: Blocks::new(&connection, &until).unwrap(),
                settled: None,
                is_exact: false,
                unsettled: HashSet::new(),
            };
            text.contains(&connection, 7)
        };
        assert!(contains(Duration::from_secs(3_600)).unwrap());
        assert!(matches!(contains(Duration::ZERO), Err(StoreError::Overloaded { .. })));
    }
}
