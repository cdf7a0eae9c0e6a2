//! What lists share: rows that stay up to date, and the way to the next page.

use maud::{Markup, html};

use super::{empty, here::Here};
use crate::model::Page;

/// A list around its table. `live.js` replaces rows that changed, and offers new ones by a button, so that
/// nothing moves under the reader.
pub(super) fn live<T>(here: &Here, what: &str, page: &Page<T>, table: &Markup) -> Markup {
    let first_page = here.value("cursor").is_none();
    let is_empty = page.items.is_empty();
    html! {
        section #content data-live="rows" data-first[first_page] {
            div.new-rows { button #new-rows.primary type="button" hidden {} }
            @if is_empty { div data-empty { (empty::no_match(what, here)) } }
            div.card.scroll hidden[is_empty] { (table) }
            nav.pages aria-label="Pages" {
                @if !first_page { a.button href=(here.without(&[])) rel="first" { "⇤ First page" } }
                @if let Some(next) = &page.next {
                    a.button href=(here.with("cursor", next.as_str())) rel="next" { "Next page →" }
                }
            }
        }
    }
}
