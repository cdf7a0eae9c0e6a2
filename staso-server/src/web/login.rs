//! The page on which a browser signs in.

use maud::{Markup, html};

use super::layout;

/// The page on which a browser signs in with a key. `error` says why the last try failed.
#[must_use]
pub fn page(error: Option<&str>) -> Markup {
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
