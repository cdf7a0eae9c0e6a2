use std::{collections::HashMap, sync::Arc};

use rusqlite::{Connection, OptionalExtension as _};

use crate::store::StoreError;

/// More are looked up again.
const MAX: usize = 20_000;

/// The numbers of texts that are used again and again.
#[derive(Default)]
pub(super) struct Terms {
    numbers: HashMap<Arc<str>, i64>,
    texts: HashMap<i64, Arc<str>>,
}

impl Terms {
    /// The number of a text, made up if it is new.
    pub(super) fn number(&mut self, connection: &Connection, text: &str) -> Result<i64, StoreError> {
        if text.is_empty() {
            return Ok(0);
        }
        if let Some(number) = self.numbers.get(text) {
            return Ok(*number);
        }
        let mut select = connection.prepare_cached("SELECT id FROM term WHERE text = ?")?;
        let known: Option<i64> = select.query_row([text], |row| row.get(0)).optional()?;
        let number = match known {
            Some(number) => number,
            None => {
                connection.prepare_cached("INSERT INTO term (text) VALUES (?)")?.execute([text])?;
                connection.last_insert_rowid()
            }
        };
        self.keep(text.into(), number);
        Ok(number)
    }

    /// The text of a number.
    pub(super) fn text(&mut self, connection: &Connection, number: i64) -> Result<Arc<str>, StoreError> {
        if let Some(text) = self.texts.get(&number) {
            return Ok(Arc::clone(text));
        }
        let mut select = connection.prepare_cached("SELECT text FROM term WHERE id = ?")?;
        let text: Arc<str> = select.query_row([number], |row| row.get::<_, String>(0))?.into();
        self.keep(Arc::clone(&text), number);
        Ok(text)
    }

    /// Forgets everything: the database may say otherwise by now.
    pub(super) fn clear(&mut self) {
        self.numbers.clear();
        self.texts.clear();
    }

    fn keep(&mut self, text: Arc<str>, number: i64) {
        if self.numbers.len() >= MAX {
            self.clear();
        }
        self.numbers.insert(Arc::clone(&text), number);
        self.texts.insert(number, text);
    }
}
