//! Async functions that really suspend: who is the parent, when the span ends, and how.

use std::{cell::Cell, future::poll_fn, pin::Pin, rc::Rc, task::Poll};

use staso::{FutureExt as _, Span, testing::capture_async};

use super::{cancel_after, check, check_async, panic_of, poll_once, step, suspend};

#[staso::tool]
async fn tool(name: &str, polls: u8) -> String {
    for _ in 0..polls {
        suspend().await;
        step();
    }
    name.to_uppercase()
}

#[staso::agent]
async fn agent(name: &str) -> String {
    let first = tool(name, 1).await;
    suspend().await;
    let second = tool("b", 0).await;
    first + &second
}

#[test]
fn spans_nest_along_awaits() {
    check_async(
        async || agent("a").await,
        "AB".to_owned(),
        r#"agent agent(agent_name: "agent", name: "a") = "AB"
  tool tool(name: "a", polls: 1) = "A"
    chain step() = null
  tool tool(name: "b", polls: 0) = "B""#,
    );
}

#[test]
fn joined_futures_are_siblings() {
    check_async(
        async || {
            let (a, b) = tokio::join!(tool("a", 2), tool("b", 1));
            a + &b
        },
        "AB".to_owned(),
        r#"tool tool(name: "a", polls: 2) = "A"
  chain step() = null
  chain step() = null
tool tool(name: "b", polls: 1) = "B"
  chain step() = null"#,
    );
}

#[test]
fn the_loser_of_a_select_is_cancelled() {
    check_async(
        async || {
            tokio::select! {
                biased;
                slow = tool("slow", 200) => slow,
                fast = tool("fast", 1) => fast,
            }
        },
        "FAST".to_owned(),
        r#"tool tool(name: "slow", polls: 200) ! error cancelled: dropped before it finished
  chain step() = null
tool tool(name: "fast", polls: 1) = "FAST"
  chain step() = null"#,
    );
}

#[test]
fn a_future_that_is_dropped_halfway_is_cancelled_with_its_children() {
    check(
        || cancel_after(2, agent("a")),
        (),
        r#"agent agent(agent_name: "agent", name: "a") ! error cancelled: dropped before it finished
  tool tool(name: "a", polls: 1) = "A"
    chain step() = null"#,
    );
    check(
        || cancel_after(1, agent("a")),
        (),
        r#"agent agent(agent_name: "agent", name: "a") ! error cancelled: dropped before it finished
  tool tool(name: "a", polls: 1) ! error cancelled: dropped before it finished"#,
    );
}

#[test]
fn a_future_that_is_never_polled_makes_no_span() {
    check(|| drop(agent("a")), (), "");
}

#[test]
fn a_panic_after_an_await_is_recorded_and_goes_on() {
    #[staso::tool]
    async fn fails() -> u8 {
        suspend().await;
        panic!("after {}", "an await")
    }
    check(
        || panic_of(|| super::block_on(fails())),
        "after an await".to_owned(),
        "tool fails() ! error panic: after an await",
    );
}

#[test]
fn a_recursive_async_function_nests() {
    #[staso::tool]
    async fn countdown(n: u8) -> u8 {
        suspend().await;
        match n.checked_sub(1) {
            Some(less) => Box::pin(countdown(less)).await,
            None => 100,
        }
    }
    check_async(async || countdown(1).await, 100, "tool countdown(n: 1) = 100\n  tool countdown(n: 0) = 100");
}

#[test]
fn async_blocks_closures_and_labels_inside_the_body() {
    #[staso::tool]
    async fn inside(rounds: u8) -> Result<u8, std::num::ParseIntError> {
        let add = async |n: u8| {
            suspend().await;
            n + 1
        };
        let mut sum = async { Ok(add(0).await + "1".parse::<u8>()?) }.await?;
        'rounds: loop {
            suspend().await;
            for _ in 0..rounds {
                sum = add(sum).await;
                if sum > 3 {
                    break 'rounds Ok(sum);
                }
            }
        }
    }
    check_async(async || inside(2).await, Ok(4), "tool inside(rounds: 2) = 4");
}

#[test]
fn arguments_are_those_of_the_first_poll() {
    #[staso::tool]
    async fn looks(cell: &Cell<u8>) -> u8 {
        suspend().await;
        cell.replace(9)
    }
    check_async(
        async || {
            let cell = Cell::new(1);
            let future = looks(&cell);
            cell.set(2);
            future.await
        },
        2,
        "tool looks(cell: 2) = 2",
    );
}

#[tokio::test]
async fn futures_without_send_run_on_a_local_set() {
    #[staso::agent]
    async fn local(shared: Rc<Cell<u8>>) -> Rc<Cell<u8>> {
        suspend().await;
        shared.set(shared.get() + 1);
        let inner = Rc::clone(&shared);
        let task = tokio::task::spawn_local(spawned(inner).in_current_context());
        task.await.expect("no panic");
        shared
    }
    #[staso::tool]
    async fn spawned(shared: Rc<Cell<u8>>) {
        suspend().await;
        shared.set(shared.get() * 2);
    }
    let spans = tokio::task::LocalSet::new()
        .run_until(capture_async(async { assert_eq!(local(Rc::new(Cell::new(1))).await.get(), 4) }))
        .await;
    assert_eq!(spans.tree(), "agent local\n  tool spawned\n");
    assert_eq!(spans[0].input["shared"], 1);
    assert_eq!(spans[1].input["shared"], 2);
    assert_eq!(spans[0].output["result"], 4);
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_future_may_move_between_threads() {
    #[staso::agent]
    async fn roams(polls: u8) -> u8 {
        for _ in 0..polls {
            suspend().await;
            step();
        }
        polls
    }
    let spans = capture_async(async {
        let task = tokio::spawn(roams(50).in_current_context());
        assert_eq!(task.await.expect("no panic"), 50);
    })
    .await;
    assert_eq!(spans.len(), 51);
    assert_eq!(spans[0].children().count(), 50, "{}", spans.tree());
}

#[test]
fn what_runs_between_two_polls_is_outside() {
    check(
        || {
            let mut future = Box::pin(tool("a", 2));
            assert!(poll_once(future.as_mut()).is_pending());
            Span::builder("between").in_scope(|_| ());
            cancel_after(1, future);
        },
        (),
        "tool tool(name: \"a\", polls: 2) ! error cancelled: dropped before it finished\n  chain step() = null\nchain between",
    );
}

#[test]
fn a_body_that_polls_by_hand_sees_its_own_span() {
    #[staso::tool]
    async fn by_hand() -> bool {
        let mut inner = Box::pin(suspend());
        let outside = staso::current_span().span_id();
        poll_fn(|cx| {
            let pinned: Pin<&mut _> = inner.as_mut();
            let _ = pinned.poll(cx);
            Poll::Ready(())
        })
        .await;
        outside == staso::current_span().span_id()
    }
    check_async(async || by_hand().await, true, "tool by_hand() = true");
}
