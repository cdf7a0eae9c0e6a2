//! Charts as SVG. The plot stretches with the page; its axes are text beside it, which does not.

use maud::{Markup, html};

use super::{format, timeline::Timeline};
use crate::model::Measures;

/// One quantity over time.
pub(super) struct Line {
    pub(super) name: &'static str,
    /// The class that gives its colour.
    pub(super) class: &'static str,
    pub(super) value: fn(&Measures) -> Option<f64>,
}

/// A chart of some quantities.
pub(super) struct Chart<'a> {
    pub(super) title: &'a str,
    pub(super) lines: &'a [Line],
    /// How a value is written.
    pub(super) unit: fn(f64) -> String,
    /// The axis is at least so high: 2 for what is counted, so that no half is written beside it.
    pub(super) least: f64,
}

/// The plot's height in its own units; a slot is 10 wide.
const HEIGHT: f64 = 100.0;

impl Chart<'_> {
    /// Stacked bars.
    pub(super) fn bars(&self, timeline: &Timeline) -> Markup {
        let sum = |slot| self.lines.iter().filter_map(|line| (line.value)(slot)).sum::<f64>();
        let top = nice_top(timeline.slots.iter().map(sum).fold(self.least, f64::max));
        let plot = html! {
            @for (index, slot) in timeline.slots.iter().enumerate() {
                @for (bottom, line, value) in self.stack(slot) {
                    @let height = value / top * HEIGHT;
                    rect.{ (line.class) } x=(number(left(index) + 1.0)) width="8"
                        y=(number(HEIGHT - bottom / top * HEIGHT - height)) height=(number(height.max(0.8))) {}
                }
            }
        };
        self.frame(timeline, top, &plot)
    }

    /// What is above what in a bar: the bottom, the line, the value.
    fn stack<'s>(&'s self, slot: &Measures) -> Vec<(f64, &'s Line, f64)> {
        let mut bottom = 0.0;
        let mut parts = Vec::new();
        for line in self.lines {
            if let Some(value) = (line.value)(slot).filter(|value| *value > 0.0) {
                parts.push((bottom, line, value));
                bottom += value;
            }
        }
        parts
    }

    /// Lines, broken where there is no value.
    pub(super) fn lines(&self, timeline: &Timeline) -> Markup {
        let values =
            timeline.slots.iter().flat_map(|slot| self.lines.iter().filter_map(|line| (line.value)(slot)));
        let top = nice_top(values.fold(self.least, f64::max));
        let plot = html! {
            @for line in self.lines {
                @let values: Vec<_> = timeline.slots.iter().map(line.value).collect();
                @let Drawn { path, points } = draw(&values, top);
                path.line.{ (line.class) } vector-effect="non-scaling-stroke" d=(path) {}
                @if !points.is_empty() {
                    path.line.points.{ (line.class) } vector-effect="non-scaling-stroke" d=(points) {}
                }
            }
        };
        self.frame(timeline, top, &plot)
    }

    fn frame(&self, timeline: &Timeline, top: f64, plot: &Markup) -> Markup {
        let is_empty =
            timeline.slots.iter().all(|slot| self.lines.iter().all(|line| (line.value)(slot).is_none()));
        if is_empty {
            return html! {
                figure.chart.card {
                    figcaption.card-head { h2 { (self.title) } }
                    p.chart-empty.muted { "Nothing known in this time range." }
                }
            };
        }
        let width = left(timeline.slots.len());
        let last = timeline.slots.len().saturating_sub(1);
        html! {
            figure.chart.card {
                figcaption.card-head {
                    h2 { (self.title) }
                    @if self.lines.len() > 1 {
                        span.legend {
                            @for line in self.lines { span { i.swatch.{ (line.class) } {} (line.name) } }
                        }
                    }
                }
                div.chart-body {
                    div.y-axis aria-hidden="true" {
                        span { ((self.unit)(top)) } span { ((self.unit)(top / 2.0)) } span { ((self.unit)(0.0)) }
                    }
                    svg.plot viewBox={ "0 0 " (number(width)) " 100" } preserveAspectRatio="none" role="img"
                        aria-label={ (self.title) ": " (self.summary(timeline)) } {
                        path.grid vector-effect="non-scaling-stroke" d={ "M0 0H" (number(width)) "M0 50H" (number(width)) } {}
                        path.axis vector-effect="non-scaling-stroke" d={ "M0 100H" (number(width)) } {}
                        (plot)
                        @for (index, slot) in timeline.slots.iter().enumerate() {
                            rect.hit x=(number(left(index))) y="0" width="10" height="100"
                                data-at=(timeline.at(index)) data-tip=(self.tip(slot)) {}
                        }
                    }
                    div.x-axis aria-hidden="true" {
                        @for index in [0, last / 4, last / 2, last * 3 / 4, last] {
                            (moment(timeline, index))
                        }
                    }
                }
            }
        }
    }

    fn tip(&self, slot: &Measures) -> String {
        let part = |line: &Line| {
            let value = (line.value)(slot).map_or_else(|| "–".to_owned(), self.unit);
            format!("{} {value}", line.name)
        };
        self.lines.iter().map(part).collect::<Vec<_>>().join("\n")
    }

    /// For those who do not see the plot.
    fn summary(&self, timeline: &Timeline) -> String {
        let part = |line: &Line| {
            let values = timeline.slots.iter().filter_map(line.value);
            let most = values.fold(0.0, f64::max);
            format!("{} at most {}", line.name, (self.unit)(most))
        };
        self.lines.iter().map(part).collect::<Vec<_>>().join(", ")
    }
}

