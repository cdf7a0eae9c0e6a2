//! The one line that Staso ever prints: at the exit of a process that lost spans while no logger took
//! the warnings.

use std::{
    fmt,
    io::Write as _,
    sync::{
        Mutex,
        atomic::{AtomicBool, AtomicU64, Ordering},
    },
};

use super::TARGET;
use crate::{context::Suspension, record};

static QUIET: AtomicBool = AtomicBool::new(false);

/// Spans that clients lost which have ended since.
static LOST: AtomicU64 = AtomicU64::new(0);

/// What the latest fault said.
static REASON: Mutex<Option<String>> = Mutex::new(None);

/// What was odd about the variables of the process.
static HINT: Mutex<Option<String>> = Mutex::new(None);

/// Says whether the process wants no line, and what may be wrong with its variables.
pub(crate) fn prepare(is_quiet: bool, hint: Option<String>) {
    QUIET.store(is_quiet, Ordering::Relaxed);
    if let Ok(mut kept) = HINT.try_lock() {
        *kept = hint;
    }
}

/// Keeps why spans are lost. Where another thread says so at the same time, its reason will do.
pub(super) fn because(reason: fmt::Arguments<'_>) {
    if let Ok(mut kept) = REASON.try_lock() {
        *kept = Some(reason.to_string());
    }
}

/// The same, where an earlier reason is the better one, and many spans may have the same.
pub(super) fn unless_known_because(reason: &str) {
    if let Ok(mut kept) = REASON.try_lock() {
        kept.get_or_insert_with(|| reason.to_owned());
    }
}

/// Counts what a client lost that comes to its end before the process does.
pub(crate) fn lost_by_retired(spans: u64) {
    LOST.fetch_add(spans, Ordering::Relaxed);
}

/// Prints the line, given what the last client lost, unless nothing was lost or a logger was told.
pub(crate) fn say(lost_by_last: u64) {
    let lost = LOST.swap(0, Ordering::Relaxed).saturating_add(lost_by_last);
    let _suspended = Suspension::begin();
    // What the child of a fork lost is for its own reports: the lock of standard error may be one that
    // another thread of the parent held.
    if lost == 0
        || record::is_forked()
        || QUIET.load(Ordering::Relaxed)
        || log::log_enabled!(target: TARGET, log::Level::Warn)
    {
        return;
    }
    let text = |kept: &Mutex<Option<String>>| kept.try_lock().ok().and_then(|kept| kept.clone());
    // The program is at its end: nobody is left to tell that standard error is closed.
    let _ = std::io::stderr().write_all(line(lost, text(&REASON), text(&HINT)).as_bytes());
}

fn line(lost: u64, reason: Option<String>, hint: Option<String>) -> String {
    let spans = if lost == 1 { "span was" } else { "spans were" };
    let reason = reason.unwrap_or_else(|| "the process ended before it could send".into());
    let hint = hint.map(|hint| format!("; {hint}")).unwrap_or_default();
    // What a backend answers may be quoted in the reason.
    let reason: String = reason.chars().map(|c| if c.is_control() { ' ' } else { c }).collect();
    format!("staso: {lost} {spans} lost: {reason}{hint} (STASO_QUIET=1 hides this line)\n")
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_line_says_how_many_spans_are_lost_why_and_what_may_be_wrong() {
        assert_eq!(
            line(3, Some("invalid_key: the backend\nrefused".into()), None),
            "staso: 3 spans were lost: invalid_key: the backend refused (STASO_QUIET=1 hides this line)\n"
        );
        assert_eq!(
            line(1, None, Some("STASO_BASE_ULR is no setting: did you mean STASO_BASE_URL?".into())),
            "staso: 1 span was lost: the process ended before it could send; STASO_BASE_ULR is no setting: \
             did you mean STASO_BASE_URL? (STASO_QUIET=1 hides this line)\n"
        );
    }
}
