//! Futures of different conversations never exchange agent, parent or conversation, however they are
//! polled, dropped or moved between threads.

use std::{
    pin::Pin,
    task::{Context, Poll, Waker},
    thread,
};

use proptest::prelude::*;
use staso::{FutureExt as _, testing};

/// Pending once, then ready: a place where another future can be polled.
async fn pause() {
    let mut paused = false;
    std::future::poll_fn(|cx| {
        cx.waker().wake_by_ref();
        if std::mem::replace(&mut paused, true) { Poll::Ready(()) } else { Poll::Pending }
    })
    .await;
}

#[staso::tool]
async fn tool(owner: usize) -> usize {
    pause().await;
    assert_inside(owner);
    inner(owner);
    pause().await;
    owner
}

#[staso::trace]
fn inner(owner: usize) {
    assert_inside(owner);
}

fn assert_inside(owner: usize) {
    let cx = staso::Context::current();
    assert_eq!(cx.conversation_id(), Some(format!("conv-{owner}").as_str()));
    assert_eq!(cx.user_id(), Some(format!("user-{owner}").as_str()));
}

macro_rules! agents {
    ($($name:ident)+) => {
        $(#[staso::agent]
        async fn $name(owner: usize) {
            pause().await;
            tool(owner).await;
            staso::span!("step", |span| {
                span.set_metadata("owner", &owner);
                pause().await;
            });
            tool(owner).await;
        })+

        const AGENTS: [&str; 4] = [$(stringify!($name)),+];

        fn agent(owner: usize) -> Pin<Box<dyn Future<Output = ()> + Send>> {
            let mut made = 0;
            $(if made == owner { return Box::pin($name(owner)); }
            made += 1;)+
            unreachable!("there are {made} agents")
        }
    };
}

agents!(agent_a agent_b agent_c agent_d);

async fn conversation(owner: usize) {
    staso::conversation!(format!("conv-{owner}"), user_id = format!("user-{owner}"), { agent(owner).await });
}

/// What the executor does next with one of the futures.
#[derive(Clone, Copy, Debug)]
enum Step {
    Poll(usize),
    /// Polls it on a thread of its own.
    PollElsewhere(usize),
    Drop(usize),
}

fn steps() -> impl Strategy<Value = Vec<Step>> {
    let step = (0..AGENTS.len()).prop_flat_map(|owner| {
        prop_oneof![
            20 => Just(Step::Poll(owner)),
            4 => Just(Step::PollElsewhere(owner)),
            1 => Just(Step::Drop(owner)),
        ]
    });
    prop::collection::vec(step, 1..80)
}

fn check(steps: &[Step]) {
    let spans = testing::capture(|| {
        let start = |owner| Some(Box::pin(conversation(owner).in_current_context()));
        let mut futures: Vec<_> = (0..AGENTS.len()).map(start).collect();
        for step in steps {
            let (Step::Poll(owner) | Step::PollElsewhere(owner) | Step::Drop(owner)) = *step;
            let Some(future) = &mut futures[owner] else { continue };
            let mut poll = || future.as_mut().poll(&mut Context::from_waker(Waker::noop()));
            let polled = match step {
                Step::Poll(_) => poll(),
                Step::PollElsewhere(_) => {
                    thread::scope(|threads| threads.spawn(poll).join().expect("no panic in a poll"))
                }
                Step::Drop(_) => Poll::Ready(()),
            };
            if polled.is_ready() {
                futures[owner] = None;
            }
            assert_eq!(staso::current_span().span_id(), None, "the thread is clean after each step");
            assert_eq!(staso::Context::current().conversation_id(), None);
        }
    });
    for span in spans.iter() {
        let owner = AGENTS.iter().position(|agent| *agent == span.agent_name);
        let owner = owner.expect("every span is inside one of the agents");
        assert_eq!(span.conversation_id, format!("conv-{owner}"), "{}", spans.tree());
        assert_eq!(span.user_id, Some(format!("user-{owner}")));
        assert!(span.finished, "{}", spans.tree());
        let parent = span.parent().map(|parent| parent.name.clone());
        let expected = match &*span.name {
            "tool" | "step" => Some(AGENTS[owner].to_owned()),
            "inner" => Some("tool".to_owned()),
            _ => None,
        };
        assert_eq!(parent, expected, "{}", spans.tree());
    }
}

proptest! {
    #![proptest_config(ProptestConfig { failure_persistence: None, ..ProptestConfig::default() })]

    #[test]
    fn any_order_of_polls_and_drops_keeps_every_future_to_itself(steps in steps()) {
        check(&steps);
    }
}

#[test]
fn a_select_drops_the_loser_inside_its_own_conversation() {
    let runtime = tokio::runtime::Builder::new_current_thread().build().expect("a runtime");
    let spans = runtime.block_on(testing::capture_async(async {
        tokio::select! {
            () = conversation(0) => {}
            () = async { pause().await; } => {}
        }
    }));
    assert_eq!(spans[0].name, AGENTS[0]);
    assert_eq!(spans[0].exception_type.as_deref(), Some("cancelled"));
    assert!(spans.iter().all(|span| span.conversation_id == "conv-0"));
}

#[test]
fn joined_and_spawned_futures_keep_to_themselves_on_a_multi_threaded_runtime() {
    let runtime = tokio::runtime::Builder::new_multi_thread().worker_threads(2).build().expect("a runtime");
    let spans = runtime.block_on(testing::capture_async(async {
        let spawned: Vec<_> =
            (0..4).map(|owner| tokio::spawn(conversation(owner).in_current_context())).collect();
        tokio::join!(conversation(0), conversation(1), conversation(2), conversation(3));
        for task in spawned {
            task.await.expect("no panic in a task");
        }
    }));
    assert_eq!(spans.roots().count(), 8);
    for span in spans.iter() {
        let owner = AGENTS.iter().position(|agent| *agent == span.agent_name).expect("an agent");
        assert_eq!(span.conversation_id, format!("conv-{owner}"));
    }
    assert_eq!(spans.named("tool").count(), 16);
}
