//! What Staso says of itself: through the `log` facade, target `staso`, one record per kind of fault and
//! ten seconds. Never a secret, never a captured value.

mod last_words;

use std::{
    fmt,
    sync::atomic::{AtomicU64, Ordering},
};

use log::Level;

use crate::{
    context::{Suspension, local},
    export::{ExportError, FailureKind},
    record::{self, SpanKind, clock::Clock},
};

pub(crate) use last_words::{lost_by_retired, prepare, say};

const TARGET: &str = "staso";
const PAUSE_NANOS: u64 = 10_000_000_000;

/// One kind of fault, and when it was last logged.
struct Fault {
    /// Nanoseconds since 1970; zero for never.
    last: AtomicU64,
    held_back: AtomicU64,
}

impl Fault {
    const fn new() -> Self {
        Self { last: AtomicU64::new(0), held_back: AtomicU64::new(0) }
    }

    /// Logs the fault unless the same kind was logged just before.
    fn log(&self, level: Level, message: fmt::Arguments<'_>) -> bool {
        // The wall clock needs no beginning, whose lock a fork could catch. When it is set, either way, the
        // worst is a record too many.
        let now = Clock::system().wall().0;
        let last = self.last.load(Ordering::Relaxed);
        let is_due = now.abs_diff(last) >= PAUSE_NANOS && !may_hang();
        if !is_due || self.last.compare_exchange(last, now, Ordering::Relaxed, Ordering::Relaxed).is_err() {
            self.held_back.fetch_add(1, Ordering::Relaxed);
            return false;
        }
        // A logger may itself be instrumented.
        let _suspended = Suspension::begin();
        match self.held_back.swap(0, Ordering::Relaxed) {
            0 => log::log!(target: TARGET, level, "{message}"),
            more => log::log!(target: TARGET, level, "{message} (and {more} more like it)"),
        }
        true
    }
}

/// In the child of a fork the logger's lock may be one that another thread of the parent held. Only the
/// sender, which nobody waits for without a limit, risks it.
fn may_hang() -> bool {
    record::is_forked() && !local::with(local::Local::is_sender).unwrap_or_default()
}

/// A span that ended after a shutdown. Called on the traced thread, for no sender is left to say it.
pub(crate) fn rejected(why: FailureKind) {
    const TOO_LATE: &str = "a span came after the client was shut down; keep the client until the end of \
                            the program: `let _staso = staso::init()?`, not `let _ = …`";
    static FAULT: Fault = Fault::new();
    if why == FailureKind::Shutdown {
        last_words::unless_known_because(TOO_LATE);
        FAULT.log(Level::Warn, format_args!("{TOO_LATE}"));
    }
}

/// Spans that the queue refused, counted since the last record. Whether it was logged.
pub(crate) fn spans_rejected(count: u64, why: FailureKind) -> bool {
    static FAULT: Fault = Fault::new();
    last_words::unless_known_because("they came faster than they are delivered");
    FAULT.log(
        Level::Warn,
        format_args!("{count} spans were rejected ({why}): they came faster than they are delivered"),
    )
}

pub(crate) fn batch_lost(error: &ExportError, spans: u64) {
    static FAULT: Fault = Fault::new();
    last_words::because(format_args!("{error}"));
    FAULT.log(Level::Warn, format_args!("{spans} spans could not be delivered: {error}"));
}

/// Nothing is lost by it.
#[cfg(feature = "http")]
pub(crate) fn batch_split(error: &ExportError, spans: usize, bytes: usize) {
    static FAULT: Fault = Fault::new();
    FAULT.log(
        Level::Warn,
        format_args!(
            "a request with {spans} spans and {bytes} bytes was refused, and is sent in halves: {error}"
        ),
    );
}

/// Nothing is lost by it but the sight of runs in progress.
pub(crate) fn announcements_failed(error: &ExportError) {
    static FAULT: Fault = Fault::new();
    FAULT.log(Level::Warn, format_args!("runs in progress could not be announced: {error}"));
}

pub(crate) fn annotation_lost(error: &ExportError) {
    static FAULT: Fault = Fault::new();
    FAULT.log(Level::Warn, format_args!("an annotation could not be delivered: {error}"));
}

pub(crate) fn annotation_refused(fault: &str) {
    static FAULT: Fault = Fault::new();
    FAULT.log(Level::Warn, format_args!("an annotation was refused: {fault}"));
}

pub(crate) fn flush_failed(error: &ExportError) {
    static FAULT: Fault = Fault::new();
    FAULT.log(Level::Warn, format_args!("the exporter could not flush: {error}"));
}

/// The panic's message is the exporter's own and may quote what it exported, so it is left out.
pub(crate) fn exporter_panicked(_message: &str) {
    static FAULT: Fault = Fault::new();
    last_words::because(format_args!("the exporter panicked"));
    FAULT.log(Level::Error, format_args!("the exporter panicked; what it was given is lost"));
}

pub(crate) fn worker_panicked(message: &str) {
    static FAULT: Fault = Fault::new();
    FAULT.log(Level::Error, format_args!("the sender panicked and is restarted: {message}"));
}

pub(crate) fn no_thread(error: &std::io::Error) {
    static FAULT: Fault = Fault::new();
    last_words::because(format_args!("the sender thread could not be started: {error}"));
    FAULT.log(
        Level::Error,
        format_args!("the sender thread could not be started, the next flush tries again: {error}"),
    );
}

/// A variable of the process that no setting knows.
pub(crate) fn misspelt(told: &str) {
    static FAULT: Fault = Fault::new();
    FAULT.log(Level::Warn, format_args!("{told}"));
}

/// Spans that a client has left when it ends, since it had no more time.
pub(crate) fn spans_left(spans: u64) {
    static FAULT: Fault = Fault::new();
    last_words::unless_known_because("there was no time left to deliver them");
    FAULT.log(Level::Warn, format_args!("{spans} spans are lost: there was no time left to deliver them"));
}

pub(crate) fn redact_panicked() {
    static FAULT: Fault = Fault::new();
    FAULT.log(Level::Warn, format_args!("the redact hook panicked; the value was left out"));
}

pub(crate) fn span_full(kind: SpanKind, most: usize) {
    static FAULT: Fault = Fault::new();
    FAULT.log(
        Level::Warn,
        format_args!("more than {most} bytes were set on one {kind} span; the rest was left out"),
    );
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_same_fault_is_logged_once_and_then_held_back() {
        static FAULT: Fault = Fault::new();
        assert!(FAULT.log(Level::Warn, format_args!("once")));
        assert!(!FAULT.log(Level::Warn, format_args!("twice")));
        assert_eq!(FAULT.held_back.load(Ordering::Relaxed), 1);
    }
}
