//! What a program prints when it lost spans and no logger was told: one line at its exit, and no more.
//!
//! Each case is a child process: this binary runs itself with the name of the case.

#[path = "support/mod.rs"]
mod support;

use std::{
    env,
    process::{Command, exit},
};

use staso::{Builder, Span};
use support::server::{Server, Step};

const CASE: &str = "STASO_TEST_CASE";
const KEY: &str = "ak_canary_77f0";

fn record() {
    for name in ["a", "b", "c"] {
        Span::builder(name).in_scope(|_| ());
    }
}

/// Takes warnings, and keeps them to itself.
struct Logger;

impl log::Log for Logger {
    fn enabled(&self, _: &log::Metadata<'_>) -> bool {
        true
    }

    fn log(&self, _: &log::Record<'_>) {}

    fn flush(&self) {}
}

/// The child's part of each case; in the parent there is no case, and nothing to do.
#[test]
fn child() {
    let builder = || staso::builder().agent_name("demo-agent").capture_git(false);
    match env::var(CASE).as_deref() {
        Ok("returns") => {
            let _staso = builder().init().expect("valid settings");
            record();
        }
        Ok("exits") => {
            let _staso = builder().init().expect("valid settings");
            record();
            exit(3);
        }
        Ok("logs") => {
            log::set_logger(&Logger).expect("the first");
            log::set_max_level(log::LevelFilter::Warn);
            let _staso = builder().init().expect("valid settings");
            record();
        }
        Ok("drops its client") => {
            #[expect(let_underscore_drop, reason = "the mistake that is tested")]
            let _ = builder().init().expect("valid settings");
            record();
        }
        Ok("has two clients") => {
            let _first = builder().init().expect("valid settings");
            record();
            let _second = builder().init().expect("valid settings");
            record();
        }
        _ => {}
    }
}

/// What a child prints on standard error, given what its backend answers.
fn stderr(case: &str, answer: impl IntoIterator<Item = Step>, variables: &[(&str, &str)]) -> String {
    let server = Server::script_then_ack(answer);
    let output = Command::new(env::current_exe().expect("this binary"))
        .args(["child", "--exact", "--nocapture", "--test-threads=1"])
        .env(CASE, case)
        .env("STASO_API_KEY", KEY)
        .env("STASO_BASE_URL", server.url())
        .envs(variables.iter().copied())
        .output()
        .expect("the child runs");
    String::from_utf8(output.stderr).expect("text")
}

fn refused() -> [Step; 1] {
    [Step::reply(401, r#"{"detail":"no such key"}"#)]
}

#[test]
fn a_refused_key_leaves_one_line_however_the_program_ends() {
    for case in ["returns", "exits"] {
        let printed = stderr(case, refused(), &[]);
        assert!(printed.starts_with("staso: 3 spans were lost: invalid_key: "), "{printed}");
        assert!(printed.ends_with(" (STASO_QUIET=1 hides this line)\n"), "{printed}");
        assert_eq!(printed.lines().count(), 1, "{printed}");
        assert!(!printed.contains(KEY), "{printed}");
    }
}

#[test]
fn nothing_is_printed_when_nothing_is_lost() {
    for case in ["returns", "exits", "has two clients"] {
        assert_eq!(stderr(case, [], &[("STASO_BASE_ULR", "x")]), "", "{case}");
    }
}

#[test]
fn nothing_is_printed_when_a_logger_took_the_warning_or_the_user_wants_quiet() {
    assert_eq!(stderr("logs", refused(), &[]), "");
    assert_eq!(stderr("returns", refused(), &[("STASO_QUIET", "1")]), "");
}

#[test]
fn a_client_that_was_dropped_at_once_is_named_as_the_reason() {
    let printed = stderr("drops its client", [], &[]);
    assert!(
        printed.starts_with("staso: 3 spans were lost: a span came after the client was shut down"),
        "{printed}"
    );
}

#[test]
fn what_an_earlier_client_lost_is_counted_too() {
    let printed = stderr("has two clients", refused(), &[]);
    assert!(printed.starts_with("staso: 3 spans were lost: invalid_key"), "{printed}");
}

#[test]
fn a_misspelt_variable_is_named_beside_the_loss() {
    let printed = stderr("returns", refused(), &[("STASO_BASE_ULR", "https://secret.example")]);
    assert!(printed.contains("STASO_BASE_ULR is not a setting: did you mean STASO_BASE_URL?"), "{printed}");
    assert!(!printed.contains("secret.example"), "{printed}");
}

#[test]
fn every_setting_that_is_missing_is_named_at_once() {
    let error = |builder: Builder| builder.init().expect_err("settings are missing").to_string();
    let both = error(staso::builder());
    for part in ["api_key is required", "agent_name is required", "staso dev", "STASO_EXPORTER=console"] {
        assert!(both.contains(part), "{part} in {both}");
    }
    let one = error(staso::builder().api_key("ak_x"));
    assert!(one.starts_with("agent_name is required") && !one.contains("api_key is required"), "{one}");
}
