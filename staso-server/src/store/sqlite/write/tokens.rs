use std::{
    collections::{BTreeMap, HashSet},
    ops::ControlFlow::Continue,
};

use super::{super::text, session::Session};
use crate::{
    model::TextField,
    store::{
        StoreError,
        text::{
            in_record, normal,
            tokens::{Class, Tokenizer},
        },
    },
};

/// Seeded, as the tokens are what anybody sent.
type Distinct = HashSet<Box<str>, foldhash::quality::RandomState>;

/// The distinct tokens of a trace on their way into the index.
#[derive(Default)]
pub(super) struct Tokens {
    /// Those of words apart, as they are in the vocabulary too.
    words: BTreeMap<TextField, Distinct>,
    others: BTreeMap<TextField, Distinct>,
    /// Of all traces that were written.
    vocabulary: Distinct,
}

impl Tokens {
    /// Adds those of a span's record.
    pub(super) fn add(&mut self, record: &str) {
        let _all = in_record(record, &mut |field, text| {
            let words = self.words.entry(field).or_default();
            let others = self.others.entry(field).or_default();
            let mut keep = |class, token: &str| {
                let tokens = if class == Class::Word { &mut *words } else { &mut *others };
                if !tokens.contains(token) {
                    tokens.insert(token.into());
                }
            };
            let mut tokenizer = Tokenizer::new(&mut keep);
            let _all = normal::in_portions(text, &mut |portion| {
                tokenizer.push(portion);
                Continue(())
            });
            tokenizer.end();
            Continue(())
        });
    }

    /// Writes them as those of a trace, and begins the next.
    pub(super) fn write(&mut self, session: &Session<'_>, trace: i64) -> Result<(), StoreError> {
        let connection = session.connection;
        let mut delete = connection.prepare_cached("DELETE FROM search WHERE rowid = ?")?;
        let mut insert = connection.prepare_cached("INSERT INTO search (rowid, tokens) VALUES (?, ?)")?;
        for field in TextField::ALL {
            delete.execute([text::row(trace, field)])?;
            let words = self.words.remove(&field).unwrap_or_default();
            let mut tokens = String::new();
            for token in words.iter().chain(&self.others.remove(&field).unwrap_or_default()) {
                tokens.push_str(token);
                tokens.push(' ');
            }
            if !tokens.is_empty() {
                insert.execute((text::row(trace, field), tokens))?;
            }
            self.vocabulary.extend(words);
        }
        Ok(())
    }

    /// The words of all traces that were written.
    pub(super) fn into_vocabulary(self) -> Distinct {
        self.vocabulary
    }
}
