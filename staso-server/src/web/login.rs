use std::sync::Arc;

use axum::{
    Extension, Form,
    http::{HeaderMap, StatusCode},
    response::{Html, IntoResponse, Redirect, Response},
};
use maud::{Markup, html};
use serde::Deserialize;

use super::{PageError, layout};
use crate::{http::Gate, keys::Secret};

#[derive(Deserialize)]
pub(super) struct Login {
    key: Secret,
}

/// `GET /login`
pub(super) async fn show() -> Html<String> {
    Html(page(None).into_string())
}

/// `POST /login`
pub(super) async fn sign_in(
    Extension(gate): Extension<Arc<Gate>>,
    Form(Login { key }): Form<Login>,
) -> Result<Response, PageError> {
    Ok(match gate.sign_in(&key).await? {
        Some(session) => (session, Redirect::to("/")).into_response(),
        None => {
            let page = page(Some("This key opens nothing. It may have been revoked."));
            (StatusCode::UNAUTHORIZED, Html(page.into_string())).into_response()
        }
    })
}

/// `POST /logout`
pub(super) async fn sign_out(Extension(gate): Extension<Arc<Gate>>, headers: HeaderMap) -> Response {
    (gate.sign_out(&headers), Redirect::to("/login")).into_response()
}

/// The page on which a browser signs in with a key. `error` says why the last try failed.
fn page(error: Option<&str>) -> Markup {
    layout::bare(
        "Sign in",
        html! {
            form.card.narrow method="post" action="/login" {
                h1 { "Sign in" }
                p.muted { "This server asks for a key. Whoever runs it makes one with " code { "staso key create" } "." }
                @if let Some(error) = error { p.notice.is-error role="alert" { (error) } }
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
