//! Conversations, blocks, handles and contexts as users write them.

use std::thread;

use staso::{Context, Conversation, FutureExt as _, Span, SpanKind, SpanStatus, testing::capture};

#[staso::agent]
fn chat(message: &str) -> String {
    message.to_uppercase()
}

fn conversations(spans: &staso::testing::Spans) -> Vec<(&str, Option<&str>)> {
    spans.iter().map(|span| (&*span.conversation_id, span.user_id.as_deref())).collect()
}

#[test]
fn the_innermost_conversation_wins_and_the_outer_one_comes_back() {
    let spans = capture(|| {
        chat("before");
        staso::conversation!("outer", user_id = "u1", {
            chat("1");
            staso::conversation!("inner", { chat("2") });
            staso::conversation!("inner2", user_id = "u2", { chat("3") });
            chat("4");
        });
        Conversation::new(42).scope(|| chat("5"));
    });
    assert_eq!(
        conversations(&spans),
        [
            ("test-session", None),
            ("outer", Some("u1")),
            ("inner", Some("u1")),
            ("inner2", Some("u2")),
            ("outer", Some("u1")),
            ("42", None),
        ]
    );
}

#[test]
fn a_conversation_with_a_blank_id_gets_a_new_one_and_a_blank_user_is_none() {
    let spans = capture(|| {
        staso::conversation!("outer", user_id = "u1", {
            staso::conversation!(String::new(), user_id = "", { chat("1") });
            Conversation::new(" ").user_id("\t").scope(|| chat("2"));
            Conversation::new("inner").scope(|| chat("3"));
        });
    });
    let [(first, u1), (second, u2), third] = conversations(&spans)[..] else { panic!("{spans:?}") };
    assert_eq!((u1, u2, third), (Some("u1"), Some("u1"), ("inner", Some("u1"))));
    assert!(first.len() == 36 && second.len() == 36 && first != second, "{first} {second}");
}

#[test]
fn a_conversation_without_an_id_gets_a_new_one() {
    let spans = capture(|| {
        staso::conversation!({
            chat("a");
            chat("b");
        });
        staso::conversation!({ chat("c") });
    });
    assert_eq!(spans[0].conversation_id, spans[1].conversation_id);
    assert_ne!(spans[0].conversation_id, spans[2].conversation_id);
    assert_eq!(spans[2].conversation_id.len(), 36);
}

#[test]
fn a_conversation_opened_inside_an_agent_holds_the_spans_that_start_in_it() {
    #[staso::agent]
    fn outer() {
        staso::conversation!("c", { chat("x") });
    }
    let spans = capture(outer);
    assert_eq!(conversations(&spans), [("test-session", None), ("c", None)]);
    assert_eq!(spans.tree(), "agent outer\n  agent chat\n");
}

#[test]
fn blocks_give_their_value_and_let_control_flow_through() {
    fn early(stop: bool) -> Result<u8, std::num::ParseIntError> {
        for round in 0..3 {
            let seen = staso::span!("round", |span| {
                span.set_metadata("round", &round);
                if round == 1 {
                    continue;
                }
                if stop {
                    return Ok(round);
                }
                round
            });
            assert_ne!(seen, 1);
        }
        staso::conversation!("c", { "x".parse::<u8>() })?;
        Ok(staso::span!("never", { 1 }))
    }
    let spans = capture(|| assert_eq!(early(true), Ok(0)));
    assert_eq!(spans.tree(), "chain round\n");
    let spans = capture(|| assert!(early(false).is_err()));
    assert_eq!(spans.tree(), "chain round\nchain round\nchain round\n");
}

#[test]
fn a_failing_step_of_a_block_is_marked_as_failed() {
    fn parse(text: &str) -> Result<u8, std::num::ParseIntError> {
        let number = staso::span!("parse", kind = "tool", tags = ["t"], { text.parse::<u8>()? });
        Ok(number)
    }
    let spans = capture(|| assert!(parse("x").is_err()));
    assert_eq!(spans[0].status, SpanStatus::Error);
    assert_eq!(spans[0].exception_type.as_deref(), Some("ParseIntError"));
    assert_eq!((spans[0].kind, &spans[0].tags), (SpanKind::Tool, &vec!["t".to_owned()]));
}

