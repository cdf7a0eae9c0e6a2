//! Roots: announced while they run, discarded, outlived by what they started, and on other threads.

use std::{thread, time::Duration};

use serde_json::json;
use staso::{Context, FutureExt as _, testing::ManualClock};

use crate::{
    compare::{Golden, data, report},
    harness::{LONG, Run, block_on, builder, check},
};

#[test]
fn a_root_that_runs_for_long_is_announced() {
    #[staso::tool]
    fn work() -> u32 {
        1
    }

    #[staso::agent(name = "long_agent", skip(clock))]
    fn a(job: &str, clock: &ManualClock) -> &'static str {
        assert_eq!(job, "j1");
        pass_an_interval(clock);
        work();
        pass_an_interval(clock);
        "done"
    }

    /// The sender sends what there is and waits again.
    fn pass_an_interval(clock: &ManualClock) {
        let waits = clock.waits().len();
        clock.advance(Duration::from_millis(500));
        let _ = clock.wait_for_wait(waits + 1);
    }

    let golden = Golden::load("provisional_root");
    let clock = ManualClock::new();
    let run = Run::start(builder().flush_interval(Duration::from_millis(500)).clock(clock.clone()));
    let _ = clock.wait_for_wait(1);
    a("j1", &clock);
    golden.check(&run.finish());
}

#[test]
fn a_flush_announces_the_roots_that_run() {
    #[staso::agent]
    fn a() -> u32 {
        let mut captured = data("provisional_flush_inside")["result"]["inner_flush"][0].take();
        // Announcements are not counted.
        captured["accepted"] = json!(0);
        captured["delivered"] = json!(0);
        assert_eq!(report(&staso::flush(LONG)), captured);
        1
    }

    check(Golden::load("provisional_flush_inside"), || {
        a();
    });
}

#[test]
fn a_root_that_discards_itself_sends_nothing() {
    #[staso::agent]
    fn a() {
        staso::current_span().discard();
    }

    let golden = Golden::load("decorated_root_dropped")
        .sends_nothing("a root that has not been announced yet is forgotten, with its announcement");
    check(golden, a);
}

#[test]
fn a_task_that_outlives_its_agent_is_recorded() {
    #[staso::tool]
    async fn t() -> u32 {
        1
    }

    #[staso::agent]
    async fn a() -> u32 {
        tokio::spawn(t().in_current_context());
        1
    }

    let child = [
        ("name", json!("t")),
        ("kind", json!("tool")),
        ("input", json!("")),
        ("attributes", json!(r#"{"tool_name":"t","code.filepath":"","code.lineno":1,"code.function":""}"#)),
    ];
    let golden = Golden::load("child_after_parent_end").gains_child(
        "a",
        child,
        "a child that ends after its parent is still recorded",
    );
    check(golden, || {
        block_on(async {
            a().await;
            // The task has not been polled yet.
            tokio::task::yield_now().await;
        });
    });
}

#[test]
fn a_thread_is_a_trace_of_its_own_unless_it_takes_the_context_along() {
    #[staso::tool]
    fn work(n: u32) -> u32 {
        n
    }

    #[staso::agent(name = "thread_agent")]
    fn a() {
        for n in [0, 1] {
            thread::spawn(move || work(n)).join().expect("it works");
        }
        let here = Context::current();
        thread::spawn(move || here.scope(|| work(99))).join().expect("it works");
    }

    check(Golden::load("threads"), a);
}
