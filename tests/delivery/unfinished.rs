//! Spans that run when their client stops: they are delivered as far as they got.

use std::{
    collections::HashSet,
    mem,
    pin::{Pin, pin},
    sync::{
        Mutex,
        atomic::{AtomicU64, Ordering},
        mpsc::{self, Receiver, Sender},
    },
    task::{Context, Poll, Waker},
    thread,
};

use futures_core::Stream;
use staso::{Exporter, Span, SpanRecord, SpanStatus, current_span};

use crate::harness::{LONG, builder, counts, exclusive};

/// What a span waits for, until the test lets it go on.
struct Wait {
    reached: Sender<()>,
    go_on: Mutex<Receiver<()>>,
}

impl Wait {
    fn wait(&self) {
        let _ = self.reached.send(());
        let _ = self.go_on.lock().expect("one waiter").recv();
    }
}

fn wait() -> (Wait, Receiver<()>, Sender<()>) {
    let (reached, is_reached) = mpsc::channel();
    let (go, go_on) = mpsc::channel();
    (Wait { reached, go_on: Mutex::new(go_on) }, is_reached, go)
}

#[staso::agent(skip(wait))]
fn agent(question: &str, wait: &Wait) {
    tool(question, wait);
}

#[staso::tool(skip(wait))]
fn tool(query: &str, wait: &Wait) -> usize {
    Span::builder("inner").in_scope(|span| {
        span.set_input("by hand");
        wait.wait();
    });
    query.len()
}

/// Runs a program up to where it waits, stops the client, lets the program end, and gives what arrived.
fn stop_inside(program: impl FnOnce(&Wait) + Send) -> Vec<SpanRecord> {
    let memory = Exporter::memory();
    let client = builder().exporter(memory.clone()).init().expect("valid settings");
    let (wait, reached, go) = wait();
    let report = thread::scope(|threads| {
        let running = threads.spawn(|| program(&wait));
        reached.recv_timeout(LONG).expect("it waits");
        let report = client.shutdown(LONG);
        go.send(()).expect("it waits");
        running.join().expect("it ends");
        report
    });
    let spans = memory.spans();
    let delivered = spans.iter().filter(|span| !span.is_provisional()).count() as u64;
    assert_eq!(
        (report.accepted(), report.delivered(), report.ok()),
        (delivered, delivered, true),
        "{report}"
    );
    let after = client.report();
    assert_eq!(after.accepted(), delivered, "{}", counts(&after));
    spans
}

fn is_unfinished(span: &SpanRecord) -> bool {
    span.metadata_value("staso.unfinished") == Some("true")
}

