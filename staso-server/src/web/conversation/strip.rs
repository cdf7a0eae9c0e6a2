use std::ops::Range;

use maud::{Markup, html};

use super::{Numbered, turn_link};
use crate::{
    model::{ConversationSummary, TraceSummary},
    web::{PageContext, format},
};

/// Where a turn's bar is on the timeline, in percent.
#[derive(Debug, PartialEq)]
struct Slot {
    start: f64,
    width: f64,
    /// The pause before the turn is longer than it is drawn.
    shortened: bool,
}

/// The turns as bars on one timeline. Long pauses are drawn shorter than they were, and marked.
pub(super) fn strip(
    context: &PageContext,
    summary: &ConversationSummary,
    turns: &[Numbered],
    on_page: Range<u64>,
) -> Markup {
    let spans: Vec<(i64, u64)> =
        turns.iter().map(|turn| (turn.trace.started_at.as_micros(), turn.trace.duration_micros)).collect();
    let every = turns.len().div_ceil(30).max(1) as u64;
    html! {
        nav.strip.card aria-label="Timeline of the turns" {
            svg {
                @for (turn, slot) in turns.iter().zip(layout(&spans)) {
                    @let trace = &turn.trace;
                    @if slot.shortened {
                        line.pause x1={ (slot.start) "%" } x2={ (slot.start) "%" } y1="12" y2="44" {}
                    }
                    a href=(target(context, summary, turn, &on_page)) data-turn=(turn.number)
                        aria-label=(label(turn.number, trace)) {
                        title { (label(turn.number, trace)) }
                        rect.hitbox x={ (slot.start) "%" } width={ (slot.width) "%" } y="0" height="56" {}
                        rect.turn-bar.{ "is-" (trace.status.as_str()) } x={ (slot.start) "%" }
                            width={ (slot.width) "%" } y="16" height="22" rx="3" {}
                        @if trace.status.is_failure() {
                            rect.hatch x={ (slot.start) "%" } width={ (slot.width) "%" } y="16" height="22" rx="3" {}
                            text.failed x={ (slot.start + slot.width / 2.0) "%" } y="11" { "✗" }
                        }
                        @if turn.number.is_multiple_of(every) || every == 1 {
                            text x={ (slot.start + slot.width / 2.0) "%" } y="52" { (turn.number) }
                        }
                    }
                }
                defs {
                    pattern #hatching width="6" height="6" patternUnits="userSpaceOnUse" patternTransform="rotate(45)" {
                        rect width="3" height="6" {}
                    }
                }
            }
            @if (turns.len() as u64) < summary.traces {
                p.muted { "The last " (format::count(turns.len() as u64)) " of " (format::count(summary.traces)) " turns." }
            }
        }
    }
}

/// Where a click leads: to the turn, on this page or on its own.
fn target(
    context: &PageContext,
    summary: &ConversationSummary,
    turn: &Numbered,
    on_page: &Range<u64>,
) -> String {
    match on_page.contains(&turn.number) {
        true => format!("#turn-{}", turn.number),
        false => turn_link(context, summary, turn.number),
    }
}

fn label(number: u64, trace: &TraceSummary) -> String {
    format!("Turn {number}, {}, {}", trace.status.as_str(), format::duration(trace.duration_micros))
}

/// Places spans of start and duration side by side. A bar has at least an eighth of the mean width, a pause at
/// most half of it.
#[expect(clippy::cast_precision_loss, reason = "places on a screen")]
fn layout(spans: &[(i64, u64)]) -> Vec<Slot> {
    let count = spans.len() as f64;
    let mean = (spans.iter().map(|(_, duration)| *duration as f64).sum::<f64>() / count).max(1.0);
    let mut at = 0.0;
    let mut last_end: Option<i64> = None;
    let mut slots: Vec<Slot> = Vec::with_capacity(spans.len());
    for (start, duration) in spans {
        let pause = last_end.map_or(0, |end| start.saturating_sub(end)).max(0) as f64;
        at += pause.clamp(mean / 16.0, mean / 2.0);
        let width = (*duration as f64).max(mean / 8.0);
        slots.push(Slot { start: at, width, shortened: pause > mean / 2.0 });
        at += width;
        last_end = Some(start.saturating_add(i64::try_from(*duration).unwrap_or(i64::MAX)));
    }
    let scale = 100.0 / (at + mean / 16.0);
    for slot in &mut slots {
        slot.start = round(slot.start * scale);
        slot.width = round(slot.width * scale);
    }
    slots
}

fn round(percent: f64) -> f64 {
    (percent * 1_000.0).round() / 1_000.0
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    #[test]
    fn long_pauses_are_shortened_and_marked() {
        let slots = layout(&[(0, 100), (150, 100), (1_000_000, 100)]);
        assert_eq!(slots.iter().map(|slot| slot.shortened).collect::<Vec<_>>(), [false, false, true]);
        assert!((slots[1].start - slots[0].start - (slots[2].start - slots[1].start)).abs() < 0.01);
    }

    proptest! {
        #[test]
        fn bars_are_in_order_and_inside_and_none_vanishes(
            spans in prop::collection::vec((0_i64..1_000_000_000, 0_u64..100_000_000), 1..60),
        ) {
            let mut spans = spans;
            spans.sort_unstable();
            let mut at = 0.0;
            for slot in layout(&spans) {
                prop_assert!(slot.start >= at && slot.width > 0.0, "{slot:?}");
                at = slot.start + slot.width - 0.002;
            }
            prop_assert!(at <= 100.0);
        }
    }
}
