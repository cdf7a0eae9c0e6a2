//! Bodies that leave early, loop, call themselves, hold other functions, panic or never return.

use super::{check, check_both, panic_of, step};

#[test]
fn an_early_return_is_the_result() {
    check_both! {
        sign(-3) => -1, "tool sign(n: -3) = -1";
        #[staso::tool]
        fn sign(n: i8) -> i8 {
            if n < 0 {
                return -1;
            }
            i8::from(n > 0)
        }
    }
    check_both! {
        leave(true) => (), "tool leave(now: true) = null";
        #[staso::tool]
        fn leave(now: bool) {
            if now {
                return;
            }
            step();
        }
    }
}

#[test]
fn a_question_mark_leaves_the_function() {
    check_both! {
        double("x"), |n: Result<_, _>| n.is_err() => true,
        r#"tool double(text: "x") ! error ParseIntError: invalid digit found in string"#;
        #[staso::tool]
        fn double(text: &str) -> Result<u8, std::num::ParseIntError> {
            let n: u8 = text.parse()?;
            step();
            Ok(n * 2)
        }
    }
    check_both! {
        second(&[1]) => None, "tool second(items: [1]) = null";
        #[staso::tool]
        fn second(items: &[u8]) -> Option<u8> {
            let second = items.get(1)?;
            step();
            Some(*second)
        }
    }
}

#[test]
fn labelled_loops_break_and_continue() {
    check_both! {
        search(3) => (1, 2), "tool search(limit: 3) = [1,2]\n  chain step() = null";
        #[staso::tool]
        fn search(limit: u8) -> (u8, u8) {
            'rows: for row in 0..limit {
                for column in 0..limit {
                    if row == 0 {
                        continue 'rows;
                    }
                    if row * column == 2 {
                        step();
                        break 'rows;
                    }
                }
            }
            'value: {
                if limit > 2 {
                    break 'value (1, 2);
                }
                (0, 0)
            }
        }
    }
}

#[test]
fn recursion_nests() {
    #[staso::tool]
    fn factorial(n: u64) -> u64 {
        if n == 0 { 1 } else { n * factorial(n - 1) }
    }
    check(
        || factorial(2),
        2,
        "tool factorial(n: 2) = 2\n  tool factorial(n: 1) = 1\n    tool factorial(n: 0) = 1",
    );
}

#[test]
fn functions_items_and_macros_inside_functions() {
    check_both! {
        outer(1) => 12, "tool outer(n: 1) = 12\n  tool inner(n: 2) = 12";
        #[staso::tool]
        fn outer(n: u8) -> u8 {
            #[staso::tool]
            fn inner(n: u8) -> u8 {
                n + TEN
            }
            const TEN: u8 = 10;
            macro_rules! increment {
                ($n:expr) => {
                    $n + 1
                };
            }
            inner(increment!(n))
        }
    }
}

#[test]
fn spans_side_by_side_and_below() {
    #[staso::agent]
    fn agent() {
        step();
        inner();
        step();
    }
    #[staso::tool]
    fn inner() {
        step();
    }
    let step = "chain step() = null";
    check(
        agent,
        (),
        &format!(
            "agent agent(agent_name: \"agent\") = null\n  {step}\n  tool inner() = null\n    {step}\n  {step}"
        ),
    );
}

#[test]
fn a_panic_is_recorded_and_goes_on_unchanged() {
    #[staso::tool]
    fn fails(why: &str) -> u8 {
        step();
        panic!("because {why}")
    }
    check(
        || panic_of(|| fails("x")),
        "because x".to_owned(),
        "tool fails(why: \"x\") ! error panic: because x\n  chain step() = null",
    );
}

#[test]
fn a_payload_that_is_no_text_is_passed_on() {
    #[staso::tool]
    fn fails() {
        std::panic::panic_any(7_u8);
    }
    let call = || std::panic::catch_unwind(fails).expect_err("it panics").downcast_ref::<u8>().copied();
    let (payload, spans) = staso::testing::capture_with(call);
    assert_eq!(payload, Some(7));
    assert_eq!(spans.tree(), "tool fails error\n");
    assert_eq!(spans[0].exception_type.as_deref(), Some("panic"));
}

#[test]
fn a_function_that_never_returns() {
    #[staso::tool]
    fn never(code: u8) -> ! {
        step();
        panic!("code {code}")
    }
    #[staso::tool]
    async fn never_async(code: u8) -> ! {
        super::suspend().await;
        panic!("code {code}")
    }
    #[staso::tool]
    fn diverges_in_a_loop(mut rounds: u8) -> ! {
        loop {
            rounds = rounds.checked_sub(1).expect("rounds left");
        }
    }
    check(
        || panic_of(|| never(1)),
        "code 1".to_owned(),
        "tool never(code: 1) ! error panic: code 1\n  chain step() = null",
    );
    check(
        || panic_of(|| super::block_on(never_async(2))),
        "code 2".to_owned(),
        "tool never_async(code: 2) ! error panic: code 2",
    );
    check(
        || panic_of(|| diverges_in_a_loop(1)),
        "rounds left".to_owned(),
        "tool diverges_in_a_loop(rounds: 1) ! error panic: rounds left",
    );
}

#[test]
fn closures_inside_the_body_may_borrow_and_move_arguments() {
    check_both! {
        gather("a".to_owned(), vec!["b".to_owned()]) => "ab".to_owned(),
        r#"tool gather(first: "a", rest: ["b"]) = "ab""#;
        #[staso::tool]
        fn gather(first: String, mut rest: Vec<String>) -> String {
            let mut add = |text: &str| rest.push(text.to_owned());
            add("c");
            let finish = move || format!("{first}{}", rest[0]);
            finish()
        }
    }
}
