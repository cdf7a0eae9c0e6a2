use std::collections::HashMap;

use rusqlite::{CachedStatement, Connection, OptionalExtension};

use crate::store::StoreError;

/// The number of a text; `None` when it occurs nowhere.
pub(super) fn number(connection: &Connection, text: &str) -> Result<Option<i64>, StoreError> {
    let mut statement = connection.prepare_cached("SELECT id FROM term WHERE text = ?1")?;
    Ok(statement.query_row([text], |row| row.get(0)).optional()?)
}

/// Looks texts up by their numbers, each once.
pub(super) struct Terms<'c> {
    statement: CachedStatement<'c>,
    known: HashMap<i64, String>,
}

impl<'c> Terms<'c> {
    pub(super) fn new(connection: &'c Connection) -> Result<Self, StoreError> {
        let statement = connection.prepare_cached("SELECT text FROM term WHERE id = ?1")?;
        Ok(Self { statement, known: HashMap::from([(0, String::new())]) })
    }

    pub(super) fn text(&mut self, number: i64) -> Result<String, StoreError> {
        if let Some(text) = self.known.get(&number) {
            return Ok(text.clone());
        }
        let text: String = self.statement.query_row([number], |row| row.get(0))?;
        self.known.insert(number, text.clone());
        Ok(text)
    }
}
