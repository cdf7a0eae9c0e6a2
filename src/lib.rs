//! See what your AI agents do: put three attributes on your functions, and every call becomes a span with
//! its arguments, result, status and timing.
//!
//! ```
//! use staso::SpanStatus;
//!
//! #[staso::tool]
//! fn find_order(id: u32) -> Result<String, String> {
//!     if id == 1042 { Ok("shipped".into()) } else { Err(format!("no order {id}")) }
//! }
//!
//! #[staso::agent]
//! fn support_bot(question: &str) -> String {
//!     find_order(1043).or_else(|_| find_order(1042)).unwrap_or_default()
//! }
//!
//! // In a program: `let _staso = staso::init()?;`. Here the spans are captured to look at them.
//! let spans = staso::testing::capture(|| {
//!     staso::conversation!("conv-42", user_id = "user-alice", { support_bot("Where is my order?") });
//! });
//!
//! assert_eq!(spans.tree(), "agent support_bot\n  tool find_order error\n  tool find_order\n");
//! assert_eq!(spans[1].error_message.as_deref(), Some("no order 1043"));
//! assert_eq!(spans[2].status, SpanStatus::Ok);
//! assert_eq!(spans[2].conversation_id, "conv-42");
//! ```
//!
//! # Concepts
//!
//! - A **span** is one run of a function or block: [`macro@agent`], [`macro@tool`], [`macro@trace`],
//!   [`span!`], or [`Span::builder`]. The spans of one run of an agent are a **trace**.
//! - An **agent** names the spans inside it; a [`conversation!`] groups traces and says who the end user
//!   is. Both follow the code: into functions it calls and futures it awaits, never into another task.
//!   [`Context`] takes them to other threads, tasks and processes.
//! - A value is **captured** as its bounds allow: `Serialize` gives JSON, else `Debug`, `Display` or
//!   `AsRef<str>` a text, else the type's name. No bound is asked for. [`Capture`], `skip` and [`Builder::redact`] keep values out.
//! - A [`Client`], from [`init`] or [`builder`], delivers what ended through an [`Exporter`]: to Staso, to
//!   the terminal, to a file, to memory, or to an [`Export`] of your own.
//!
//! # What is promised
//!
//! - **It does not slow you down.** Ending a span is a push to a queue without locks, and never waits. A
//!   thread of its own delivers. Before [`init`] a macro costs one load and a branch.
//! - **It does not break you.** An instrumented function returns, panics, cancels and drops exactly as
//!   without the macro, whatever its `Serialize` does.
//! - **It does not lose spans silently.** [`DeliveryReport`] accounts for each:
//!   `accepted = delivered + failed + pending`, and `rejected` beside it.
//!
//! # What it costs
//!
//! A recorded span allocates at most once on the calling thread, for the bytes of its captured values; a
//! queue block of 31 spans is one more allocation. The first handle to a span ([`current_span`]) is
//! another. A function that is not recorded allocates nothing.
//!
//! # Libraries
//!
//! A library that instruments itself depends on `staso` with `default-features = false`: macros and
//! context, no network and no TLS. The program that uses it decides whether and where spans go.
//!
//! Two incompatible versions of `staso` in one program do not see each other: each has its own client and
//! its own context.
//!
//! # Features
//!
//! - `http` (default): delivery over HTTP, with ureq and rustls.
//! - `http-headers`: [`Context`] in the headers of the `http` crate.

#[doc(hidden)]
pub use staso_runtime::__private;
pub use staso_runtime::{
    Annotation, AnnotationValue, Builder, Capture, Category, Client, Context, ContextGuard, Conversation,
    Counts, DeliveryReport, Export, Exporter, Field, FieldKind, FutureExt, GitFacts, InitError, ParseIdError,
    ParseKindError, Redaction, Span, SpanBuilder, SpanId, SpanKind, SpanRecord, SpanStatus, StreamExt,
    TraceId, Usage, WithContext, agent_id, annotate, annotate_with, builder, current_span, export, flush,
    flush_async, init, shutdown, shutdown_async, suspended, testing,
};

pub use staso_macros::{agent, conversation, span, tool, trace};

/// The README's examples, compiled and run with the tests.
#[cfg(doctest)]
#[doc = include_str!("../README.md")]
struct Readme;

/// Functions of older editions.
#[cfg(doctest)]
#[doc = include_str!("../tests/editions.md")]
struct Editions;
