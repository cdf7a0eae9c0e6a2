use axum::http::{HeaderMap, header};

use super::{Mode, guard::Gate, rules::Rule, session, share::Who};
use crate::{
    keys::Fingerprint,
    model::{Access, Grant},
    store::StoreError,
};

/// What a caller shows to be let in. It is looked up again while an answer goes on, as it may have been taken back.
#[derive(Clone)]
pub(super) enum Credential {
    /// None is needed: whoever reaches a server on its own machine.
    Local,
    Key(Fingerprint),
    Session(session::Token),
}

impl Credential {
    /// What the headers of a request show, as far as the rule of its route takes it.
    pub(super) fn of(mode: Mode, rule: Rule, headers: &HeaderMap) -> Option<Self> {
        match (mode, rule, presented(headers)) {
            // Any key does here. Pages elsewhere cannot send one: it takes a header that browsers ask for first.
            (Mode::Local, Rule::Write, None) => None,
            (Mode::Local, ..) => Some(Self::Local),
            (Mode::Keys, _, Some(key)) => Fingerprint::of(key).map(Self::Key),
            (Mode::Keys, Rule::Write, None) => None,
            (Mode::Keys, _, None) => session::Token::of(headers).map(Self::Session),
        }
    }

    /// What it opens by now, and who that is.
    pub(super) async fn access(&self, gate: &Gate) -> Result<Option<(Access, Who)>, StoreError> {
        let key = match self {
            Self::Local => {
                let access = Access { grant: Grant::Organization, makes_workspaces: true };
                return Ok(Some((access, Who::Everybody)));
            }
            Self::Key(key) => key.clone(),
            Self::Session(token) => match gate.sessions.key(token) {
                Some(key) => key,
                None => return Ok(None),
            },
        };
        let access = key.access(&*gate.state.store).await?;
        Ok(access.map(|access| (access, Who::Key(key.hash()))))
    }
}

/// The key in `X-API-Key`, else in `Authorization: Bearer`.
pub(super) fn presented(headers: &HeaderMap) -> Option<&str> {
    let header = |name| headers.get(name).and_then(|value| value.to_str().ok()).map(str::trim);
    let own = header("x-api-key").filter(|key| !key.is_empty());
    let bearer = || {
        let (scheme, key) = header(header::AUTHORIZATION.as_str())?.split_once(' ')?;
        let key = Some(key.trim()).filter(|key| !key.is_empty());
        key.filter(|_| scheme.eq_ignore_ascii_case("bearer"))
    };
    own.or_else(bearer)
}
