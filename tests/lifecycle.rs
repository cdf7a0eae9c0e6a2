//! How a program can end, and what is delivered in each case. Each case is a child process: this binary
//! runs itself with the name of the case, and delivers to a server in the parent.

#[path = "support/mod.rs"]
mod support;

use std::{
    env,
    io::{BufRead, BufReader, Read as _},
    net::TcpListener,
    process::{Child, Command, ExitStatus, Stdio, exit},
    sync::{
        Mutex, OnceLock,
        atomic::{AtomicBool, Ordering},
    },
    time::Duration,
};

use staso::{Client, Exporter, Span};
use support::server::{Server, Step, WATCHDOG, gate, spans};

const CASE: &str = "STASO_TEST_CASE";
const URL: &str = "STASO_TEST_URL";

/// Runs a case in a child process and gives its status and the names of the spans that arrived.
fn run(case: &str) -> (ExitStatus, Vec<String>) {
    let server = Server::acknowledging();
    let status = start(case, &server).wait().expect("the child runs");
    (status, names(&server))
}

fn start(case: &str, server: &Server) -> Child {
    Command::new(env::current_exe().expect("this binary"))
        .args(["child", "--exact", "--nocapture", "--test-threads=1"])
        .env(CASE, case)
        .env(URL, server.url())
        .stdout(Stdio::piped())
        .stderr(Stdio::null())
        .spawn()
        .expect("the child starts")
}

/// Reads what a child prints, up to and with a line, and gives the rest.
fn wait_for_line(child: &mut Child, line: &str) -> impl BufRead + use<> {
    let mut output = BufReader::new(child.stdout.take().expect("piped"));
    let said = output.by_ref().lines().any(|read| read.expect("text").ends_with(line));
    assert!(said, "the child never said {line:?}");
    output
}

/// The names of the spans that arrived; a root that was only announced has a `?`.
fn names(server: &Server) -> Vec<String> {
    let mut names: Vec<String> = spans(&server.arrivals())
        .iter()
        .map(|span| {
            let announced = span["attributes"].as_str().is_some_and(|text| text.contains("provisional_root"));
            format!("{}{}", span["name"].as_str().unwrap_or_default(), if announced { "?" } else { "" })
        })
        .collect();
    names.sort();
    names
}

fn builder() -> staso::Builder {
    let url = env::var(URL).expect("set by the parent");
    staso::builder().api_key("ak_test").agent_name("demo-agent").base_url(url).capture_git(false)
}

/// Nothing leaves by itself before the end that is tested.
fn client() -> Client {
    builder().flush_interval(Duration::from_secs(3_600)).init().expect("valid settings")
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
        Ok("exits inside") => {
            let _staso = client();
            exits_inside();
        }
        Ok("runs on") => {
            let _staso = builder().flush_interval(Duration::from_millis(1)).init().expect("valid settings");
            runs_on();
        }
        Ok("writes to a shared file") => {
            let path = env::var(URL).expect("set by the parent");
            let _staso = staso::builder()
                .agent_name("demo-agent")
                .exporter(Exporter::file(path))
                .capture_git(false)
                .mask_credentials(false)
                .shutdown_timeout(WATCHDOG * 10)
                .init()
                .expect("valid settings");
            for index in 0..SHARED_LINES {
                // Between 1 and 60 KB, and every trace a line.
                Span::builder("line")
                    .in_scope(|span| span.set_input(&"x".repeat(1_000 + index * 7_919 % 59_000)));
            }
        }
        #[cfg(unix)]
        Ok("lost_at_stop") => stops_twice(drop),
        #[cfg(unix)]
        Ok("exits during a stop") => stops_twice(|_staso| exit(0)),
        #[cfg(unix)]
        Ok("panics during a stop") => stops_twice(|_staso| panic!("in main")),
        #[cfg(unix)]
        Ok("forks") => fork(),
        #[cfg(unix)]
        Ok("fork_hang") => fork_beside_threads(),
        #[cfg(unix)]
        Ok("forks inside spans") => {
            let parent = client();
            fork_inside(&parent);
            drop(parent);
            exit(7);
        }
        _ => {}
    }
}

#[staso::agent]
fn exits_inside() {
    Span::builder("inner").in_scope(|_| exit(3));
}

/// A root that is killed before it ends.
#[staso::agent]
fn runs_on() {
    record();
    loop {
        std::thread::park();
    }
}

/// Several batches, which a busy machine delivers within the two seconds that an exit may take.
#[cfg(unix)]
const SPANS_AT_STOP: usize = 350;

