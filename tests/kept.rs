//! What a client leaves behind when it is gone. In a process of its own, for it counts all that lives.

use std::{
    alloc::{GlobalAlloc, Layout, System},
    sync::atomic::{AtomicIsize, Ordering},
    task::{Context, Waker},
    thread,
    time::{Duration, Instant},
};

use staso::{Exporter, Redaction, Span};

/// The bytes that are allocated now.
static LIVE: AtomicIsize = AtomicIsize::new(0);

struct Counting;

#[expect(unsafe_code, reason = "an allocator is unsafe by its nature")]
// SAFETY: hands everything to the system's allocator, and counts.
unsafe impl GlobalAlloc for Counting {
    unsafe fn alloc(&self, layout: Layout) -> *mut u8 {
        LIVE.fetch_add(layout.size().cast_signed(), Ordering::SeqCst);
        // SAFETY: as the caller promises.
        unsafe { System.alloc(layout) }
    }

    unsafe fn dealloc(&self, place: *mut u8, layout: Layout) {
        LIVE.fetch_sub(layout.size().cast_signed(), Ordering::SeqCst);
        // SAFETY: as the caller promises.
        unsafe { System.dealloc(place, layout) }
    }
}

#[global_allocator]
static ALLOCATOR: Counting = Counting;

#[staso::agent]
fn agent(question: &str) -> String {
    tool(question)
}

#[staso::tool]
fn tool(question: &str) -> String {
    question.to_uppercase()
}

#[staso::tool]
async fn patient() {
    std::future::pending().await
}

fn wait_at_once(count: usize) {
    let mut tasks: Vec<_> = (0..count).map(|_| Box::pin(patient())).collect();
    for task in &mut tasks {
        assert!(task.as_mut().poll(&mut Context::from_waker(Waker::noop())).is_pending());
    }
}

/// Ends as many spans, of which this many run at once.
fn life(spans: usize, at_once: usize) {
    let large = "card ".repeat(10_000);
    let client = staso::builder()
        .agent_name("demo-agent")
        .exporter(Exporter::none())
        .capture_git(false)
        .redact(move |field| if large.contains(field.name) { Redaction::Remove } else { Redaction::Keep })
        .init()
        .expect("valid settings");
    for _ in 0..spans {
        agent("where is my order?");
    }
    if at_once > 0 {
        Span::builder("around").in_scope(|_| wait_at_once(at_once));
    }
    let report = client.shutdown(Duration::from_secs(20));
    assert!(report.ok(), "{report}");
}

#[test]
fn a_client_that_is_gone_leaves_little_behind() {
    const LIVES: isize = 50;
    for (spans, at_once, most) in [(0, 0, 3 * 1024), (100, 0, 9 * 1024), (0, 200, 16 * 1024)] {
        life(spans, at_once);
        let before = LIVE.load(Ordering::SeqCst);
        for _ in 0..LIVES {
            life(spans, at_once);
        }
        let kept = || (LIVE.load(Ordering::SeqCst) - before) / LIVES;
        // The thread of a sender frees the rest after it has answered.
        let begun = Instant::now();
        while kept() > most && begun.elapsed() < Duration::from_secs(20) {
            thread::yield_now();
        }
        assert!(kept() <= most, "{} bytes are kept of a client with {spans} + {at_once} spans", kept());
    }
}
