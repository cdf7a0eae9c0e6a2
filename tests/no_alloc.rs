//! What a span allocates on the calling thread: nothing while nothing is recorded, and otherwise what the
//! documentation of the crate says.

use std::{
    alloc::{GlobalAlloc, Layout, System},
    cell::Cell,
};

use staso::{Conversation, Exporter, Span, SpanKind};

thread_local! {
    static ALLOCATED: Cell<u64> = const { Cell::new(0) };
    static CAPTURED: Cell<u64> = const { Cell::new(0) };
}

struct Counting;

#[expect(unsafe_code, reason = "a global allocator is an unsafe trait")]
// SAFETY: every call is passed on unchanged to the system's allocator.
unsafe impl GlobalAlloc for Counting {
    unsafe fn alloc(&self, layout: Layout) -> *mut u8 {
        let _ = ALLOCATED.try_with(|count| count.set(count.get() + 1));
        // SAFETY: the caller's promise is passed on.
        unsafe { System.alloc(layout) }
    }

    unsafe fn dealloc(&self, pointer: *mut u8, layout: Layout) {
        // SAFETY: the caller's promise is passed on.
        unsafe { System.dealloc(pointer, layout) }
    }
}

#[global_allocator]
static ALLOCATOR: Counting = Counting;

fn allocations(f: impl FnOnce()) -> u64 {
    let before = ALLOCATED.get();
    f();
    ALLOCATED.get() - before
}

/// Counts how often it is captured.
struct Argument;

impl serde::Serialize for Argument {
    fn serialize<S: serde::Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        CAPTURED.set(CAPTURED.get() + 1);
        serializer.serialize_str("a question of 24 letters")
    }
}

#[staso::tool(metadata(asked = CAPTURED.set(CAPTURED.get() + 1)))]
fn tool(_argument: &Argument, n: u64) -> u64 {
    n + 1
}

#[staso::agent]
fn agent() -> u64 {
    (0..31).map(|n| tool(&Argument, n)).sum()
}

#[staso::tool]
async fn tool_async(argument: &Argument) -> u64 {
    let _ = argument;
    1
}

#[test]
fn a_span_allocates_nothing_when_off_and_once_when_on() {
    let off = allocations(|| {
        agent();
        staso::span!("block", kind = "tool", metadata(k = Argument), |span| { span.set_output(&1) });
        staso::conversation!("id", user_id = "user", { agent() });
        Conversation::new("id").user_id("user").scope(agent);
        Span::builder("built").kind(SpanKind::Tool).tag("t").in_scope(|span| span.set_input("x"));
        staso::current_span().set_metadata("k", &Argument);
        let future = std::pin::pin!(tool_async(&Argument));
        let _ = future.poll(&mut std::task::Context::from_waker(std::task::Waker::noop()));
    });
    assert_eq!((off, CAPTURED.get()), (0, 0), "before init nothing is allocated and nothing is captured");

    let client = staso::builder()
        .agent_name("a")
        .exporter(Exporter::none())
        .capture_git(false)
        .flush_interval(std::time::Duration::from_secs(3_600))
        .batch_size(500)
        .init()
        .expect("valid settings");
    agent();
    let on = allocations(|| {
        agent();
    });
    assert!(CAPTURED.get() >= 62);
    assert!(on <= 32 + 2, "{on} allocations for 32 spans, of which a block of the queue may be two");
    drop(client);
}
