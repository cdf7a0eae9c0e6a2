use std::sync::Arc;

use axum::{
    extract::{MatchedPath, Request, State},
    http::{HeaderMap, StatusCode, header},
    middleware::Next,
    response::{IntoResponse, Redirect, Response},
};

use super::{
    ApiError, Caller, Destination, Mode,
    guard::Gate,
    rules::{self, Rule},
};
use crate::{
    keys,
    model::{Access, Grant},
    store::StoreError,
};

/// Finds out who calls, by the rule of the route, and tells the handler with [`Caller`].
pub(super) async fn authenticate(
    State(gate): State<Arc<Gate>>,
    mut request: Request,
    next: Next,
) -> Response {
    // Without a route there is nothing to protect: 404.
    let Some(route) = request.extensions().get::<MatchedPath>().cloned() else {
        return next.run(request).await;
    };
    let rule = rules::of(route.as_str());
    if matches!(rule, Some(Rule::Public | Rule::Probe)) {
        return next.run(request).await;
    }
    match access(&gate, rule, request.headers()).await {
        Ok(Some(access)) => {
            request.extensions_mut().insert(Caller(access));
            next.run(request).await
        }
        Ok(None) if rule == Some(Rule::Page) => {
            let asked = request.method().is_safe().then(|| request.uri());
            let login = asked.map_or_else(|| "/login".to_owned(), Destination::login);
            Redirect::to(&login).into_response()
        }
        Ok(None) => unauthorized(rule, request.headers()).into_response(),
        Err(error) => ApiError::from(error).into_response(),
    }
}

async fn access(gate: &Gate, rule: Option<Rule>, headers: &HeaderMap) -> Result<Option<Access>, StoreError> {
    let Some(rule) = rule else { return Ok(None) };
    let key = presented(headers);
    match (gate.state.mode, rule, key) {
        // Any key does here. Pages elsewhere cannot send one: it takes a header that browsers ask for first.
        (Mode::Local, Rule::Write, None) => Ok(None),
        (Mode::Local, ..) => Ok(Some(Access { grant: Grant::Organization, makes_workspaces: true })),
        (Mode::Keys, _, Some(key)) => keys::access(&*gate.state.store, key).await,
        (Mode::Keys, Rule::Write, None) => Ok(None),
        (Mode::Keys, _, None) => gate.sessions.access(&*gate.state.store, headers).await,
    }
}

fn unauthorized(rule: Option<Rule>, headers: &HeaderMap) -> ApiError {
    let (code, message) = match (rule, presented(headers)) {
        (None, _) => ("no_rule", "nobody may call this route: `http::ROUTES` has no rule for it"),
        (Some(_), None) => ("no_key", "send a key in the header `X-API-Key`"),
        (Some(_), Some(_)) => {
            ("invalid_key", "the key is not known, or was revoked; make one with `staso key create`")
        }
    };
    ApiError::new(StatusCode::UNAUTHORIZED, code, message)
}

/// The key in `X-API-Key`, else in `Authorization: Bearer`.
fn presented(headers: &HeaderMap) -> Option<&str> {
    let header = |name| headers.get(name).and_then(|value| value.to_str().ok()).map(str::trim);
    let own = header("x-api-key").filter(|key| !key.is_empty());
    let bearer = || {
        let (scheme, key) = header(header::AUTHORIZATION.as_str())?.split_once(' ')?;
        let key = Some(key.trim()).filter(|key| !key.is_empty());
        key.filter(|_| scheme.eq_ignore_ascii_case("bearer"))
    };
    own.or_else(bearer)
}
