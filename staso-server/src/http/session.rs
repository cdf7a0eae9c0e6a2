use std::{
    collections::HashMap,
    sync::{Mutex, PoisonError},
    time::Duration,
};

use axum::http::{HeaderMap, HeaderValue, StatusCode, header};
use tokio::time::Instant;

use super::{ApiError, guard::Gate};
use crate::keys::{self, Secret};

const COOKIE: &str = "staso_session";
const LIFETIME: Duration = Duration::from_secs(12 * 60 * 60);
const MOST_SESSIONS: usize = 1024;

/// A key that signs in more often ends the session that it opened first.
const MOST_SESSIONS_OF_KEY: usize = 32;

/// Who signed in with a browser. They live as long as the process, at most 12 hours, and end with the key
/// that opened them.
#[derive(Default)]
pub(super) struct Sessions {
    /// By the hash of the cookie's value, so that a look-up tells nothing of the values of others.
    open: Mutex<HashMap<Token, Session>>,
}

/// The hash of what a cookie holds.
#[derive(Clone, Copy, PartialEq, Eq, Hash)]
pub(super) struct Token([u8; 32]);

impl Token {
    /// What the cookie of a request holds.
    pub(super) fn of(headers: &HeaderMap) -> Option<Self> {
        cookie(headers).map(|text| Self(keys::digest(text)))
    }
}

struct Session {
    key: keys::Fingerprint,
    ends: Instant,
}

impl Sessions {
    /// The key that opened the session, while it lasts.
    pub(super) fn key(&self, token: &Token) -> Option<keys::Fingerprint> {
        let open = self.open.lock().unwrap_or_else(PoisonError::into_inner);
        open.get(token).filter(|session| session.ends > Instant::now()).map(|session| session.key.clone())
    }

    /// Opens a session; one that ends soonest makes room where there are too many, of this key or in all.
    fn open(&self, token: &Secret, key: keys::Fingerprint) {
        let now = Instant::now();
        let mut open = self.open.lock().unwrap_or_else(PoisonError::into_inner);
        open.retain(|_, session| session.ends > now);
        let own = |session: &Session| session.key.hash() == key.hash();
        if open.values().filter(|session| own(session)).count() >= MOST_SESSIONS_OF_KEY {
            end_soonest(&mut open, own);
        }
        if open.len() >= MOST_SESSIONS {
            end_soonest(&mut open, |_| true);
        }
        open.insert(Token(keys::digest(token.expose())), Session { key, ends: now + LIFETIME });
    }

    fn close(&self, headers: &HeaderMap) {
        if let Some(token) = Token::of(headers) {
            self.open.lock().unwrap_or_else(PoisonError::into_inner).remove(&token);
        }
    }
}

/// Ends that which would end first, of those that are meant.
fn end_soonest(open: &mut HashMap<Token, Session>, meant: impl Fn(&Session) -> bool) {
    let soonest = open.iter().filter(|(_, session)| meant(session)).min_by_key(|(_, session)| session.ends);
    if let Some(token) = soonest.map(|(token, _)| *token) {
        open.remove(&token);
    }
}

impl Gate {
    /// Opens a session with a key: the header that makes the browser keep it. `None` when the key opens nothing.
    pub(crate) async fn sign_in(&self, key: &Secret) -> Result<Option<HeaderMap>, ApiError> {
        let Some(key) = keys::Fingerprint::of(key.expose().trim()) else { return Ok(None) };
        if key.access(&*self.state.store).await?.is_none() {
            return Ok(None);
        }
        let token = Secret::random().map_err(|error| {
            ApiError::new(StatusCode::INTERNAL_SERVER_ERROR, "no_randomness", error.to_string())
        })?;
        self.sessions.open(&token, key);
        Ok(Some(self.set_cookie(token.expose(), LIFETIME)))
    }

    /// Ends the browser's session: the header that makes it forget.
    pub(crate) fn sign_out(&self, headers: &HeaderMap) -> HeaderMap {
        self.sessions.close(headers);
        self.set_cookie("", Duration::ZERO)
    }

    /// With `Lax`, a link from a message or another site finds who is signed in, and no page elsewhere can make a
    /// browser send the cookie with a form. Nothing that is safe to ask for changes anything.
    fn set_cookie(&self, value: &str, lifetime: Duration) -> HeaderMap {
        let secure = if self.guards.secure_cookies { "; Secure" } else { "" };
        let cookie = format!(
            "{COOKIE}={value}; Path=/; Max-Age={}; HttpOnly; SameSite=Lax{secure}",
            lifetime.as_secs()
        );
        let value = HeaderValue::try_from(cookie).ok();
        value.map(|value| (header::SET_COOKIE, value)).into_iter().collect()
    }
}

fn cookie(headers: &HeaderMap) -> Option<&str> {
    headers
        .get_all(header::COOKIE)
        .iter()
        .filter_map(|value| value.to_str().ok())
        .flat_map(|value| value.split(';'))
        .find_map(|pair| pair.trim().strip_prefix(COOKIE)?.strip_prefix('='))
}
