//! Keys: made at random, shown once, kept as a hash.

use std::fmt;

use serde::Deserialize;
use sha2::{Digest as _, Sha256};
use subtle::ConstantTimeEq as _;

use crate::{
    model::{Access, Grant, KeyScope},
    store::{NewKey, Store, StoreError},
};

/// The characters of a key that lists show.
const PREFIX: usize = 12;
const ALPHABET: &[u8; 32] = b"abcdefghijklmnopqrstuvwxyz234567";

/// A text that opens something. It shows itself only by [`expose`](Self::expose).
#[derive(Clone, Deserialize)]
#[serde(transparent)]
pub struct Secret(String);

impl Secret {
    /// 160 random bits as 32 lower-case characters.
    ///
    /// # Errors
    ///
    /// When the system has no randomness to give.
    pub fn random() -> Result<Self, getrandom::Error> {
        let mut bytes = [0; 32];
        getrandom::fill(&mut bytes)?;
        let letters = bytes.iter().filter_map(|byte| ALPHABET.get(usize::from(byte % 32)));
        Ok(Self(letters.map(|letter| char::from(*letter)).collect()))
    }

    /// The text itself.
    #[must_use]
    pub fn expose(&self) -> &str {
        &self.0
    }
}

impl fmt::Debug for Secret {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("Secret(…)")
    }
}

/// Makes a key: its text, to be shown once, and what a store keeps of it.
///
/// # Errors
///
/// When the system has no randomness to give.
pub fn generate(name: impl Into<String>, scope: KeyScope) -> Result<(Secret, NewKey), getrandom::Error> {
    let key = Secret(format!("staso_{}", Secret::random()?.expose()));
    let prefix = key.expose().chars().take(PREFIX).collect();
    let hash = digest(key.expose());
    Ok((key, NewKey { name: name.into(), scope, prefix, hash }))
}

/// What the key opens; `None` when it is not known or was revoked.
///
/// # Errors
///
/// Those of the store.
pub async fn access(store: &dyn Store, key: &str) -> Result<Option<Access>, StoreError> {
    match Fingerprint::of(key) {
        Some(fingerprint) => fingerprint.access(store).await,
        None => Ok(None),
    }
}

/// What is remembered of a key in order to look it up again.
#[derive(Clone)]
pub(crate) struct Fingerprint {
    prefix: String,
    hash: [u8; 32],
}

impl Fingerprint {
    /// `None` for a text that is too short to be a key.
    pub(crate) fn of(key: &str) -> Option<Self> {
        let prefix = key.get(..PREFIX)?.to_owned();
        Some(Self { prefix, hash: digest(key) })
    }

    /// SHA-256 of the key.
    pub(crate) fn hash(&self) -> [u8; 32] {
        self.hash
    }

    /// What the key opens by now.
    pub(crate) async fn access(&self, store: &dyn Store) -> Result<Option<Access>, StoreError> {
        let mut scope = None;
        for (record, hash) in store.keys_with_prefix(&self.prefix).await? {
            if bool::from(hash.ct_eq(&self.hash)) {
                scope = Some(record.scope);
            }
        }
        let grant = match scope {
            None => return Ok(None),
            Some(KeyScope::Organization) => Grant::Organization,
            Some(KeyScope::Workspace(slug)) => match store.workspace(&slug).await? {
                Some(workspace) => Grant::Workspace(workspace),
                None => return Ok(None),
            },
        };
        Ok(Some(Access { grant, makes_workspaces: false }))
    }
}

/// SHA-256 of the text. Keys are random and long, so they need no slow hash.
pub(crate) fn digest(text: &str) -> [u8; 32] {
    Sha256::digest(text).into()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_key_has_a_known_shape_and_is_never_the_same() {
        let (key, kept) = generate("ci", KeyScope::Organization).unwrap();
        let (other, _) = generate("ci", KeyScope::Organization).unwrap();
        assert_eq!(key.expose().len(), 38);
        assert!(key.expose().starts_with("staso_"));
        assert_eq!(kept.prefix, key.expose()[..12]);
        assert_ne!(key.expose(), other.expose());
    }

    #[test]
    fn neither_a_key_nor_what_is_kept_of_it_shows_its_text() {
        let (key, kept) = generate("ci", KeyScope::Organization).unwrap();
        let shown = format!("{key:?} {kept:?}");
        assert!(!shown.contains(&key.expose()[12..]));
    }
}
