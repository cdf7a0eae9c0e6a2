//! Spans without an attribute, and what can be set on them.

use serde_json::json;
use staso::{Span, SpanKind, SpanStatus, Usage};

use crate::{
    compare::{Golden, report},
    harness::{LONG, Run, builder, check},
};

#[test]
fn manual_spans_carry_what_is_set_on_them() {
    check(Golden::load("manual_span"), || {
        staso::span!("embed-query", kind = "retriever", |span| {
            span.set_input(&json!({"q": "x"}));
            span.set_output(&json!({"hits": 2}));
            span.set_metadata("hit_count", &2);
        });
        Span::builder("slow-step")
            .kind(SpanKind::Custom)
            .in_scope(|span| span.set_status(SpanStatus::Timeout, "took too long"));
        Span::builder("plain").in_scope(|_| ());
    });
}

#[test]
fn inputs_that_say_nothing_are_empty() {
    check(Golden::load("manual_span_odd_values"), || {
        let values = [json!("text"), json!([1, 2]), json!(0), json!({}), json!(null)];
        for (index, value) in values.iter().enumerate() {
            Span::builder(format!("v{index}")).in_scope(|span| {
                span.set_input(value);
                span.set_output(value);
            });
        }
        Span::builder("st").in_scope(|span| span.set_status(SpanStatus::Error, "plain string status"));
    });
}

#[test]
fn a_request_to_a_model_carries_model_provider_and_tokens() {
    check(Golden::load("llm_span"), || {
        Span::builder("chat").kind(SpanKind::Llm).in_scope(|span| {
            span.set_requested_model("gpt-4o-mini");
            span.set_model("gpt-4o-mini-2024-07-18");
            span.set_provider("openai");
            span.set_reasoning_effort("low");
            span.set_usage(Usage::new(12, 34));
            span.set_input(&json!({"model": "gpt-4o-mini", "messages": [{"role": "user", "content": "hi"}]}));
            span.set_output(&json!({"content": "hello"}));
            span.set_metadata("stop_reason", "stop");
            span.set_metadata("temperature", &0.2);
        });
        Span::builder("bare").kind(SpanKind::Llm).in_scope(|span| span.set_model("m-2"));
        Span::builder("meta-provider")
            .kind(SpanKind::Llm)
            .in_scope(|span| span.set_metadata("provider", "anthropic"));
    });
}

#[test]
fn metadata_may_be_added_until_the_span_ends() {
    check(Golden::load("capture_policy_user_metadata_mutation"), || {
        Span::builder("m").in_scope(|span| {
            Span::builder("c").in_scope(|_| ());
            span.set_metadata("late", &true);
            span.set_metadata("exception.type", "UserSet");
            span.set_metadata("provider", "p");
        });
    });
}

#[test]
fn a_discarded_span_is_not_sent_nor_what_starts_inside_it() {
    #[staso::tool]
    fn inside() -> u32 {
        1
    }

    #[staso::agent]
    fn a() {
        Span::builder("keep1").in_scope(|_| ());
        Span::builder("dropped").in_scope(|span| {
            span.discard();
            inside();
        });
        Span::builder("keep2").in_scope(|_| ());
    }

    check(Golden::load("span_dropped"), a);
}

#[test]
fn a_discarded_root_sends_nothing() {
    let golden = Golden::load("root_dropped");
    let run = Run::start(builder());
    Span::builder("root").in_scope(Span::discard);
    let flushed = report(&run.client.flush(LONG));
    assert_eq!((&flushed["accepted"], &flushed["ok"]), (&json!(0), &json!(true)));
    golden.check(&run.finish());
}
