//! The form of filters above a list. It is a plain GET form: what is chosen stays in the address.

use maud::{Markup, html};

use super::{PageContext, here::Here, layout::icon};

/// A form and what is in it.
pub(super) struct Filters<'a> {
    context: &'a PageContext,
    here: &'a Here,
    fields: Vec<Markup>,
    /// Names that have a field of their own.
    shown: Vec<&'static str>,
}

/// The ranges that can be chosen, by their values in a query.
const RANGES: [(&str, &str); 7] = [
    ("15m", "Last 15 minutes"),
    ("1h", "Last hour"),
    ("6h", "Last 6 hours"),
    ("24h", "Last 24 hours"),
    ("7d", "Last 7 days"),
    ("30d", "Last 30 days"),
    ("all", "All time"),
];

/// The conditions that links can set and that have no field everywhere.
const CONDITIONS: [(&str, &str); 9] = [
    ("agent", "agent"),
    ("conversation", "conversation"),
    ("user", "user"),
    ("tag", "tag"),
    ("model", "model"),
    ("kind", "kind"),
    ("environment", "environment"),
    ("min_duration", "at least"),
    ("until", "until"),
];

/// A narrow page shows so many fields, and the others once asked to.
const SHOWN_ON_PHONES: usize = 3;

impl<'a> Filters<'a> {
    pub(super) fn new(context: &'a PageContext, here: &'a Here) -> Self {
        Self { context, here, fields: Vec::new(), shown: Vec::new() }
    }

    /// A field for words.
    pub(super) fn search(mut self, name: &'static str, label: &'static str) -> Self {
        self.shown.push(name);
        self.fields.push(html! {
            label.search {
                span.visually-hidden { (label) }
                (icon("M7 12a5 5 0 1 0 0-10 5 5 0 0 0 0 10zM10.7 10.7 14 14"))
                input type="search" name=(name) value=[self.here.value(name)] placeholder=(label)
                    autocomplete="off" spellcheck="false";
                kbd aria-hidden="true" { "/" }
            }
        });
        self
    }

    /// A field for a short text.
    pub(super) fn text(mut self, name: &'static str, label: &'static str) -> Self {
        self.shown.push(name);
        self.fields.push(html! {
            label.field {
                span.visually-hidden { (label) }
                input.short type="text" name=(name) value=[self.here.value(name)] placeholder=(label)
                    autocomplete="off" spellcheck="false";
            }
        });
        self
    }

    /// When. `default` is what holds while nothing is chosen.
    pub(super) fn range(mut self, default: &'static str) -> Self {
        self.shown.push("since");
        let chosen = self.here.value("since").unwrap_or(default);
        let known = RANGES.iter().any(|(value, _)| *value == chosen);
        self.fields.push(html! {
            label.field {
                span.visually-hidden { "Time range" }
                select name="since" data-default=(default) {
                    @if !known { option value=(chosen) selected { "Since " (chosen) } }
                    @for (value, name) in RANGES {
                        option value=(value) selected[value == chosen] { (name) }
                    }
                }
            }
        });
        self
    }

    /// One of some values, or any.
    pub(super) fn choice<S: AsRef<str>>(
        mut self,
        name: &'static str,
        any: &'static str,
        values: impl IntoIterator<Item = S>,
    ) -> Self {
        self.shown.push(name);
        let chosen = self.here.value(name);
        let values: Vec<S> = values.into_iter().collect();
        let known = chosen.is_none_or(|chosen| values.iter().any(|value| value.as_ref() == chosen));
        self.fields.push(html! {
            label.field {
                span.visually-hidden { (any) }
                select.is-set[chosen.is_some()] name=(name) {
                    option value="" { (any) }
                    @if let (Some(chosen), false) = (chosen, known) { option value=(chosen) selected { (chosen) } }
                    @for value in &values {
                        option value=(value.as_ref()) selected[chosen == Some(value.as_ref())] { (value.as_ref()) }
                    }
                }
            }
        });
        self
    }

    /// A condition that is on or off.
    pub(super) fn flag(mut self, name: &'static str, off: &'static str, on: &'static str) -> Self {
        self.shown.push(name);
        let is_on = self.here.value(name) == Some("true");
        self.fields.push(html! {
            label.field {
                span.visually-hidden { (on) }
                select.is-set[is_on] name=(name) {
                    option value="" { (off) }
                    option value="true" selected[is_on] { (on) }
                }
            }
        });
        self
    }

    pub(super) fn render(self) -> Markup {
        let chips: Vec<_> = CONDITIONS
            .into_iter()
            .filter(|(name, _)| !self.shown.contains(name))
            .filter_map(|(name, label)| Some((name, label, self.here.value(name)?)))
            .collect();
        html! {
            form.filters method="get" data-filters role="search" aria-label="Filters" {
                @if self.context.names_workspace() {
                    input type="hidden" name="workspace" value=(self.context.workspace.slug);
                }
                @if let Some(sort) = self.here.value("sort") { input type="hidden" name="sort" value=(sort); }
                @for (index, field) in self.fields.iter().enumerate() {
                    @if index < SHOWN_ON_PHONES { (field) } @else { div.extra { (field) } }
                }
                @if self.fields.len() > SHOWN_ON_PHONES {
                    button.more-filters type="button" aria-expanded="false" { "More filters" }
                }
                button.apply type="submit" { "Apply" }
                @for (name, label, value) in chips {
                    span.chip.condition {
                        input type="hidden" name=(name) value=(value);
                        span.muted { (label) } " " b { (value) }
                        a href=(self.here.without(&[name])) aria-label={ "Remove the condition " (label) } { "×" }
                    }
                }
                @if self.here.is_filtered() { a.clear href=(self.here.unfiltered()) { "Clear" } }
            }
        }
    }
}