/// A service whose `SIGTERM` handler has a thread that shuts down, while `main` comes to its end as well.
#[cfg(unix)]
#[expect(unsafe_code, reason = "signals are system calls")]
fn stops_twice(end: impl FnOnce(Client)) {
    static TERMINATED: AtomicBool = AtomicBool::new(false);
    extern "C" fn on_term(_: libc::c_int) {
        TERMINATED.store(true, Ordering::SeqCst);
    }
    let staso = client();
    // SAFETY: the handler only stores to an atomic.
    unsafe { libc::signal(libc::SIGTERM, on_term as *const () as usize) };
    let (stopping, stops) = std::sync::mpsc::channel();
    std::thread::spawn(move || {
        while !TERMINATED.load(Ordering::SeqCst) {
            std::thread::yield_now();
        }
        let _ = stopping.send(());
        let _ = staso::shutdown(WATCHDOG);
    });
    for _ in 0..SPANS_AT_STOP {
        Span::builder("a").in_scope(|_| ());
    }
    // SAFETY: a signal to this process, whose handler stands.
    unsafe { libc::raise(libc::SIGTERM) };
    let _ = stops.recv();
    println!("main ends");
    end(staso);
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

/// Runs a child to its end. One that hangs is killed by an alarm. Whether it said that all is well.
#[cfg(unix)]
#[expect(unsafe_code, reason = "fork is a system call")]
fn in_fork(child: impl FnOnce() -> bool) -> bool {
    // SAFETY: the child only calls Staso, which is what is tested, and `_exit`.
    let pid = unsafe { libc::fork() };
    if pid == 0 {
        // SAFETY: takes a number. Nothing here handles the signal, so that it ends the child.
        unsafe { libc::alarm(20) };
        let code = if child() { 0 } else { 1 };
        // SAFETY: ends the process without running handlers, which belong to the parent.
        unsafe { libc::_exit(code) };
    }
    let mut status = 0;
    // SAFETY: `status` outlives the call.
    unsafe { libc::waitpid(pid, &raw mut status, 0) };
    status == 0
}

const FORKS: usize = 1_000;

/// Every so manieth child delivers to the server, the others nowhere: connections take their time.
const DELIVERS: usize = 10;

/// Forks beside threads that start clients, flush, shut down and end spans, and so hold every lock there
/// is at one moment or another.
#[cfg(unix)]
fn fork_beside_threads() {
    let quiet = || builder().exporter(Exporter::none()).flush_interval(Duration::from_millis(1));
    let stop = AtomicBool::new(false);
    let all_well = std::thread::scope(|threads| {
        threads.spawn(|| {
            while !stop.load(Ordering::Relaxed) {
                Span::builder("in the parent").in_scope(|span| span.set_input("x"));
                let _ = staso::flush(Duration::ZERO);
            }
        });
        threads.spawn(|| {
            while !stop.load(Ordering::Relaxed) {
                drop(quiet().init().expect("valid settings"));
            }
        });
        let all_well = (0..FORKS).all(|number| {
            in_fork(|| {
                Span::builder("before init").in_scope(|_| ());
                let off = staso::flush(Duration::from_secs(5));
                let delivers = number % DELIVERS == 0;
                let staso = if delivers { client() } else { quiet().init().expect("valid settings") };
                Span::builder("in a child").in_scope(|_| ());
                let flushed = staso.flush(Duration::from_secs(10));
                let over = staso.shutdown(Duration::from_secs(10));
                (off.accepted(), flushed.delivered(), over.delivered(), over.ok()) == (0, 1, 1, true)
            })
        });
        stop.store(true, Ordering::Relaxed);
        all_well
    });
    let _staso = client();
    record();
    exit(if all_well { 7 } else { 1 });
}

/// Forks inside a root, with what the parent holds in the child's hands.
#[cfg(unix)]
#[staso::agent]
fn fork_inside(parent: &Client) {
    Span::builder("of the parent").in_scope(|span| {
        let forked = in_fork(|| {
            span.set_input("in the child");
            span.annotate("verdict", "good");
            let off = parent.shutdown(Duration::from_secs(5));
            let staso = client();
            let ids = Span::builder("in a child").in_scope(|inner| (inner.trace_id(), inner.span_id()));
            let report = staso.shutdown(Duration::from_secs(10));
            ids.0 != span.trace_id() && ids.1 != span.span_id() && report.delivered() == 1 && off.ok()
        });
        assert!(forked);
    });
}

const SHARED_LINES: usize = 300;

#[test]
fn processes_that_share_a_file_do_not_mix_their_lines() {
    let folder = tempfile::tempdir().expect("a folder");
    let path = folder.path().join("traces.jsonl");
    let children: Vec<Child> = (0..4)
        .map(|_| {
            Command::new(env::current_exe().expect("this binary"))
                .args(["child", "--exact", "--test-threads=1"])
                .env(CASE, "writes to a shared file")
                .env(URL, &path)
                .stdout(Stdio::null())
                .stderr(Stdio::null())
                .spawn()
                .expect("the child starts")
        })
        .collect();
    for mut child in children {
        assert!(child.wait().expect("the child runs").success());
    }
    let lines = std::fs::read_to_string(&path).expect("text");
    let mut ids = std::collections::HashSet::new();
    for line in lines.lines() {
        let trace: serde_json::Value = serde_json::from_str(line).expect("a whole line");
        assert!(ids.insert(trace["trace_id"].as_str().expect("an id").to_owned()), "a line comes once");
    }
    assert_eq!(ids.len(), 4 * SHARED_LINES);
}

/// Whoever connects here was sent by a proxy variable.
#[test]
fn proxies_of_the_environment_are_not_for_backends_on_this_machine() {
    let trap = TcpListener::bind("127.0.0.1:0").expect("a free port");
    trap.set_nonblocking(true).expect("a listener");
    let proxy = format!("http://{}", trap.local_addr().expect("bound"));
    let server = Server::acknowledging();
    let mut child = Command::new(env::current_exe().expect("this binary"));
    child.args(["child", "--exact", "--test-threads=1"]).env(CASE, "returns").env(URL, server.url());
    for variable in ["HTTP_PROXY", "http_proxy", "HTTPS_PROXY", "https_proxy", "ALL_PROXY", "all_proxy"] {
        child.env(variable, &proxy);
    }
    child.env_remove("NO_PROXY").env_remove("no_proxy").stdout(Stdio::null());
    assert!(child.status().expect("the child runs").success());
    assert_eq!(names(&server), ["a", "b", "c"]);
    assert_eq!(trap.accept().expect_err("nobody came").kind(), std::io::ErrorKind::WouldBlock);
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
fn when_the_process_exits_inside_spans_they_are_delivered_unfinished() {
    let server = Server::acknowledging();
    assert_eq!(start("exits inside", &server).wait().expect("the child runs").code(), Some(3));
    assert_eq!(names(&server), ["exits_inside", "inner"]);
    for span in spans(&server.arrivals()) {
        assert_eq!(span["status"], "ok");
        assert!(span["attributes"].as_str().is_some_and(|text| text.contains(r#""staso.unfinished":true"#)));
    }
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

/// Kills a child whose root still runs, once what it sends by itself has arrived.
#[cfg(unix)]
#[expect(unsafe_code, reason = "signals are system calls")]
fn kill(signal: libc::c_int) {
    use std::os::unix::process::ExitStatusExt as _;

    let server = Server::acknowledging();
    let mut child = start("runs on", &server);
    let arrived = ["a", "b", "c", "runs_on?"];
    server.wait_until(|| names(&server).len() >= arrived.len());
    // SAFETY: the child has not been waited for, so that its number is its own.
    unsafe { libc::kill(child.id().cast_signed(), signal) };
    assert_eq!(child.wait().expect("it ends").signal(), Some(signal));
    assert_eq!(names(&server), arrived, "the root is shown as unfinished");
}

#[cfg(unix)]
#[test]
fn sigterm_without_a_handler_loses_what_the_interval_has_not_sent() {
    kill(libc::SIGTERM);
}

#[cfg(unix)]
#[test]
fn sigkill_loses_what_the_interval_has_not_sent() {
    kill(libc::SIGKILL);
}

#[cfg(unix)]
#[test]
fn sigabrt_loses_what_the_interval_has_not_sent() {
    kill(libc::SIGABRT);
}

/// `main` comes to its end while a thread is inside `shutdown`, whose first request is not answered yet.
#[cfg(unix)]
fn end_during_a_stop(case: &str) -> ExitStatus {
    let (gate, opener) = gate();
    let server = Server::script_then_ack([Step::Hold(gate)]);
    let mut child = start(case, &server);
    server.wait_for(1);
    // A child whose output nobody reads would fail to print.
    let _output = wait_for_line(&mut child, "main ends");
    opener.open();
    let status = child.wait().expect("it ends");
    assert_eq!(names(&server).len(), SPANS_AT_STOP, "{case}");
    status
}

#[cfg(unix)]
#[test]
fn lost_at_stop() {
    assert!(end_during_a_stop("lost_at_stop").success());
}

#[cfg(unix)]
#[test]
fn an_exit_or_panic_while_another_thread_stops_loses_nothing() {
    assert!(end_during_a_stop("exits during a stop").success());
    assert_eq!(end_during_a_stop("panics during a stop").code(), Some(101));
}

#[cfg(unix)]
#[test]
fn a_forked_child_is_off_and_the_parents_spans_are_sent_once() {
    let (status, names) = run("forks");
    assert_eq!(status.code(), Some(7));
    assert_eq!(names, ["a", "b", "c"]);
}

#[cfg(unix)]
#[test]
fn fork_hang() {
    let server = Server::acknowledging();
    let status = start("fork_hang", &server).wait().expect("the child runs");
    assert_eq!(status.code(), Some(7), "a child hung or lost its span");
    let spans = spans(&server.arrivals());
    assert_eq!(spans.len(), FORKS / DELIVERS + 3, "each span once");
    let distinct: std::collections::HashSet<_> = spans.iter().map(|span| span["span_id"].as_str()).collect();
    assert_eq!(distinct.len(), spans.len(), "no identifier twice");
}

#[cfg(unix)]
#[test]
fn a_child_that_is_forked_inside_a_span_leaves_it_to_the_parent() {
    let (status, names) = run("forks inside spans");
    assert_eq!(status.code(), Some(7));
    assert_eq!(names, ["fork_inside", "in a child", "of the parent"]);
}
