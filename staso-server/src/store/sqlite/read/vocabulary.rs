use std::collections::HashSet;

use memchr::{memchr, memmem, memrchr};
use rusqlite::Connection;

use crate::store::StoreError;

/// Words stand between these.
const END: u8 = b'\n';

/// The words of the index that contain a text, or end with it. `None` when they are more than `most`.
pub(super) fn words_with(
    connection: &Connection,
    text: &str,
    at_end: bool,
    most: usize,
) -> Result<Option<HashSet<String>>, StoreError> {
    let mut wanted = text.as_bytes().to_vec();
    if at_end {
        wanted.push(END);
    }
    let finder = memmem::Finder::new(&wanted);
    let mut statement = connection.prepare_cached("SELECT words FROM vocabulary")?;
    let mut rows = statement.query([])?;
    let mut found = HashSet::new();
    while let Some(row) = rows.next()? {
        let words = row.get_ref(0)?.as_blob().unwrap_or_default();
        let mut from = 0;
        while let Some(at) = words.get(from..).and_then(|rest| finder.find(rest)) {
            let at = from + at;
            let start = memrchr(END, words.get(..at).unwrap_or_default()).map_or(0, |end| end + 1);
            let rest = words.get(at..).unwrap_or_default();
            let end = at + memchr(END, rest).unwrap_or(rest.len());
            if let Some(Ok(word)) = words.get(start..end).map(std::str::from_utf8) {
                if found.len() == most && !found.contains(word) {
                    return Ok(None);
                }
                found.insert(word.to_owned());
            }
            from = end;
        }
    }
    Ok(Some(found))
}
