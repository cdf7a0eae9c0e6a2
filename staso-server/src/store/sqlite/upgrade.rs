//! Brings a file to the schema of this program, one step after the other.
//!
//! A step is SQL and one transaction: a process that is killed leaves the file at a step, and the next one goes on
//! from there. What takes long is no part of it. Nearly everything in the file is derived from the records, so a step
//! marks traces whose rows or text the program would derive otherwise than the one before it, and the writing thread
//! derives them again, some at a time, while the store is in use: see `write/settle.rs`.

use rusqlite::{Connection, TransactionBehavior};

/// Each brings the file from the schema before to its own, counted from 1. One that was released is never changed.
const STEPS: [Step; 3] = [
    Step { sql: include_str!("schema/001.sql"), again: Again::Nothing },
    Step { sql: include_str!("schema/002.sql"), again: Again::Nothing },
    Step { sql: include_str!("schema/003.sql"), again: Again::Spans },
];

/// The schema that this program writes.
pub(super) const NEWEST: i64 = STEPS.len() as i64;

/// Says in the file whose it is: "Stas".
const APPLICATION_ID: i64 = 0x5374_6173;

struct Step {
    sql: &'static str,
    again: Again,
}

/// What of every trace is derived again from its records, once the step is done.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Again {
    /// Nothing.
    Nothing,
    /// What text search looks at.
    #[cfg_attr(not(test), expect(dead_code, reason = "for steps to come"))]
    Text,
    /// That, what is taken out of each span, and what the trace comes to.
    Spans,
}

impl Again {
    const fn sql(self) -> &'static str {
        match self {
            Self::Nothing => "",
            Self::Text => "UPDATE trace SET again = coalesce(again, 1), unsettled = 1",
            Self::Spans => "UPDATE trace SET again = 2, unsettled = 1",
        }
    }
}

/// The schema of a file; 0 for one that is empty.
pub(super) fn schema(connection: &Connection) -> rusqlite::Result<i64> {
    connection.query_row("PRAGMA user_version", [], |row| row.get(0))
}

/// Whether the file is empty or a store.
pub(super) fn is_ours(connection: &Connection, schema: i64) -> rusqlite::Result<bool> {
    if schema > 0 {
        let id: i64 = connection.query_row("PRAGMA application_id", [], |row| row.get(0))?;
        return Ok(id == APPLICATION_ID);
    }
    connection.query_row("SELECT NOT EXISTS (SELECT 1 FROM sqlite_schema)", [], |row| row.get(0))
}

/// Does the steps that the file lacks.
pub(super) fn run(connection: &mut Connection) -> rusqlite::Result<()> {
    run_steps(connection, &STEPS)
}

fn run_steps(connection: &mut Connection, steps: &[Step]) -> rusqlite::Result<()> {
    loop {
        let transaction = connection.transaction_with_behavior(TransactionBehavior::Immediate)?;
        // Another process may have come first.
        let found = schema(&transaction)?;
        let Some(step) = usize::try_from(found).ok().and_then(|found| steps.get(found)) else {
            return Ok(());
        };
        transaction.execute_batch(step.sql)?;
        transaction.execute_batch(step.again.sql())?;
        transaction.pragma_update(None, "application_id", APPLICATION_ID)?;
        transaction.pragma_update(None, "user_version", found + 1)?;
        transaction.commit()?;
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn count(connection: &Connection, condition: &str) -> i64 {
        let sql = format!("SELECT count(*) FROM trace WHERE {condition}");
        connection.query_row(&sql, [], |row| row.get(0)).unwrap()
    }

    const TRACE: &str = "INSERT INTO trace VALUES (1, 1, 'a', 1, 0, 0, 1, 0, 0, 1, 0, 0, 0, 0, 0, 0, 0, 0, x'', NULL, \
                         NULL, NULL)";

    #[test]
    fn a_step_that_fails_leaves_the_file_at_the_step_before() {
        let mut connection = Connection::open_in_memory().unwrap();
        let [first, second, _] = STEPS;
        let broken = Step { sql: "CREATE TABLE half (a); SELECT * FROM nowhere", again: Again::Nothing };
        run_steps(&mut connection, &[first, second, broken]).unwrap_err();
        assert_eq!(schema(&connection).unwrap(), 2);
        connection.execute_batch("SELECT * FROM half").unwrap_err();
        assert!(is_ours(&connection, 2).unwrap());
        let [first, second, _] = STEPS;
        let mended = Step { sql: "CREATE TABLE whole (a)", again: Again::Nothing };
        run_steps(&mut connection, &[first, second, mended]).unwrap();
        connection.execute_batch("SELECT * FROM whole").unwrap();
    }

    #[test]
    fn a_step_says_how_much_is_derived_again_and_a_later_one_never_less() {
        let mut connection = Connection::open_in_memory().unwrap();
        run(&mut connection).unwrap();
        connection.execute_batch(TRACE).unwrap();
        for (again, expected) in [(Again::Nothing, 0), (Again::Text, 1), (Again::Spans, 2), (Again::Text, 2)]
        {
            connection.execute_batch(again.sql()).unwrap();
            let sql =
                format!("coalesce(again, 0) = {expected} AND coalesce(unsettled, 0) = {}", expected.min(1));
            assert_eq!(count(&connection, &sql), 1, "{again:?}");
        }
    }
}
