//! How a program can end, and what is delivered in each case. Each case is a child process: this binary
//! runs itself with the name of the case, and delivers to a server in the parent.

#[path = "support/mod.rs"]
mod support;

use std::{
    env,
    process::{Command, ExitStatus, exit},
    sync::{Mutex, OnceLock},
    time::Duration,
};

use staso::{Client, Span};
use support::server::{Server, spans};

const CASE: &str = "STASO_TEST_CASE";
const URL: &str = "STASO_TEST_URL";

/// Runs a case in a child process and gives its status and the names of the spans that arrived.
fn run(case: &str) -> (ExitStatus, Vec<String>) {
    let server = Server::acknowledging();
    let status = Command::new(env::current_exe().expect("this binary"))
        .args(["child", "--exact", "--nocapture", "--test-threads=1"])
        .env(CASE, case)
        .env(URL, server.url())
        .stdout(std::process::Stdio::null())
        .stderr(std::process::Stdio::null())
        .status()
        .expect("the child runs");
    let mut names: Vec<String> = spans(&server.arrivals())
        .iter()
        .map(|span| span["name"].as_str().unwrap_or_default().to_owned())
        .collect();
    names.sort();
    (status, names)
}

fn client() -> Client {
    staso::builder()
        .api_key("ak_test")
        .agent_name("demo-agent")
        .base_url(env::var(URL).expect("set by the parent"))
        .capture_git(false)
        // Nothing leaves by itself before the end that is tested.
        .flush_interval(Duration::from_secs(3_600))
        .init()
        .expect("valid settings")
}

fn record() {
    for name in ["a", "b", "c"] {
        Span::builder(name).in_scope(|_| ());
    }
}

/// The child's part of each case; in the parent there is no case, and nothing to do.
#[test]
fn child() {
    match env::var(CASE).as_deref() {
        Ok("returns") => {
            let _staso = client();
            record();
        }
        Ok("exits") => {
            let _staso = client();
            record();
            exit(3);
        }
        Ok("panics") => {
            let _staso = client();
            record();
            panic!("in main");
        }
        Ok("static") => {
            static CLIENT: OnceLock<Client> = OnceLock::new();
            CLIENT.get_or_init(client);
            record();
            exit(0);
        }
        Ok("static in a lock") => {
            static CLIENT: Mutex<Option<Client>> = Mutex::new(None);
            *CLIENT.lock().expect("first use") = Some(client());
            record();
        }
        Ok("aborts") => {
            let _staso = client();
            record();
            std::process::abort();
        }
        #[cfg(unix)]
        Ok("forks") => fork(),
        _ => {}
    }
}

#[cfg(unix)]
#[expect(unsafe_code, reason = "fork is a system call")]
fn fork() {
    let staso = client();
    record();
    // SAFETY: the child only calls Staso, which is what is tested, and `_exit`.
    let pid = unsafe { libc::fork() };
    if pid == 0 {
        Span::builder("in the child").in_scope(|_| ());
        let report = staso.flush(Duration::from_secs(5));
        let code = if report.accepted() == 0 && report.ok() { 0 } else { 1 };
        // SAFETY: ends the process without running handlers, which belong to the parent.
        unsafe { libc::_exit(code) };
    }
    let mut status = 0;
    // SAFETY: `status` outlives the call.
    unsafe { libc::waitpid(pid, &raw mut status, 0) };
    drop(staso);
    exit(if status == 0 { 7 } else { 1 });
}

#[test]
fn when_main_returns_everything_is_delivered() {
    let (status, names) = run("returns");
    assert!(status.success());
    assert_eq!(names, ["a", "b", "c"]);
}

#[test]
fn when_the_process_exits_early_everything_is_delivered() {
    let (status, names) = run("exits");
    assert_eq!(status.code(), Some(3));
    assert_eq!(names, ["a", "b", "c"]);
}

#[test]
fn when_main_panics_everything_is_delivered_and_the_exit_code_stays() {
    let (status, names) = run("panics");
    assert_eq!(status.code(), Some(101));
    assert_eq!(names, ["a", "b", "c"]);
}

#[test]
fn a_client_in_a_static_is_flushed_at_exit() {
    for case in ["static", "static in a lock"] {
        let (status, names) = run(case);
        assert!(status.success(), "{case}");
        assert_eq!(names, ["a", "b", "c"], "{case}");
    }
}

#[test]
fn an_abort_loses_what_the_interval_has_not_sent() {
    let (status, names) = run("aborts");
    assert!(!status.success());
    assert!(names.is_empty(), "{names:?}");
}

#[cfg(unix)]
#[test]
fn a_forked_child_is_off_and_the_parents_spans_are_sent_once() {
    let (status, names) = run("forks");
    assert_eq!(status.code(), Some(7));
    assert_eq!(names, ["a", "b", "c"]);
}
