use std::sync::Arc;

use axum::{
    Extension, Form,
    extract::Query,
    http::{HeaderMap, StatusCode},
    response::{Html, IntoResponse, Redirect, Response},
};
use maud::{Markup, html};
use serde::Deserialize;

use super::{PageError, layout};
use crate::{
    http::{Destination, Gate},
    keys::Secret,
};

#[derive(Deserialize)]
pub(super) struct Login {
    key: Secret,
    /// The page that was asked for.
    next: Option<String>,
}

/// `GET /login?next=`
pub(super) async fn show(Query(parameters): Query<Vec<(String, String)>>) -> Html<String> {
    let next = parameters.iter().find(|(name, _)| name == "next").and_then(|(_, next)| Destination::of(next));
    Html(page(next.as_ref(), None).into_string())
}

/// `POST /login`
pub(super) async fn sign_in(
    Extension(gate): Extension<Arc<Gate>>,
    Form(Login { key, next }): Form<Login>,
) -> Result<Response, PageError> {
    let next = next.as_deref().and_then(Destination::of);
    Ok(match gate.sign_in(&key).await? {
        Some(session) => {
            (session, Redirect::to(next.as_ref().map_or("/", Destination::as_str))).into_response()
        }
        None => {
            let page = page(next.as_ref(), Some("This key opens nothing. It may have been revoked."));
            (StatusCode::UNAUTHORIZED, Html(page.into_string())).into_response()
        }
    })
}

/// `POST /logout`
pub(super) async fn sign_out(Extension(gate): Extension<Arc<Gate>>, headers: HeaderMap) -> Response {
    (gate.sign_out(&headers), Redirect::to("/login")).into_response()
}

/// The page on which a browser signs in with a key. `error` says why the last try failed.
fn page(next: Option<&Destination>, error: Option<&str>) -> Markup {
    layout::bare(
        "Sign in",
        html! {
            form.card.narrow method="post" action="/login" {
                h1 { "Sign in" }
                p.muted { "This server asks for a key. Whoever runs it makes one with " code { "staso key create" } "." }
                @if let Some(error) = error { p.notice.is-error role="alert" { (error) } }
                @if let Some(next) = next { input type="hidden" name="next" value=(next.as_str()); }
                label.stack {
                    span { "Key" }
                    input type="password" name="key" required autofocus autocomplete="current-password"
                        spellcheck="false" placeholder="staso_…";
                }
                div { button.primary type="submit" { "Sign in" } }
            }
        },
    )
}
