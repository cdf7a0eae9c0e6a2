//! The runtime behind the `staso` crate: spans, context, capture, buffer and
//! delivery. Programs depend on `staso`, which adds the macros and the user's guide.
//!
//! Data goes one way:
//!
//! ```text
//! span ─▶ queue ─▶ sender ─▶ export
//!  │                          ▲
//!  └── context, capture       └── encode
//!        (record lies below all of them, client above)
//! ```

#![cfg_attr(
    not(test),
    deny(
        clippy::disallowed_methods,
        clippy::unwrap_used,
        clippy::expect_used,
        clippy::panic,
        clippy::indexing_slicing,
        clippy::print_stdout,
        clippy::print_stderr
    )
)]
#![cfg_attr(test, allow(clippy::disallowed_methods, missing_docs))]

mod annotation;
mod capture;
mod client;
mod config;
mod context;
mod credentials;
mod diagnostics;
mod encode;
pub mod export;
mod queue;
mod record;
mod recorder;
mod report;
mod sender;
mod span;
mod sync;
pub mod testing;

pub use annotation::{Annotation, AnnotationValue};
pub use capture::{Capture, Category, Field, FieldKind, Redaction};
pub use client::{Client, builder, flush, flush_async, init, shutdown, shutdown_async};
pub use config::{Builder, InitError};
pub use context::{Context, ContextGuard, Conversation, FutureExt, StreamExt, WithContext, suspended};
pub use encode::agent_id;
pub use export::{Export, Exporter};
pub use record::{
    GitFacts, ParseIdError, ParseKindError, SpanId, SpanKind, SpanRecord, SpanStatus, TraceId, Usage,
};
pub use report::{Counts, DeliveryReport};
pub use span::{Span, SpanBuilder, current_span};

/// Scores or labels a trace: a number, one of a set of texts, or a boolean.
///
/// The sender thread sends it. The trace need not have been delivered, nor be of this process.
///
/// ```
/// # fn example(trace_id: staso::TraceId) {
/// staso::annotate(trace_id, "resolved", true);
/// # }
/// ```
pub fn annotate(trace_id: TraceId, name: impl Into<String>, value: impl Into<AnnotationValue>) {
    annotate_with(trace_id, Annotation::new(name, value));
}

/// As [`annotate`], with a comment.
pub fn annotate_with(trace_id: TraceId, annotation: Annotation) {
    if let Some(recorder) = recorder::current() {
        sender::annotate(recorder, annotation.on(trace_id, None));
    }
}

/// What the macros expand to. Not for use by hand: it changes with any version.
#[doc(hidden)]
pub mod __private {
    pub use crate::{
        __staso_capture as capture, __staso_end as end, __staso_errors_only as errors_only,
        __staso_fail as fail, __staso_given as given, __staso_observe as observe, __staso_outcome as outcome,
        __staso_type_name as type_name,
        capture::{
            CaptureDebug, CaptureDisplay, CaptureJson, CaptureLock, CaptureName, CaptureText, FailBoxed,
            FailDebug, FailDisplay, FailError, FailIo, FailName, FailShared, Failure, NoPiece, Outcome,
            Piece, Probe, Slot, SplitAny, SplitResult, Splitter, TextPiece, name_type, observe_type,
        },
        context::{ConversationScope, conversation_scope},
        record::{CallSite, SpanKind, stated_name},
        span::{
            Arguments, Call, CallGuard, Done, Early, Ending, Followed, FollowedStream, NoPromise, Promise,
            PromiseFirst, PromiseSecond, PromiseThird, Returned, Span, enter,
        },
    };

    /// A box in which a future or stream stays where it is, for crates without `std` in their names.
    pub fn pin<T>(value: T) -> std::pin::Pin<Box<T>> {
        Box::pin(value)
    }

    /// No value, of the type of another.
    #[inline(always)]
    pub fn nothing_like<T>(_: &T) -> Option<T> {
        None
    }

    /// A body whose future gives a `T`.
    #[inline(always)]
    pub fn promising<T, F: Future<Output = T>, B: FnOnce() -> F>(body: B) -> B {
        body
    }

    /// A body whose stream gives `T`s.
    #[inline(always)]
    pub fn promising_items<T, S: futures_core::Stream<Item = T>, B: FnOnce() -> S>(body: B) -> B {
        body
    }

    /// Runs a body that may move what it captured: a closure that is passed on is expected to run once,
    /// so that it may return what it borrows from its captures.
    #[inline(always)]
    pub fn body<R>(body: impl FnOnce() -> R) -> R {
        body()
    }
}
