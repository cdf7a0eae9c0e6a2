//! What this SDK sends is what the vendor's Python SDK sends.
//!
//! Each file in `data/` is a capture: what a program with the Python SDK (0.5.25) really sent, and what its
//! client reported. Each test runs the same program in Rust, through the HTTP exporter into a server in the
//! test, and compares the requests value by value and type by type, in the order of the wire; documents
//! inside of strings are compared parsed. Identifiers, times, places in the source and the SDK's name are
//! free, but their form is checked, and which identifiers are equal. Where a program differs on purpose, its
//! test says so with [`compare::Golden::differs`] and its kin: what is different, and why.

#![allow(
    clippy::disallowed_methods,
    reason = "tests start processes and threads, and read the variables that those are given"
)]
#![allow(mixed_script_confusables, reason = "an argument in one of the captured programs is Cyrillic")]
#![allow(unreachable_pub, reason = "a module says what others may use")]

mod annotations;
mod capture_policy;
mod compare;
mod conversations;
mod delivery;
mod errors;
mod functions;
mod git;
mod harness;
mod manual_spans;
mod picture;
mod roots;
mod settings;
#[path = "../support/mod.rs"]
mod support;
mod values;
mod volume;
mod wire;

/// The scenarios of the captures that have no test here, each with its reason.
const LEFT_OUT: [(&str, &str); 22] = [
    ("lone_surrogate", "a text in Rust is always valid Unicode, so no batch can be unencodable"),
    ("guard_allow", GUARD),
    ("guard_block", GUARD),
    ("guard_audit", GUARD),
    ("guard_skipped", GUARD),
    ("guard_unavailable_open", GUARD),
    ("guard_unavailable_closed", GUARD),
    ("guard_server_says_unavailable", GUARD),
    ("guard_suppressed", GUARD),
    ("guard_outside_span", GUARD),
    ("guard_failure_table", GUARD),
    ("guard_no_init", GUARD),
    ("guard_no_key", GUARD),
    ("dataset_calls", "this SDK records and delivers; datasets are not part of it"),
    ("dataset_retry", "this SDK records and delivers; datasets are not part of it"),
    ("eval_calls", "this SDK records and delivers; evaluation runs are not part of it"),
    ("openai_chat", PATCHED),
    ("openai_chat_error", PATCHED),
    ("openai_stream", PATCHED),
    ("anthropic_messages", PATCHED),
    ("config_validation: flush_neg", "a `Duration` cannot be negative"),
    ("config_validation: defaults", "they are no part of what is sent; those that are, are in every capture"),
];

const GUARD: &str = "this SDK records and delivers; checks of tool calls are not part of it";
const PATCHED: &str = "clients of providers cannot be patched in Rust; `llm_span` is a request to a model";

/// The sources of the tests, to look for the captures that they use.
const SOURCES: [&str; 11] = [
    include_str!("annotations.rs"),
    include_str!("capture_policy.rs"),
    include_str!("conversations.rs"),
    include_str!("delivery.rs"),
    include_str!("errors.rs"),
    include_str!("functions.rs"),
    include_str!("git.rs"),
    include_str!("manual_spans.rs"),
    include_str!("roots.rs"),
    include_str!("settings.rs"),
    concat!(include_str!("values.rs"), include_str!("volume.rs")),
];

#[test]
fn every_capture_is_compared_and_none_that_is_left_out() {
    let files =
        std::fs::read_dir(concat!(env!("CARGO_MANIFEST_DIR"), "/tests/golden/data")).expect("captures");
    let names = files.filter_map(|file| Some(file.ok()?.path().file_stem()?.to_str()?.to_owned()));
    let names: Vec<String> = names.collect();
    assert_eq!(names.len(), 54);
    for name in names {
        assert!(SOURCES.iter().any(|source| source.contains(&format!("(\"{name}\""))), "{name} is not used");
        assert!(LEFT_OUT.iter().all(|(left_out, _)| *left_out != name), "{name} is not left out");
    }
}
