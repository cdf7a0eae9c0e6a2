//! Blocks that are left before their end: with an error they failed, and so did the blocks around them.

use staso::{
    SpanStatus,
    testing::{Spans, capture, capture_async},
};

/// The error messages of the spans, by start.
fn messages(spans: &Spans) -> Vec<Option<&str>> {
    spans.iter().map(|span| span.error_message.as_deref()).collect()
}

#[test]
fn a_returned_error_marks_the_block() {
    fn run(fails: bool) -> Result<u8, Box<dyn std::error::Error + Send + Sync>> {
        let number = staso::span!("block", {
            if fails {
                return Err("no order".into());
            }
            1
        });
        Ok(number)
    }
    fn leaves(result: Result<u8, String>) -> Result<u8, String> {
        staso::span!("block", {
            return result;
        });
    }
    let spans = capture(|| drop((run(true), run(false), leaves(Err("refused".into())), leaves(Ok(1)))));
    assert_eq!(messages(&spans), [Some("no order"), None, Some("refused"), None]);
    assert_eq!(spans[2].exception_type.as_deref(), Some("String"));
    assert_eq!(spans.tree(), "chain block error\nchain block\nchain block error\nchain block\n");
}

#[tokio::test]
async fn a_returned_error_marks_the_block_that_awaits() {
    async fn run(fails: bool) -> Result<u8, String> {
        let number = staso::span!("block", {
            tokio::task::yield_now().await;
            if fails {
                return Err("no order".to_owned());
            }
            1
        });
        Ok(number)
    }
    let spans = capture_async(async { drop((run(true).await, run(false).await)) }).await;
    assert_eq!(messages(&spans), [Some("no order"), None]);
}

#[test]
fn blocks_around_fail_too_and_nothing_further_out() {
    fn number(text: &str) -> Result<u8, std::num::ParseIntError> {
        staso::span!("outer", {
            staso::conversation!("c", { staso::span!("inner", { Ok(text.parse::<u8>()?) }) })
        })
    }
    fn run() -> u8 {
        staso::span!("caller", { number("x").unwrap_or_default() })
    }
    let spans = capture(|| assert_eq!(run(), 0));
    assert_eq!(spans.tree(), "chain caller\n  chain outer error\n    chain inner error\n");
    let message = Some("invalid digit found in string");
    assert_eq!(messages(&spans), [None, message, message]);
}

#[tokio::test]
async fn blocks_around_that_await_fail_too() {
    async fn run(text: &str) -> Result<u8, String> {
        let number = staso::span!("outer", {
            let number = staso::conversation!("c", {
                staso::span!("inner", {
                    tokio::task::yield_now().await;
                    if text.is_empty() {
                        return Err("empty".to_owned());
                    }
                    text.parse::<u8>().map_err(|error| error.to_string())?
                })
            });
            tokio::task::yield_now().await;
            number
        });
        Ok(number)
    }
    let spans = capture_async(async { drop((run("").await, run("x").await, run("1").await)) }).await;
    let digit = Some("invalid digit found in string");
    assert_eq!(messages(&spans), [Some("empty"), Some("empty"), digit, digit, None, None]);
}

#[test]
fn a_block_in_a_conversation_marks_the_block_around_that() {
    fn run(text: &str) -> Result<u8, std::num::ParseIntError> {
        Ok(staso::span!("outer", { staso::conversation!("c", { text.parse::<u8>()? }) }))
    }
    let spans = capture(|| drop((run("x"), run("1"))));
    assert_eq!(spans.tree(), "chain outer error\nchain outer\n");
}

#[test]
fn a_step_in_the_arguments_of_a_macro_is_seen() {
    fn run(text: &str) -> Result<String, std::num::ParseIntError> {
        Ok(staso::span!("formats", { format!("{:?}", vec![text.parse::<u8>()?]) }))
    }
    let spans = capture(|| drop((run("x"), run("1"))));
    assert_eq!(spans.tree(), "chain formats error\nchain formats\n");
}

#[test]
fn a_loop_or_block_around_may_be_left_with_an_error() {
    fn run(fails: bool) -> Result<u8, String> {
        let found: Result<u8, String> = 'search: {
            for number in 0..3 {
                staso::span!("looks", {
                    if number == 1 {
                        if fails {
                            break 'search Err("gone".into());
                        }
                        break 'search Ok(number);
                    }
                });
            }
            Ok(9)
        };
        found
    }
    let spans = capture(|| assert!(run(true).is_err() && run(false) == Ok(1)));
    let statuses: Vec<_> = spans.iter().map(|span| span.status).collect();
    assert_eq!(statuses, [SpanStatus::Ok, SpanStatus::Error, SpanStatus::Ok, SpanStatus::Ok]);
}

#[test]
fn what_is_returned_keeps_its_type_and_its_coercions() {
    trait Shape {
        fn sides(&self) -> u8;
    }
    impl Shape for u8 {
        fn sides(&self) -> u8 {
            *self
        }
    }
    fn boxed(early: bool) -> Box<dyn Shape> {
        staso::span!("a", {
            if early {
                return Box::new(3);
            }
            Box::new(4)
        })
    }
    #[expect(clippy::ptr_arg, reason = "what is returned is to be coerced")]
    fn slice(items: &Vec<u8>, early: bool) -> &[u8] {
        staso::span!("a", {
            if early {
                return items;
            }
            &items[..1]
        })
    }
    fn opaque(early: bool) -> impl Iterator<Item = u8> {
        staso::span!("a", {
            if early {
                return Vec::new().into_iter();
            }
            vec![1].into_iter()
        })
    }
    fn nothing(early: bool) {
        staso::span!("a", {
            if early {
                return drop(String::new());
            }
        });
    }
    let closure = |early: bool| -> Result<u8, &'static str> {
        staso::span!("a", {
            if early {
                return Err("early");
            }
            Ok(1)
        })
    };
    for early in [true, false] {
        nothing(early);
        assert_eq!(boxed(early).sides(), if early { 3 } else { 4 });
        assert_eq!(slice(&vec![1, 2], early).len(), if early { 2 } else { 1 });
        assert_eq!(opaque(early).count(), usize::from(!early));
        assert_eq!(closure(early).is_err(), early);
    }
}
