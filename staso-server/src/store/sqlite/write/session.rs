use std::{
    collections::HashMap,
    panic::{AssertUnwindSafe, catch_unwind},
};

use rusqlite::{Connection, TransactionBehavior};

use super::{super::open::Derive, terms::Terms, vocabulary::Vocabulary};
use crate::store::{Revision, StoreError};

/// What the writing thread keeps between transactions.
pub(super) struct Writing {
    pub(super) connection: Connection,
    terms: Terms,
    vocabulary: Vocabulary,
    derive: Option<Derive>,
    /// The traces that have spans which their rows do not count yet, and how many.
    outdated: HashMap<i64, u64>,
    /// Changes when another process commits.
    data_version: i64,
}

impl Writing {
    pub(super) fn new(connection: Connection, derive: Option<Derive>) -> Self {
        let (terms, vocabulary) = (Terms::default(), Vocabulary::default());
        Self { connection, terms, vocabulary, derive, outdated: HashMap::new(), data_version: -1 }
    }

    /// Runs jobs in one transaction. When one fails, nothing of any stays.
    pub(super) fn transaction<T>(
        &mut self,
        work: impl FnOnce(&mut Session<'_>) -> Result<T, StoreError>,
    ) -> Result<T, StoreError> {
        let transaction = self.connection.transaction_with_behavior(TransactionBehavior::Immediate)?;
        let version: i64 = transaction.query_row("PRAGMA data_version", [], |row| row.get(0))?;
        if version != self.data_version {
            self.terms.clear();
            self.vocabulary.clear();
            self.data_version = version;
        }
        let outdated = self.outdated.clone();
        let mut session = Session {
            connection: &transaction,
            terms: &mut self.terms,
            vocabulary: &mut self.vocabulary,
            derive: self.derive.as_ref(),
            outdated: &mut self.outdated,
            revision: None,
        };
        let done = without_panic(|| work(&mut session))
            .and_then(|value| Ok(transaction.commit().map(|()| value)?));
        if done.is_err() {
            // Terms and words that were new in it are gone with it.
            self.terms.clear();
            self.vocabulary.clear();
            self.outdated = outdated;
        }
        done
    }

    /// The traces that have spans which their rows do not count yet.
    pub(super) fn outdated(&self) -> Vec<i64> {
        self.outdated.keys().copied().collect()
    }

    pub(super) fn current_revision(&self) -> Result<Revision, StoreError> {
        let mut select = self.connection.prepare_cached("SELECT value FROM revision")?;
        let value: i64 = select.query_row([], |row| row.get(0))?;
        Ok(Revision(value.cast_unsigned()))
    }
}

/// A transaction, and what jobs need in it.
pub(in super::super) struct Session<'a> {
    pub(super) connection: &'a Connection,
    pub(super) terms: &'a mut Terms,
    pub(super) vocabulary: &'a mut Vocabulary,
    /// How spans are read that an earlier version wrote, if this process knows.
    pub(super) derive: Option<&'a Derive>,
    pub(super) outdated: &'a mut HashMap<i64, u64>,
    revision: Option<i64>,
}

impl Session<'_> {
    /// Runs a part of the transaction. When it fails, nothing of it stays, but the rest does, unless the engine has
    /// given up the whole transaction: see [`is_lost`](Self::is_lost).
    pub(super) fn attempt<T>(
        &mut self,
        work: impl FnOnce(&mut Self) -> Result<T, StoreError>,
    ) -> Result<T, StoreError> {
        let (outdated, revision) = (self.outdated.clone(), self.revision);
        self.execute("SAVEPOINT part")?;
        let done = without_panic(|| work(self));
        if done.is_err() {
            self.terms.clear();
            self.vocabulary.clear();
            *self.outdated = outdated;
            self.revision = revision;
            if self.is_lost() {
                return done;
            }
            self.execute("ROLLBACK TO part")?;
        }
        self.execute("RELEASE part")?;
        done
    }

    /// Whether nothing of the transaction can be committed any more, as after some failures to write.
    pub(super) fn is_lost(&self) -> bool {
        self.connection.is_autocommit()
    }

    fn execute(&self, sql: &str) -> Result<(), StoreError> {
        self.connection.prepare_cached(sql)?.execute([])?;
        Ok(())
    }

    /// The number of this commit, which the traces that it changes carry.
    pub(super) fn next_revision(&mut self) -> Result<i64, StoreError> {
        if let Some(number) = self.revision {
            return Ok(number);
        }
        let mut update =
            self.connection.prepare_cached("UPDATE revision SET value = value + 1 RETURNING value")?;
        let number = update.query_row([], |row| row.get(0))?;
        self.revision = Some(number);
        Ok(number)
    }

    /// The number of this commit, if anything in it changed a trace.
    pub(super) fn revision(&self) -> Option<Revision> {
        self.revision.map(|number| Revision(number.cast_unsigned()))
    }
}

/// A panic must not end the thread, on which every write depends, nor leave half a transaction.
fn without_panic<T>(work: impl FnOnce() -> Result<T, StoreError>) -> Result<T, StoreError> {
    catch_unwind(AssertUnwindSafe(work))
        .unwrap_or_else(|_| Err(StoreError::Engine("a write panicked; nothing of it was stored".to_owned())))
}