#[test]
fn spans_that_run_at_a_shutdown_are_delivered_as_far_as_they_got() {
    let _exclusive = exclusive();
    let spans = stop_inside(|wait| agent("where?", wait));
    let find = |name: &str| spans.iter().find(|span| span.name() == name).expect("delivered");
    let (root, tool, inner) = (find("agent"), find("tool"), find("inner"));
    assert_eq!(spans.len(), 3);
    for span in [root, tool, inner] {
        assert!(is_unfinished(span) && !span.is_provisional(), "{}", span.name());
        assert_eq!((span.status(), span.output()), (SpanStatus::Ok, None), "{}", span.name());
        assert!(!span.duration().is_zero(), "{}", span.name());
    }
    assert_eq!(root.parent_span_id(), None);
    assert_eq!(tool.parent_span_id(), Some(root.span_id()));
    assert_eq!(inner.parent_span_id(), Some(tool.span_id()));
    assert_eq!(tool.input().as_deref(), Some(r#"{"query":"where?"}"#));
    assert_eq!(inner.input().as_deref(), Some(r#""by hand""#));
    assert_eq!(tool.agent_name(), "agent");
}

#[test]
fn a_span_that_ends_after_its_unfinished_version_is_rejected() {
    let _exclusive = exclusive();
    let client = builder().exporter(Exporter::none()).init().expect("valid settings");
    Span::builder("open").in_scope(|_| {
        let report = client.shutdown(LONG);
        assert_eq!((report.accepted(), report.delivered(), report.rejected()), (1, 1, 0));
    });
    let report = client.report();
    assert_eq!((report.accepted(), report.delivered(), report.rejected()), (1, 1, 1));
}

#[test]
fn what_was_ended_is_not_unfinished() {
    let _exclusive = exclusive();
    let spans = stop_inside(|wait| {
        Span::builder("before").in_scope(|_| ());
        agent("where?", wait);
    });
    let finished: Vec<_> = spans.iter().filter(|span| !is_unfinished(span)).map(SpanRecord::name).collect();
    assert_eq!(finished, ["before"]);
    assert_eq!(spans.len(), 4);
}

#[test]
fn a_discarded_span_is_not_delivered_unfinished() {
    #[staso::agent(skip(wait))]
    fn discarded_root(wait: &Wait) {
        current_span().discard();
        wait.wait();
    }
    #[staso::tool(skip(wait))]
    fn discarded(wait: &Wait) {
        current_span().discard();
        wait.wait();
    }
    let _exclusive = exclusive();
    assert_eq!(stop_inside(discarded_root).len(), 0);
    let spans = stop_inside(|wait| Span::builder("around").in_scope(|_| discarded(wait)));
    assert_eq!(spans.iter().map(SpanRecord::name).collect::<Vec<_>>(), ["around"]);
}

#[test]
fn what_a_handle_set_is_part_of_an_unfinished_span() {
    #[staso::trace(kind = "llm", skip(wait))]
    fn chat(wait: &Wait) {
        current_span().set_model("claude-sonnet-4");
        wait.wait();
    }
    let _exclusive = exclusive();
    for spans in [stop_inside(chat), stop_inside(|wait| Span::builder("around").in_scope(|_| chat(wait)))] {
        let chat = spans.iter().find(|span| span.name() == "chat").expect("delivered");
        assert_eq!(chat.model(), Some("claude-sonnet-4"));
    }
}

#[test]
fn a_future_that_is_not_polled_just_now_is_delivered_unfinished() {
    #[staso::tool]
    async fn search(query: &str) -> usize {
        std::future::pending::<()>().await;
        query.len()
    }
    let _exclusive = exclusive();
    let spans = stop_inside(|wait| {
        let mut around = pin!(Span::builder("around").in_scope_async(|_| search("where?")));
        let mut task = Context::from_waker(Waker::noop());
        assert!(around.as_mut().poll(&mut task).is_pending());
        wait.wait();
    });
    let names: HashSet<_> = spans.iter().filter(|span| is_unfinished(span)).map(SpanRecord::name).collect();
    assert_eq!(names, HashSet::from(["around", "search"]));
}

type Rows = Pin<Box<dyn Stream<Item = Result<u32, String>>>>;

struct OneBadRow(bool);

impl Stream for OneBadRow {
    type Item = Result<u32, String>;

    fn poll_next(mut self: Pin<&mut Self>, _: &mut Context<'_>) -> Poll<Option<Self::Item>> {
        match mem::replace(&mut self.0, true) {
            false => Poll::Ready(Some(Err("a bad row".into()))),
            true => Poll::Pending,
        }
    }
}

#[test]
fn a_stream_that_goes_on_after_an_error_is_delivered_unfinished() {
    #[staso::tool]
    fn rows() -> Rows {
        Box::pin(OneBadRow(false))
    }
    let _exclusive = exclusive();
    let spans = stop_inside(|wait| {
        Span::builder("around").in_scope(|_| {
            let mut rows = rows();
            let mut task = Context::from_waker(Waker::noop());
            assert!(rows.as_mut().poll_next(&mut task).is_ready());
            assert!(rows.as_mut().poll_next(&mut task).is_pending());
            wait.wait();
        });
    });
    let names: HashSet<_> = spans.iter().filter(|span| is_unfinished(span)).map(SpanRecord::name).collect();
    assert_eq!(names, HashSet::from(["around", "rows"]));
}

/// Whatever the moment of the stop: every span is delivered once or rejected, and none twice.
#[test]
fn a_stop_amid_spans_that_begin_and_end_delivers_each_once() {
    #[staso::agent]
    fn outer(n: u64) -> u64 {
        inner(n) + inner(n + 1)
    }
    #[staso::tool]
    fn inner(n: u64) -> u64 {
        n.wrapping_mul(3)
    }
    let _exclusive = exclusive();
    for round in 0..20 {
        let memory = Exporter::memory();
        let client = builder().exporter(memory.clone()).init().expect("valid settings");
        let begun = AtomicU64::new(0);
        thread::scope(|threads| {
            for _ in 0..3 {
                threads.spawn(|| {
                    for _ in 0..500 {
                        outer(begun.fetch_add(1, Ordering::Relaxed));
                    }
                });
            }
            while begun.load(Ordering::Relaxed) < 5 * round {
                thread::yield_now();
            }
            let report = client.shutdown(LONG);
            assert_eq!((report.failed(), report.pending()), (0, 0), "{report}");
        });
        let spans = memory.spans();
        let finals: Vec<_> = spans.iter().filter(|span| !span.is_provisional()).collect();
        let distinct: HashSet<_> = finals.iter().map(|span| span.span_id()).collect();
        assert_eq!(distinct.len(), finals.len(), "no span twice");
        assert_eq!(client.report().delivered(), finals.len() as u64);
    }
}
