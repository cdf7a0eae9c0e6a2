use axum::{
    http::StatusCode,
    response::{Html, IntoResponse, Redirect, Response},
};
use maud::html;

use super::layout;
use crate::{http::ApiError, store::StoreError};

/// Why a page cannot be shown. It answers with a page that says so.
#[derive(Debug)]
pub struct PageError(ApiError);

impl From<ApiError> for PageError {
    fn from(error: ApiError) -> Self {
        Self(error)
    }
}

impl From<StoreError> for PageError {
    fn from(error: StoreError) -> Self {
        Self(error.into())
    }
}

impl IntoResponse for PageError {
    fn into_response(self) -> Response {
        let status = self.0.status();
        if status == StatusCode::UNAUTHORIZED {
            return Redirect::to("/login").into_response();
        }
        let title = match status {
            StatusCode::NOT_FOUND => "Not found",
            StatusCode::BAD_REQUEST => "That address cannot be read",
            StatusCode::FORBIDDEN => "Not allowed",
            _ => "This page could not be made",
        };
        let page = layout::bare(
            title,
            html! {
                section.card.narrow {
                    p.eyebrow { (status.as_u16()) }
                    h1 { (title) }
                    p { (sentence(self.0.message())) }
                    p { a.button href="/" { "Back to the overview" } }
                }
            },
        );
        (status, Html(page.into_string())).into_response()
    }
}

/// Error messages begin in lower case; a page shows them as sentences.
fn sentence(message: &str) -> String {
    let mut chars = message.chars();
    chars.next().map_or_else(String::new, |first| {
        let end = if message.ends_with('.') { "" } else { "." };
        first.to_uppercase().chain(chars).chain(end.chars()).collect()
    })
}
