use std::{sync::Arc, time::Duration};

use axum::{
    body::Body,
    extract::{MatchedPath, Request, State},
    http::{HeaderMap, StatusCode},
    middleware::Next,
    response::{IntoResponse, Redirect, Response},
};

use super::{
    ApiError, Caller, Destination, Intake,
    body::read_whole,
    credential::{self, Credential},
    guard::Gate,
    rules::{self, Rule},
    share::{Share, Who},
    streams,
};

/// The greatest form, in bytes.
const MAX_FORM: usize = 64 << 10;

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
    match rule {
        Some(Rule::Probe) => return next.run(request).await,
        Some(Rule::Public) if request.method().is_safe() => return next.run(request).await,
        Some(Rule::Public) => return within_share(&gate, Who::Nobody, rule, request, next).await,
        _ => {}
    }
    let credential = rule.and_then(|rule| Credential::of(gate.state.mode, rule, request.headers()));
    let access = match &credential {
        Some(credential) => credential.access(&gate).await,
        None => Ok(None),
    };
    match access {
        Ok(Some((access, who))) => {
            request.extensions_mut().insert(Caller(access.clone()));
            let response = within_share(&gate, who, rule, request, next).await;
            match credential {
                Some(credential) if streams::is_stream(response.headers()) => {
                    streams::admit(response, gate, who, credential, access)
                }
                _ => response,
            }
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

/// Serves a request as far as its caller has not too many under way. What SDKs send is read by its handler; every
/// other body is a form, which is read here.
async fn within_share(
    gate: &Gate,
    who: Who,
    rule: Option<Rule>,
    mut request: Request,
    next: Next,
) -> Response {
    let own = gate.shares.of(who);
    let Some(_under_way) = Share::take(&own.requests, 1) else {
        return ApiError::overloaded(Duration::from_secs(1)).into_response();
    };
    let intake = Intake { one: gate.guards.max_body, own, all: Arc::clone(gate.shares.all()) };
    if rule == Some(Rule::Write) || request.method().is_safe() {
        request.extensions_mut().insert(intake);
        return next.run(request).await;
    }
    // The room is held until the form is answered.
    let mut room = intake.room();
    let (parts, body) = request.into_parts();
    match read_whole(body, MAX_FORM, &mut room).await {
        Ok(form) => next.run(Request::from_parts(parts, Body::from(form))).await,
        Err(error) => error.into_response(),
    }
}

fn unauthorized(rule: Option<Rule>, headers: &HeaderMap) -> ApiError {
    let (code, message) = match (rule, credential::presented(headers)) {
        (None, _) => ("no_rule", "nobody may call this route: `http::ROUTES` has no rule for it"),
        (Some(_), None) => ("no_key", "send a key in the header `X-API-Key`"),
        (Some(_), Some(_)) => {
            ("invalid_key", "the key is not known, or was revoked; make one with `staso key create`")
        }
    };
    ApiError::new(StatusCode::UNAUTHORIZED, code, message)
}
