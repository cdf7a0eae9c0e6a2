//! What a span records, without the macros: each test expands by hand what it needs.
#![expect(
    unused_imports,
    reason = "the macros import what a value may need; lints do not look there from another crate"
)]

use std::{
    panic::catch_unwind,
    pin::pin,
    sync::{Arc, Mutex},
    task::{Context as TaskContext, Poll, Waker},
};

use serde::Serialize;

use crate::{
    __private::{Call, CallSite, capture, outcome},
    Span, SpanKind, SpanStatus, current_span,
    testing::{Spans, capture, capture_with},
};

static TOOL: CallSite = CallSite::function("tool", SpanKind::Tool, "tool");
static AGENT: CallSite = CallSite::function("agent", SpanKind::Agent, "agent");

fn run<R: Serialize>(site: &'static CallSite, body: impl FnOnce() -> R) -> R {
    Call::new(site).run(body, |value, out| outcome!(value, out))
}

fn poll_once<F: Future>(future: F) -> Poll<F::Output> {
    pin!(future).poll(&mut TaskContext::from_waker(Waker::noop()))
}

#[test]
fn a_span_inside_another_is_its_child_and_takes_its_agent() {
    let spans = capture(|| {
        run(&AGENT, || {
            run(&TOOL, || 1);
        });
    });
    assert_eq!(spans.tree(), "agent agent\n  tool tool\n");
    assert_eq!(spans[1].trace_id, spans[0].trace_id);
    assert_eq!(spans[1].agent_name, "agent");
    assert_eq!(spans[0].input, serde_json::Value::Null);
}

#[test]
fn arguments_and_the_result_are_json_objects() {
    let spans = capture(|| {
        let mut call = Call::new(&AGENT);
        call.write_arguments(|arguments| {
            capture!(&"x", arguments.slot("query"));
            capture!(&3_u8, arguments.slot("limit"));
        });
        call.run(|| vec![1, 2], |value, out| outcome!(value, out));
    });
    assert_eq!(spans[0].input, serde_json::json!({"agent_name": "agent", "query": "x", "limit": 3}));
    assert_eq!(spans[0].output, serde_json::json!({"result": [1, 2]}));
}

#[test]
fn an_error_gives_its_text_its_type_and_no_output() {
    let spans = capture(|| {
        let _ = Call::new(&TOOL).run(
            || "x".parse::<u8>(),
            |value: &Result<u8, std::num::ParseIntError>, out| outcome!(value, out),
        );
    });
    assert_eq!(spans[0].status, SpanStatus::Error);
    assert_eq!(spans[0].error_message.as_deref(), Some("invalid digit found in string"));
    assert_eq!(spans[0].exception_type.as_deref(), Some("ParseIntError"));
    assert_eq!(spans[0].output, serde_json::Value::Null);
}

#[test]
fn a_panic_is_recorded_and_goes_on_with_its_payload() {
    let (payload, spans) = capture_with(|| {
        catch_unwind(|| run(&TOOL, || -> u8 { std::panic::resume_unwind(Box::new("out of paper")) }))
            .unwrap_err()
    });
    assert_eq!(payload.downcast_ref::<&str>(), Some(&"out of paper"));
    assert_eq!(spans[0].error_message.as_deref(), Some("out of paper"));
    assert_eq!(spans[0].exception_type.as_deref(), Some("panic"));
}

#[test]
fn an_error_behind_a_box_that_is_a_timeout_gives_the_status_timeout() {
    type Boxed = Result<(), Box<dyn std::error::Error + Send + Sync>>;
    let spans = capture(|| {
        let _ = Call::new(&TOOL).run(
            || -> Boxed { Err(std::io::Error::new(std::io::ErrorKind::TimedOut, "too slow").into()) },
            |value, out| outcome!(value, out),
        );
    });
    assert_eq!(spans[0].status, SpanStatus::Timeout);
    assert_eq!(spans[0].error_message.as_deref(), Some("too slow"));
}

#[test]
fn the_causes_of_an_error_are_part_of_its_text() {
    #[derive(Debug)]
    struct Outer(std::num::ParseIntError);
    impl std::fmt::Display for Outer {
        fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
            f.write_str("bad order number")
        }
    }
    impl std::error::Error for Outer {
        fn source(&self) -> Option<&(dyn std::error::Error + 'static)> {
            Some(&self.0)
        }
    }
    let spans = capture(|| {
        let fail = || "x".parse::<u8>().map_err(Outer);
        let _ = Call::new(&TOOL).run(fail, |value, out| outcome!(value, out));
    });
    assert_eq!(spans[0].error_message.as_deref(), Some("bad order number: invalid digit found in string"));
}

