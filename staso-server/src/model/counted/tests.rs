use super::*;
use crate::model::{SpanId, SpanStatus, Timestamp};

/// A span that tells what it used, at a price of 1 per token in and 4 per token out.
fn span(id: &str, parent: &str, kind: SpanKind, used: Option<(u64, u64)>) -> SpanHead {
    let tokens = used.map(|(input, output)| Tokens { input, output, total: input + output });
    let calls_model = kind == Llm || tokens.is_some();
    SpanHead {
        span_id: SpanId::new(id),
        parent_span_id: (!parent.is_empty()).then(|| SpanId::new(parent)),
        name: id.to_owned(),
        kind,
        started_at: Timestamp::from_micros(0),
        duration_micros: 1,
        status: SpanStatus::Ok,
        provisional: false,
        agent: String::new(),
        conversation_id: String::new(),
        user_id: String::new(),
        model: if calls_model { "m".to_owned() } else { String::new() },
        tags: Vec::new(),
        tokens,
        cost: if calls_model {
            Cost::of_call(used.map(|(input, output)| input + 4 * output))
        } else {
            Cost::default()
        },
    }
}

/// Input, output, cost, calls without a price, calls.
fn sums(spans: &[SpanHead]) -> (u64, u64, u64, u64, usize) {
    let spans: Vec<&SpanHead> = spans.iter().collect();
    let all = counted(&spans);
    let (mut tokens, mut cost) = (Tokens::default(), Cost::default());
    for one in &all {
        tokens += one.tokens;
        cost += one.cost;
    }
    assert_eq!(tokens.total, tokens.input + tokens.output);
    (tokens.input, tokens.output, cost.nano_usd, cost.unpriced, all.iter().filter(|one| one.is_call).count())
}

use SpanKind::{Agent, Chain, Llm, Tool};

#[test]
fn b10_a_wrapper_and_its_call_count_once() {
    for wrapper in [Agent, Llm, Chain] {
        let spans = [span("w", "", wrapper, Some((1_000, 10))), span("c", "w", Llm, Some((1_000, 10)))];
        assert_eq!(sums(&spans), (1_000, 10, 1_040, 0, 1), "{wrapper:?}");
    }
    let three = [
        span("a", "", Agent, Some((1_000, 10))),
        span("w", "a", Llm, Some((1_000, 10))),
        span("between", "w", Chain, None),
        span("c", "between", Llm, Some((1_000, 10))),
    ];
    assert_eq!(sums(&three), (1_000, 10, 1_040, 0, 1));
}

#[test]
fn b10_an_agent_with_the_sums_of_its_calls() {
    let spans = [
        span("a", "", Agent, Some((1_500, 30))),
        span("1", "a", Llm, Some((1_000, 10))),
        span("t", "a", Tool, None),
        span("2", "t", Llm, Some((500, 20))),
    ];
    assert_eq!(sums(&spans), (1_500, 30, 1_620, 0, 2));
}

#[test]
fn b10_a_span_counts_beyond_what_is_beneath_it() {
    let more = [span("a", "", Agent, Some((1_500, 30))), span("c", "a", Llm, Some((1_000, 10)))];
    assert_eq!(sums(&more), (1_500, 30, 1_620, 0, 2));
    // The usage of its last call, say.
    let less = [
        span("a", "", Agent, Some((500, 20))),
        span("1", "a", Llm, Some((1_000, 10))),
        span("2", "a", Llm, Some((500, 20))),
    ];
    assert_eq!(sums(&less), (1_500, 30, 1_620, 0, 2));
    let mut other_model = more;
    other_model[1].model = "n".to_owned();
    // Two thirds of its tokens cost two thirds of its price, as no more is known.
    assert_eq!(sums(&other_model), (1_500, 30, 1_040 + 1_620 * 520 / 1_530, 0, 2));
}

#[test]
fn b10_a_wrapper_without_usage_is_no_call() {
    let spans = [span("w", "", Llm, None), span("c", "w", Llm, Some((1_000, 10)))];
    assert_eq!(sums(&spans), (1_000, 10, 1_040, 0, 1));
    let both = [span("w", "", Llm, None), span("c", "w", Llm, None)];
    assert_eq!(sums(&both), (0, 0, 0, 1, 1));
}

#[test]
fn b10_what_calls_did_not_tell_is_in_the_rest_of_what_wraps_them() {
    let spans = [
        span("a", "", Agent, Some((1_500, 30))),
        span("1", "a", Llm, Some((1_000, 10))),
        span("2", "a", Llm, None),
    ];
    assert_eq!(sums(&spans).3, 0);
    assert_eq!((sums(&spans).0, sums(&spans).1), (1_500, 30));
    let nothing_left = [
        span("a", "", Agent, Some((1_000, 10))),
        span("1", "a", Llm, Some((1_000, 10))),
        span("2", "a", Llm, None),
    ];
    assert_eq!(sums(&nothing_left), (1_000, 10, 1_040, 1, 2));
}

#[test]
fn a_call_does_not_have_in_it_what_a_tool_used() {
    let spans = [
        span("a", "", Agent, Some((1_300, 15))),
        span("c", "a", Llm, Some((1_000, 10))),
        span("t", "c", Tool, None),
        span("other", "t", Llm, Some((300, 5))),
    ];
    assert_eq!(sums(&spans), (1_300, 15, 1_360, 0, 2));
    assert_eq!(sums(&spans[1..]), (1_300, 15, 1_360, 0, 2), "also without the agent above both");
}

#[test]
fn calls_beside_each_other_count_each() {
    let spans = [
        span("a", "", Agent, None),
        span("1", "a", Llm, Some((1_000, 10))),
        span("2", "a", Llm, Some((1_000, 10))),
    ];
    assert_eq!(sums(&spans), (2_000, 20, 2_080, 0, 2));
}

#[test]
fn spans_that_are_each_others_parents_are_counted() {
    let turned = [
        span("a", "b", Llm, Some((7, 1))),
        span("b", "a", Llm, Some((7, 1))),
        span("c", "c", Llm, Some((5, 0))),
    ];
    assert_eq!(sums(&turned), (12, 1, 16, 0, 2));
}

#[test]
fn a_chain_as_long_as_a_trace_is_counted_in_time() {
    const SPANS: usize = 50_000;
    let spans: Vec<SpanHead> = (0..SPANS)
        .map(|number| {
            let parent = if number == 0 { String::new() } else { (number - 1).to_string() };
            span(
                &number.to_string(),
                &parent,
                if number % 2 == 0 { Llm } else { Tool },
                Some((SPANS as u64, 0)),
            )
        })
        .collect();
    assert!(sums(&spans).0 >= SPANS as u64);
}
