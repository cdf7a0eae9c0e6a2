use std::collections::HashSet;

use rusqlite::{Connection, OptionalExtension as _};

use super::session::Session;
use crate::store::StoreError;

/// Words stand between these.
const END: u8 = b'\n';

/// A row that is longer gets no more words.
const ROW_BYTES: i64 = 64 << 10;

/// So many words are remembered. One that was forgotten is written again, which does no harm.
const MAX_KNOWN: usize = 200_000;

/// So much of what was written last is read to begin with.
const READ_FIRST: usize = 1 << 20;

/// Which words are written, so that each is written once, or nearly.
#[derive(Default)]
pub(super) struct Vocabulary {
    known: HashSet<Box<str>>,
    has_begun: bool,
}

impl Vocabulary {
    /// Writes the words that are new.
    pub(super) fn learn(
        &mut self,
        connection: &Connection,
        words: impl IntoIterator<Item = Box<str>>,
    ) -> Result<(), StoreError> {
        if !std::mem::replace(&mut self.has_begun, true) {
            self.read(connection)?;
        }
        let mut new = Vec::new();
        for word in words {
            if self.known.contains(&word) {
                continue;
            }
            if new.is_empty() {
                new.push(END);
            }
            new.extend_from_slice(word.as_bytes());
            new.push(END);
            if self.known.len() >= MAX_KNOWN {
                self.known.clear();
            }
            self.known.insert(word);
        }
        let Some(behind_first) = new.get(1..) else { return Ok(()) };
        let last =
            "SELECT id FROM vocabulary WHERE id = (SELECT max(id) FROM vocabulary) AND length(words) < ?";
        let last: Option<i64> =
            connection.prepare_cached(last)?.query_row([ROW_BYTES], |row| row.get(0)).optional()?;
        match last {
            // A text and a blob are joined to a text, which this column does not take.
            Some(id) => connection
                .prepare_cached("UPDATE vocabulary SET words = CAST(words || ? AS BLOB) WHERE id = ?")?
                .execute((behind_first, id))?,
            None => connection.prepare_cached("INSERT INTO vocabulary (words) VALUES (?)")?.execute([new])?,
        };
        Ok(())
    }

    /// Forgets everything: the database may say otherwise by now.
    pub(super) fn clear(&mut self) {
        self.known.clear();
        self.has_begun = false;
    }

    fn read(&mut self, connection: &Connection) -> Result<(), StoreError> {
        let mut select = connection.prepare_cached("SELECT words FROM vocabulary ORDER BY id DESC")?;
        let mut rows = select.query([])?;
        let mut read = 0;
        while let Some(row) = rows.next()?
            && read < READ_FIRST
        {
            let words = row.get_ref(0)?.as_blob().unwrap_or_default();
            read += words.len();
            let words = words.split(|byte| *byte == END).filter_map(|word| std::str::from_utf8(word).ok());
            self.known.extend(words.filter(|word| !word.is_empty()).map(Into::into));
        }
        Ok(())
    }
}

/// Deletes the words of the first row behind a number that no trace has any more. The number of that row.
pub(in super::super) fn forget_words(
    session: &mut Session<'_>,
    behind: i64,
) -> Result<Option<i64>, StoreError> {
    let connection = session.connection;
    let mut select =
        connection.prepare_cached("SELECT id, words FROM vocabulary WHERE id > ? ORDER BY id LIMIT 1")?;
    let row: Option<(i64, Vec<u8>)> =
        select.query_row([behind], |row| Ok((row.get(0)?, row.get(1)?))).optional()?;
    let Some((id, words)) = row else { return Ok(None) };
    let mut is_used = connection.prepare_cached("SELECT 1 FROM search WHERE search MATCH ? LIMIT 1")?;
    let mut kept = vec![END];
    for word in words.split(|byte| *byte == END).filter_map(|word| std::str::from_utf8(word).ok()) {
        if !word.is_empty() && is_used.exists([format!("\"{word}\"")])? {
            kept.extend_from_slice(word.as_bytes());
            kept.push(END);
        }
    }
    if kept.len() == 1 {
        connection.prepare_cached("DELETE FROM vocabulary WHERE id = ?")?.execute([id])?;
    } else if kept.len() < words.len() {
        connection.prepare_cached("UPDATE vocabulary SET words = ? WHERE id = ?")?.execute((kept, id))?;
    }
    session.vocabulary.clear();
    Ok(Some(id))
}
