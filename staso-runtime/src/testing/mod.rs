//! Test your own instrumentation: run a piece of code and look at the spans it made.
//!
//! A capture sees the spans of its own closure or future, and of threads and tasks that took its
//! [`Context`] along. Tests in parallel do not see each other, and need no client.
//!
//! ```
//! use staso::{Span, SpanKind, testing};
//!
//! fn answer(question: &str) -> String {
//!     Span::builder("answer").kind(SpanKind::Tool).in_scope(|span| {
//!         span.set_input(question);
//!         question.to_uppercase()
//!     })
//! }
//!
//! let (answer, spans) = testing::capture_with(|| answer("hi"));
//! assert_eq!(answer, "HI");
//! assert_eq!(spans.tree(), "tool answer\n");
//! assert_eq!(spans[0].input, "hi");
//! assert!(spans[0].parent().is_none());
//! ```

mod captured;
mod clock;
mod tape;

pub use captured::{CapturedSpan, SpanData, Spans};
pub use clock::ManualClock;
pub(crate) use tape::Tape;

use std::sync::{Arc, OnceLock};

use crate::{
    capture::{Limits, Policy},
    context::{Context, FutureExt as _, Scope},
    record::{Resource, clock::Clock, fork_generation},
    recorder::{Recorder, Sink, Wanted},
};

/// The spans that a closure makes, in the order in which they start.
///
/// # Panics
///
/// When the closure does.
pub fn capture(f: impl FnOnce()) -> Spans {
    capture_with(f).1
}

/// What a closure returns, and the spans that it makes.
///
/// # Panics
///
/// When the closure does.
pub fn capture_with<R>(f: impl FnOnce() -> R) -> (R, Spans) {
    let recording = Recording::start();
    let value = recording.context.scope(f);
    (value, recording.stop())
}

/// The spans that a future makes while it runs.
pub async fn capture_async(future: impl Future<Output = ()>) -> Spans {
    capture_with_async(future).await.1
}

/// What a future gives, and the spans that it makes.
pub async fn capture_with_async<F: Future>(future: F) -> (F::Output, Spans) {
    let recording = Recording::start();
    let value = future.with_context(recording.context.clone()).await;
    (value, recording.stop())
}

/// A capture under way.
struct Recording {
    context: Context,
    recorder: &'static Recorder,
    _wanted: Wanted,
}

impl Recording {
    fn start() -> Self {
        crate::client::register_handlers();
        let recorder: &'static Recorder = Box::leak(Box::new(Recorder {
            clock: Clock::system(),
            policy: Policy::default(),
            limits: Limits::default(),
            redact: None,
            resource: Arc::new(Resource {
                agent_name: "test-agent".into(),
                agent_version: String::new(),
                environment: "test".into(),
                workspace: "test".into(),
                session_id: "test-session".into(),
                git: OnceLock::new(),
            }),
            sink: Sink::Tape(Tape::default()),
            generation: fork_generation(),
        }));
        let scope = Scope { recorder: Some(recorder), ..Scope::default() };
        Self { context: Context::of(scope), recorder, _wanted: Wanted::new() }
    }

    fn stop(self) -> Spans {
        match &self.recorder.sink {
            Sink::Tape(tape) => Spans::of(tape.stop(&self.recorder.resource, self.recorder.policy)),
            Sink::Sender(_) => Spans::of(Vec::new()),
        }
    }
}
