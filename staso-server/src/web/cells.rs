//! Cells that several tables share.

use maud::{Markup, html};

use super::{Link, PageContext, format};
use crate::model::{Cost, Histogram, Measures};

/// An agent's name, linked to its page.
pub(super) fn agent(context: &PageContext, name: &str) -> Markup {
    if name.is_empty() {
        return html! { span.none { "–" } };
    }
    html! { a.quiet href=(context.link(Link::to("/agents").part(name))) { (name) } }
}

/// An end user's name, linked to the user's traces.
pub(super) fn user(context: &PageContext, name: &str) -> Markup {
    if name.is_empty() {
        return html! { span.none { "–" } };
    }
    html! { a.quiet href=(context.link(Link::to("/traces")).with("user", name)) { (name) } }
}

/// A conversation's identifier, linked to its page.
pub(super) fn conversation(context: &PageContext, id: &str) -> Markup {
    if id.is_empty() {
        return html! { span.none { "–" } };
    }
    html! { a.quiet href=(context.link(Link::to("/conversations").part(id))) { (id) } }
}

/// A quantile of a latency.
pub(super) fn quantile(latency: &Histogram, part: f64) -> Markup {
    match latency.quantile(part) {
        Some(micros) => html! { (format::duration(micros)) },
        None => html! { span.none { "–" } },
    }
}

/// Failed ones among all, red where there are any.
pub(super) fn error_rate(measures: &Measures) -> Markup {
    let text = format::percent(measures.error_rate());
    let exact = format!("{} of {} failed", format::count(measures.errors), format::count(measures.count));
    html! { span.bad[measures.errors > 0] title=(exact) { (text) } }
}

/// What something cost, with a reason where that is not known in full.
pub(super) fn cost(cost: &Cost) -> Markup {
    let text = format::cost(cost);
    if cost.is_complete() {
        return html! { span.none[cost.priced == 0] { (text) } };
    }
    let calls = cost.priced + cost.unpriced;
    let reason = format!("the price of {} of {calls} model calls is not known", cost.unpriced);
    html! { span.muted title=(reason) { (text) } }
}
