#![expect(
    clippy::indexing_slicing,
    reason = "every list here has an entry for each span, and every index is that of one"
)]

use std::collections::{HashMap, HashSet};

use super::{Cost, SpanHead, SpanKind, Tokens, add_counts};

/// What a span adds to the sums of its trace.
///
/// A call's usage is often reported twice: by the call and by what wraps it, or by the calls and by the agent that made
/// them. So a span counts only beyond what the calls beneath it count.
#[derive(Clone, Copy, Debug, Default, PartialEq)]
pub(super) struct Counted {
    pub(super) tokens: Tokens,
    pub(super) cost: Cost,
    /// Whether it is a call of its own, and not only a wrapper of others.
    pub(super) is_call: bool,
}

/// What each of the spans of a trace adds, in their order.
pub(super) fn counted(spans: &[&SpanHead]) -> Vec<Counted> {
    let mut counted: Vec<Counted> = spans.iter().map(|span| Counted::alone(span)).collect();
    let calls: HashSet<&str> =
        spans.iter().filter(|span| is_call(span)).map(|span| span.span_id.as_str()).collect();
    let parents = spans.iter().filter_map(|span| span.parent_span_id.as_ref());
    if calls.len() < 2 || !parents.into_iter().any(|parent| calls.contains(parent.as_str())) {
        return counted;
    }
    let covers = covers(spans);
    let mut waits_for = vec![0_usize; spans.len()];
    covers.iter().flatten().for_each(|cover| waits_for[*cover] += 1);
    let mut beneath: Vec<Beneath<'_>> = std::iter::repeat_with(Beneath::default).take(spans.len()).collect();
    let mut ready: Vec<usize> = (0..spans.len()).filter(|index| waits_for[*index] == 0).collect();
    while let Some(index) = ready.pop() {
        let own = std::mem::take(&mut beneath[index]);
        let total = own.under(index, spans[index], &mut counted);
        let Some(cover) = covers[index] else { continue };
        beneath[cover].add(total);
        waits_for[cover] -= 1;
        if waits_for[cover] == 0 {
            ready.push(cover);
        }
    }
    counted
}

fn is_call(span: &SpanHead) -> bool {
    span.calls_model() && !span.provisional
}

impl Counted {
    fn alone(span: &SpanHead) -> Self {
        Self { tokens: span.tokens.unwrap_or_default(), cost: span.cost, is_call: is_call(span) }
    }
}

/// What the calls beneath a span count together.
#[derive(Default)]
struct Beneath<'a> {
    calls: usize,
    tokens: Tokens,
    cost: Cost,
    /// The one model of all of them.
    model: Option<&'a str>,
    /// Calls that did not tell what they used.
    untold: Vec<usize>,
}

impl<'a> Beneath<'a> {
    fn add(&mut self, mut other: Self) {
        self.model = match self.calls {
            0 => other.model,
            _ => self.model.filter(|model| other.model == Some(*model)),
        };
        self.calls += other.calls;
        self.tokens += other.tokens;
        self.cost += other.cost;
        if self.untold.len() < other.untold.len() {
            std::mem::swap(&mut self.untold, &mut other.untold);
        }
        self.untold.append(&mut other.untold);
    }

    /// Counts a span above these calls. What it and they count together.
    fn under(mut self, index: usize, span: &'a SpanHead, counted: &mut [Counted]) -> Self {
        if !is_call(span) {
            return self;
        }
        if self.calls > 0 {
            counted[index] = self.beyond(span);
            if counted[index].tokens.total > 0 {
                // What they did not tell is in the rest that this span has.
                self.untold.drain(..).for_each(|untold| counted[untold].cost = Cost::default());
                self.cost.unpriced = 0;
            }
        } else if span.tokens.is_none() {
            self.untold.push(index);
        }
        let own = counted[index];
        self.add(Self {
            calls: 1,
            tokens: own.tokens,
            cost: own.cost,
            model: Some(&span.model),
            untold: Vec::new(),
        });
        self
    }

    /// What a span counts beyond them.
    fn beyond(&self, span: &SpanHead) -> Counted {
        let Some(reported) = span.tokens else { return Counted::default() };
        let input = reported.input.saturating_sub(self.tokens.input);
        let output = reported.output.saturating_sub(self.tokens.output);
        let total = match reported.total == add_counts(reported.input, reported.output) {
            true => add_counts(input, output),
            false => reported.total.saturating_sub(self.tokens.total).max(add_counts(input, output)),
        };
        if total == 0 {
            return Counted::default();
        }
        let tokens = Tokens { input, output, total };
        Counted { tokens, cost: self.rest_of_cost(span, reported, total), is_call: true }
    }

    fn rest_of_cost(&self, span: &SpanHead, reported: Tokens, rest: u64) -> Cost {
        let Cost { nano_usd, priced: 1.., .. } = span.cost else { return span.cost };
        if self.model == Some(&span.model) && self.cost.is_complete() {
            return Cost { nano_usd: nano_usd.saturating_sub(self.cost.nano_usd), ..span.cost };
        }
        let share =
            u128::from(nano_usd) * u128::from(rest.min(reported.total)) / u128::from(reported.total.max(1));
        Cost { nano_usd: u64::try_from(share).unwrap_or(nano_usd), ..span.cost }
    }
}

/// For each call, the call above it whose usage may have its own in it.
///
/// That is the nearest one above, but a call to a model never has in it what a tool used that it asked for.
fn covers(spans: &[&SpanHead]) -> Vec<Option<usize>> {
    /// A chain of tools and calls may be as long as a trace; who is further up than this does not count.
    const FURTHEST: usize = 64;
    let above = calls_above(spans);
    let cover = |index: usize| {
        let (mut call, mut through_tool) = above[index]?;
        for _ in 0..FURTHEST {
            if !(through_tool && spans[call].kind == SpanKind::Llm) {
                return Some(call);
            }
            (call, _) = above[call]?;
            through_tool = true;
        }
        None
    };
    (0..spans.len()).map(|index| if is_call(spans[index]) { cover(index) } else { None }).collect()
}

/// For each span, the nearest call above it, and whether it is, or is in, a tool beneath that call.
fn calls_above(spans: &[&SpanHead]) -> Vec<Option<(usize, bool)>> {
    #[derive(Clone, Copy, PartialEq)]
    enum Visit {
        Never,
        Begun,
        Done,
    }
    let by_id: HashMap<&str, usize> =
        spans.iter().enumerate().map(|(index, span)| (span.span_id.as_str(), index)).collect();
    let parent = |index: usize| by_id.get(spans[index].parent_span_id.as_ref()?.as_str()).copied();
    let mut above = vec![None; spans.len()];
    let mut visits = vec![Visit::Never; spans.len()];
    let mut path = Vec::new();
    for start in 0..spans.len() {
        let mut next = Some(start);
        while let Some(index) = next.filter(|index| visits[*index] == Visit::Never) {
            visits[index] = Visit::Begun;
            path.push(index);
            next = parent(index);
        }
        while let Some(index) = path.pop() {
            // A parent that is still being visited is beneath its own child: nothing is above either.
            let parent = parent(index).filter(|parent| visits[*parent] == Visit::Done);
            let is_tool = matches!(spans[index].kind, SpanKind::Tool | SpanKind::Retriever);
            above[index] = parent.and_then(|parent| match is_call(spans[parent]) {
                true => Some((parent, is_tool)),
                false => above[parent].map(|(call, through_tool)| (call, through_tool || is_tool)),
            });
            visits[index] = Visit::Done;
        }
    }
    above
}

#[cfg(test)]
mod tests;