/// A row's runs over time in a few pixels, failed ones on top of the others.
pub(super) fn sparkline(timeline: &Timeline) -> Markup {
    let top = timeline.slots.iter().map(|slot| slot.count).max().unwrap_or(0).max(1);
    #[expect(clippy::cast_precision_loss, reason = "a few pixels")]
    let height = |count: u64| count as f64 / top as f64 * 24.0;
    html! {
        svg.sparkline viewBox={ "0 0 " (number(left(timeline.slots.len()))) " 24" } preserveAspectRatio="none"
            aria-hidden="true" {
            path.axis vector-effect="non-scaling-stroke" d={ "M0 24H" (number(left(timeline.slots.len()))) } {}
            @for (index, slot) in timeline.slots.iter().enumerate() {
                @let (good, bad) = (height(slot.count - slot.errors.min(slot.count)), height(slot.errors));
                @if good > 0.0 { rect.fill-ok x=(number(left(index) + 1.0)) y=(number(24.0 - good)) width="8" height=(number(good)) {} }
                @if bad > 0.0 { rect.fill-error x=(number(left(index) + 1.0)) y=(number(24.0 - good - bad)) width="8" height=(number(bad)) {} }
            }
        }
    }
}

/// How long a bar is beside others, below a number in a table.
#[expect(clippy::cast_precision_loss, reason = "a few pixels")]
pub(super) fn meter(value: u64, most: u64) -> Markup {
    let width = if most == 0 { 0.0 } else { value as f64 / most as f64 * 100.0 };
    html! {
        svg.meter viewBox="0 0 100 3" preserveAspectRatio="none" aria-hidden="true" {
            rect x=(number(100.0 - width)) y="0" width=(number(width)) height="3" {}
        }
    }
}

/// A line as SVG paths.
struct Drawn {
    path: String,
    /// Where it is a single point, which would not be seen.
    points: String,
}

fn draw(values: &[Option<f64>], top: f64) -> Drawn {
    let is_known = |index: usize| values.get(index).is_some_and(Option::is_some);
    let mut drawn = Drawn { path: String::new(), points: String::new() };
    for (index, value) in values.iter().enumerate() {
        let Some(value) = value else { continue };
        let place = format!("{} {}", number(left(index) + 5.0), number(HEIGHT - value / top * HEIGHT));
        let goes_on = index.checked_sub(1).is_some_and(is_known);
        if goes_on || is_known(index + 1) {
            drawn.path.push_str(&format!("{}{place}", if goes_on { 'L' } else { 'M' }));
        } else {
            drawn.points.push_str(&format!("M{place}h0.01"));
        }
    }
    drawn
}

fn moment(timeline: &Timeline, slot: usize) -> Markup {
    let at = timeline.at(slot);
    let days = timeline.width.as_secs().saturating_mul(timeline.slots.len() as u64) > 2 * 86_400;
    let text = format::minute(at);
    let (short, format) = if days { (text.get(5..10), "date") } else { (text.get(11..16), "clock") };
    html! { time datetime=(at) data-format=(format) { (short.unwrap_or_default()) } }
}

#[expect(clippy::cast_precision_loss, reason = "a place among a few hundred")]
fn left(slot: usize) -> f64 {
    slot as f64 * 10.0
}

/// Two decimals are more than a pixel.
fn number(value: f64) -> String {
    let text = format!("{value:.2}");
    let text = text.trim_end_matches('0').trim_end_matches('.');
    text.to_owned()
}

/// The least round number that is not below the value and whose half is round as well.
fn nice_top(value: f64) -> f64 {
    if value <= 0.0 || !value.is_finite() {
        return 1.0;
    }
    let power = 10_f64.powf(value.log10().floor());
    [1.0, 2.0, 4.0, 6.0, 8.0]
        .into_iter()
        .map(|step| step * power)
        .find(|top| *top >= value)
        .unwrap_or(10.0 * power)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn an_axis_ends_at_a_round_number() {
        for (value, expected) in [
            (0.0, 1.0),
            (0.025, 0.04),
            (1.0, 1.0),
            (3.0, 4.0),
            (7.0, 8.0),
            (95.0, 100.0),
            (1_234.0, 2_000.0),
            (f64::NAN, 1.0),
        ] {
            let top = nice_top(value);
            assert!((top - expected).abs() < 1e-9, "{value}: {top}");
        }
    }

    #[test]
    fn a_line_breaks_where_nothing_is_known_and_a_single_value_is_a_point() {
        let values = [Some(4.0), None, Some(4.0), Some(2.0), None, Some(0.0)];
        let Drawn { path, points } = draw(&values, 4.0);
        assert_eq!((&*path, &*points), ("M25 0L35 50", "M5 0h0.01M55 100h0.01"));
    }

    #[test]
    fn numbers_are_written_short() {
        assert_eq!([0.0, 10.0, 1.005, 33.333_3].map(number), ["0", "10", "1", "33.33"]);
    }
}