#[test]
fn a_dropped_future_ends_its_span_once_and_drops_inside_it() {
    struct SeesSpan(Arc<Mutex<Option<crate::SpanId>>>);
    impl Drop for SeesSpan {
        fn drop(&mut self) {
            *self.0.lock().unwrap() = current_span().span_id();
        }
    }
    let seen = Arc::new(Mutex::new(None));
    let spans = capture(|| {
        let inner = SeesSpan(Arc::clone(&seen));
        let future = Call::new(&TOOL).follow(
            async move {
                let _inner = inner;
                std::future::pending::<()>().await;
            },
            |(), ending| ending.with((), |(), _| ()),
        );
        assert!(poll_once(future).is_pending());
    });
    assert_eq!(spans.tree(), "tool tool error\n");
    assert_eq!(spans[0].exception_type.as_deref(), Some("cancelled"));
    assert_eq!(*seen.lock().unwrap(), Some(spans[0].span_id));
}

#[test]
fn a_future_that_is_never_polled_makes_no_span() {
    let spans = capture(|| drop(Call::new(&TOOL).follow(async {}, |(), _| ())));
    assert!(spans.is_empty());
}

#[test]
fn a_panic_in_a_poll_leaves_the_context_as_it_was() {
    let spans = capture(|| {
        let future = Call::new(&TOOL).follow(async { panic!("in poll") }, |(), _| ());
        assert!(catch_unwind(std::panic::AssertUnwindSafe(|| poll_once(future))).is_err());
        assert_eq!(current_span().span_id(), None);
    });
    assert_eq!(spans[0].exception_type.as_deref(), Some("panic"));
}

#[test]
fn a_discarded_span_takes_what_starts_inside_it_along() {
    let spans = capture(|| {
        run(&AGENT, || {
            Span::builder("kept").in_scope(|_| ());
            Span::builder("dropped").in_scope(|span| {
                span.discard();
                run(&TOOL, || 1);
            });
        });
    });
    assert_eq!(spans.tree(), "agent agent\n  chain kept\n");
}

#[test]
fn a_handle_adds_to_its_span_from_anywhere_until_it_has_ended() {
    let mut late = None;
    let spans = capture(|| {
        Span::builder("work").in_scope(|span| {
            let span = span.clone();
            std::thread::scope(|threads| {
                threads.spawn(|| span.set_metadata("thread", &1));
            });
            late = Some(span);
        });
        late.as_ref().unwrap().set_metadata("late", &2);
    });
    assert_eq!(spans[0].metadata.len(), 1);
    assert_eq!(late.unwrap().span_id(), Some(spans[0].span_id));
}

#[test]
fn what_is_set_by_hand_wins_over_what_was_captured() {
    let spans = capture(|| {
        run(&TOOL, || {
            current_span().set_input("asked");
            current_span().set_output(&["told"]);
            "returned"
        });
    });
    assert_eq!((&spans[0].input, &spans[0].output), (&"asked".into(), &serde_json::json!(["told"])));
}

#[test]
fn a_status_set_later_wins_and_the_error_stays() {
    let spans = capture(|| {
        Span::builder("m").in_scope(|span| {
            span.record_error("disk");
            span.set_status(SpanStatus::Ok, "");
        });
    });
    assert_eq!(spans[0].status, SpanStatus::Ok);
    assert_eq!(spans[0].error_message.as_deref(), Some("disk"));
    assert_eq!(spans[0].exception_type.as_deref(), Some("str"));
}

#[test]
fn spans_that_have_not_ended_are_returned_as_unfinished() {
    let mut guard = None;
    let spans: Spans = capture(|| guard = Some(Call::new(&TOOL).enter()));
    assert_eq!(spans.tree(), "tool tool (unfinished)\n");
    drop(guard);
}

#[test]
fn captures_side_by_side_see_only_their_own_spans() {
    std::thread::scope(|threads| {
        for name in ["one", "two", "three"] {
            threads.spawn(move || {
                let spans = capture(|| {
                    for _ in 0..100 {
                        Span::builder(name).in_scope(|_| std::thread::yield_now());
                    }
                });
                assert_eq!(spans.named(name).count(), 100);
                assert_eq!(spans.len(), 100);
            });
        }
    });
}

#[test]
fn a_hundred_thousand_nested_spans_end_without_a_deep_stack() {
    let depth = if cfg!(miri) { 100 } else { 100_000 };
    let spans = capture(|| {
        let mut guards: Vec<_> = (0..depth).map(|_| Call::new(&TOOL).enter()).collect();
        while guards.pop().is_some() {}
    });
    assert_eq!(spans.len(), depth);
}
