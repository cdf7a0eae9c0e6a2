//! What a client leaves behind when it has ended.

use std::{
    alloc::{GlobalAlloc, Layout, System},
    sync::{
        atomic::{AtomicI64, Ordering},
        mpsc,
    },
    time::Duration,
};

use staso::{
    Export, Exporter,
    export::{Batch, ExportError},
};

static LIVE: AtomicI64 = AtomicI64::new(0);

struct Counting;

fn count(bytes: usize, sign: i64) {
    LIVE.fetch_add(sign * i64::try_from(bytes).unwrap_or(0), Ordering::Relaxed);
}

#[expect(unsafe_code, reason = "a global allocator is an unsafe trait")]
// SAFETY: every call is passed on unchanged to the system's allocator.
unsafe impl GlobalAlloc for Counting {
    unsafe fn alloc(&self, layout: Layout) -> *mut u8 {
        count(layout.size(), 1);
        // SAFETY: the caller's promise is passed on.
        unsafe { System.alloc(layout) }
    }

    unsafe fn dealloc(&self, pointer: *mut u8, layout: Layout) {
        count(layout.size(), -1);
        // SAFETY: the caller's promise is passed on.
        unsafe { System.dealloc(pointer, layout) }
    }
}

#[global_allocator]
static ALLOCATOR: Counting = Counting;

/// Says when the sender has dropped it, which is the last that the sender does.
struct Ends(#[expect(dead_code, reason = "its drop is the news")] mpsc::Sender<()>);

impl Export for Ends {
    fn export(&mut self, _: &Batch) -> Result<(), ExportError> {
        Ok(())
    }
}

#[staso::agent]
fn agent(prompt: &str) -> String {
    staso::current_span().set_metadata("k", "v");
    prompt.to_uppercase()
}

fn one_client(name: &str) {
    let (ends, ended) = mpsc::channel();
    let client = staso::builder()
        .agent_name(name)
        .environment(name)
        .exporter(Exporter::custom(Ends(ends)))
        .capture_git(false)
        .init()
        .expect("valid settings");
    for _ in 0..100 {
        agent("a question");
    }
    assert_eq!(client.shutdown(Duration::from_secs(20)).delivered(), 100);
    assert!(
        ended
            .recv_timeout(Duration::from_secs(20))
            .is_err_and(|end| end == mpsc::RecvTimeoutError::Disconnected)
    );
}

#[test]
fn what_one_init_keeps_is_what_the_documentation_says() {
    const CLIENTS: i64 = 50;
    let name = "n".repeat(1_000_000);
    for _ in 0..5 {
        one_client(&name);
    }
    let before = LIVE.load(Ordering::Relaxed);
    for _ in 0..CLIENTS {
        one_client(&name);
    }
    let kept = (LIVE.load(Ordering::Relaxed) - before) / CLIENTS;
    assert!(kept <= 16 * 1024, "{kept} bytes a client");
}