#[tokio::test]
async fn blocks_await_return_and_fail_as_the_function_around_them() {
    async fn step(text: &str) -> Result<u8, std::num::ParseIntError> {
        tokio::task::yield_now().await;
        text.parse()
    }
    async fn run(text: &str) -> Result<u8, std::num::ParseIntError> {
        let number = staso::conversation!("conv", user_id = "user", {
            let number = staso::span!("step", |span| {
                let number = step(text).await?;
                span.set_metadata("number", &number);
                number
            });
            if number == 0 {
                return Ok(100);
            }
            step("1").await? + number
        });
        Ok(number)
    }
    let spans = staso::testing::capture_async(async {
        assert_eq!(run("2").await, Ok(3));
        assert_eq!(run("0").await, Ok(100));
        assert!(run("x").await.is_err());
        assert_eq!(Context::current().conversation_id(), None);
    })
    .await;
    assert_eq!(spans.tree(), "chain step\nchain step\nchain step error\n");
    assert!(spans.iter().all(|span| span.conversation_id == "conv"));
    assert_eq!(spans[0].metadata["number"], 2);
}

#[test]
fn blocks_keep_a_future_send() {
    async fn run() -> u8 {
        staso::conversation!("c", { staso::span!("s", { std::future::ready(1).await }) })
    }
    fn is_send<T: Send>(_: T) {}
    is_send(run());
}

#[test]
fn a_new_thread_starts_without_a_context_unless_it_is_given_one() {
    #[staso::agent]
    fn agent() {
        let cx = Context::current();
        thread::scope(|threads| {
            threads.spawn(|| cx.scope(|| Span::builder("inside").in_scope(|_| ())));
            threads.spawn(|| {
                assert_eq!(staso::current_span().span_id(), None);
                chat("outside");
            });
        });
    }
    assert_eq!(capture(agent).tree(), "agent agent\n  chain inside\n");
}

#[test]
fn context_guards_may_be_dropped_in_any_order() {
    let spans = capture(|| {
        let mut guards = Vec::new();
        for id in ["a", "b"] {
            Conversation::new(id).scope(|| guards.push(Context::current()));
        }
        let first = guards[0].attach();
        let second = guards[1].attach();
        drop(first);
        chat("in b");
        drop(second);
        chat("in none");
    });
    assert_eq!(conversations(&spans), [("b", None), ("test-session", None)]);
}

#[tokio::test]
async fn a_guard_held_across_an_await_does_not_leak_out_of_an_instrumented_future() {
    #[staso::agent]
    async fn careless() {
        let _guard = Conversation::new("leaked").scope(Context::current).attach();
        tokio::task::yield_now().await;
    }
    let local = tokio::task::LocalSet::new();
    let spans = local
        .run_until(staso::testing::capture_async(async {
            let task = tokio::task::spawn_local(careless().in_current_context());
            tokio::task::yield_now().await;
            chat("another task");
            task.await.expect("no panic");
        }))
        .await;
    let chat = spans.find("chat").expect("recorded");
    assert_eq!(chat.conversation_id, "test-session");
}

#[test]
fn headers_take_a_trace_to_another_process() {
    let mut headers = Vec::new();
    let spans = capture(|| {
        staso::conversation!("conv-42", user_id = "user-alice", {
            staso::span!("call", {
                Context::current().inject_with(|name, value| headers.push((name, value.to_owned())));
            });
        });
        let get =
            |name: &str| headers.iter().find(|(known, _)| *known == name).map(|(_, value)| value.clone());
        Context::extract_with(get).scope(|| chat("there"));
    });
    let (call, there) = (&spans[0], spans.find("chat").expect("recorded"));
    assert_eq!(there.trace_id, call.trace_id);
    assert_eq!(there.parent_span_id, Some(call.span_id));
    assert_eq!((&*there.conversation_id, there.user_id.as_deref()), ("conv-42", Some("user-alice")));
}

#[test]
fn blocks_may_be_written_by_a_macro() {
    macro_rules! step {
        ($name:expr, $body:block) => {
            staso::span!($name, $body)
        };
        ($name:literal, $handle:ident, $body:block) => {
            staso::span!($name, |$handle| $body)
        };
        ($value:expr) => {
            staso::conversation!("c", { staso::span!("value", { $value }) })
        };
    }
    fn run(number: u8) -> Result<u8, String> {
        let one = step!(format!("from {number}"), { number.checked_sub(1).ok_or("none")? });
        let two = step!("handle", span, {
            span.set_metadata("one", &one);
            one + 1
        });
        Ok(step!(two + 1))
    }
    let spans = capture(|| assert_eq!((run(1), run(0)), (Ok(2), Err("none".to_owned()))));
    assert_eq!(spans.tree(), "chain from 1\nchain handle\nchain value\nchain from 0 error\n");
}
