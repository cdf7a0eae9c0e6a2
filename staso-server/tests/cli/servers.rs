//! `staso dev` and `staso serve`: their ports, signals, exit codes and keys.

use std::{
    io::{BufRead as _, BufReader, Read as _, Write as _},
    net::TcpListener,
    process::Stdio,
    sync::mpsc,
    thread,
};

use serde_json::{Value, json};

use crate::process::{Running, WATCHDOG, run, staso, text, trace};

#[test]
fn the_second_server_of_a_folder_says_who_holds_it() {
    let data = tempfile::tempdir().unwrap();
    let first = Running::start(data.path(), &["dev", "--port", "0"]);
    let second = run(data.path(), &["serve", "--listen", "127.0.0.1:0"]);
    assert_eq!(second.status.code(), Some(1));
    let error = text(&second.stderr);
    assert!(error.starts_with("error: "), "{error}");
    for part in [&*data.path().to_string_lossy(), &first.url, &first.process.id().to_string(), "--data"] {
        assert!(error.contains(part), "`{part}` is not in {error}");
    }
}

#[test]
fn a_server_ends_with_0_on_sigterm() {
    for arguments in [["dev", "--port", "0"], ["serve", "--listen", "127.0.0.1:0"]] {
        let data = tempfile::tempdir().unwrap();
        let mut server = Running::start(data.path(), &arguments);
        // Until the dashboard answers, signals might not be taken yet.
        assert_eq!(ureq::get(format!("{}/healthz", server.url)).call().unwrap().status(), 200);
        server.signal("TERM");
        assert_eq!(server.ended().code(), Some(0), "{arguments:?}");
    }
}

#[test]
fn a_trace_whose_caller_is_not_traced_is_printed_when_nothing_more_of_it_comes() {
    let data = tempfile::tempdir().unwrap();
    let server = Running::start(data.path(), &["dev", "--port", "0"]);
    let mut remote = trace("remote", "handler");
    remote["spans"][0]["parent_span_id"] = json!("elsewhere");
    server.ingest(&remote);
    assert!(server.wait_for("trace remote").starts_with("trace remote"));
}

#[test]
fn a_request_under_way_finishes_after_the_signal_and_a_second_signal_cuts_it_off() {
    let data = tempfile::tempdir().unwrap();
    for second in [false, true] {
        let mut server = Running::start(data.path(), &["dev", "--port", "0"]);
        let address = server.url.strip_prefix("http://").unwrap().to_owned();
        let body = json!({ "traces": [trace("slow", "slow")] }).to_string();
        let (start, rest) = body.split_at(10);
        let mut stream = std::net::TcpStream::connect(&address).unwrap();
        let length = body.len();
        write!(
            stream,
            "POST /v1/traces/ingest HTTP/1.1\r\nhost: {address}\r\nx-api-key: k\r\ncontent-type: application/json\r\n\
             content-length: {length}\r\nexpect: 100-continue\r\n\r\n"
        )
        .unwrap();
        // The server asks for the body, so the request is under way.
        let mut asked = [0; 25];
        stream.read_exact(&mut asked).unwrap();
        assert_eq!(&asked, b"HTTP/1.1 100 Continue\r\n\r\n");
        stream.write_all(start.as_bytes()).unwrap();
        server.signal("TERM");
        if second {
            server.signal("INT");
            // Two signals that come at once may be taken in either order.
            assert!(matches!(server.ended().code(), Some(130 | 143)));
        } else {
            stream.write_all(rest.as_bytes()).unwrap();
            let mut answer = String::new();
            stream.read_to_string(&mut answer).unwrap();
            assert!(answer.starts_with("HTTP/1.1 200"), "{answer}");
            assert_eq!(server.ended().code(), Some(0));
            let shown = run(data.path(), &["show", "slow"]);
            assert_eq!(shown.status.code(), Some(0), "{}", text(&shown.stderr));
        }
    }
}

#[test]
fn a_reader_of_the_output_that_stops_reading_holds_nothing_up() {
    let data = tempfile::tempdir().unwrap();
    let mut process = staso(data.path(), &["dev", "--port", "0"]).stdout(Stdio::piped()).spawn().unwrap();
    let mut out = BufReader::new(process.stdout.take().unwrap());
    let mut line = String::new();
    out.read_line(&mut line).unwrap();
    let url = line.trim_end().rsplit(' ').next().unwrap().to_owned();
    let mut server = Running { process, lines: mpsc::channel().1, url };
    let mut large = trace("large", "step");
    let span = large["spans"][0].clone();
    // Many times of what a pipe holds.
    let spans = (0..5_000).map(|number| {
        let mut span = span.clone();
        span["span_id"] = json!(number.to_string());
        span
    });
    large["spans"] = spans.collect();
    server.ingest(&large);
    while !line.contains("trace large") {
        line.clear();
        assert!(out.read_line(&mut line).unwrap() > 0);
    }
    server.ingest(&trace("after", "step"));
    server.signal("TERM");
    assert_eq!(server.ended().code(), Some(0));
}

#[test]
fn a_reader_of_the_log_that_stops_reading_holds_nothing_up() {
    let data = tempfile::tempdir().unwrap();
    let mut process =
        staso(data.path(), &["serve", "--listen", "127.0.0.1:0"]).stderr(Stdio::piped()).spawn().unwrap();
    let mut log = BufReader::new(process.stderr.take().unwrap());
    let mut line = String::new();
    log.read_line(&mut line).unwrap();
    let first: Value = serde_json::from_str(&line).unwrap();
    let url = format!("http://{}", first["address"].as_str().unwrap());
    let mut server = Running { process, lines: mpsc::channel().1, url };
    let agent = ureq::Agent::new_with_defaults();
    // Many times of what a pipe holds.
    for _ in 0..2_000 {
        assert_eq!(agent.get(format!("{}/healthz", server.url)).call().unwrap().status(), 200);
    }
    server.signal("TERM");
    assert_eq!(server.ended().code(), Some(0));
}

#[test]
fn the_exit_code_of_the_command_is_passed_on() {
    let data = tempfile::tempdir().unwrap();
    let code = |command: &[&str]| {
        run(data.path(), &[&["dev", "--port", "0", "--exit", "--"], command].concat()).status.code()
    };
    assert_eq!(code(&["true"]), Some(0));
    assert_eq!(code(&["sh", "-c", "exit 7"]), Some(7));
    assert_eq!(code(&["sh", "-c", "kill -9 $$"]), Some(137));
    assert_eq!(code(&["no-such-command-at-all"]), Some(127));
    assert_eq!(code(&["/"]), Some(126));
}

#[test]
fn a_signal_is_passed_on_to_the_command_and_leaves_no_orphan() {
    let data = tempfile::tempdir().unwrap();
    // The command starts another process, and tells both numbers once it listens.
    let script = "trap 'echo got it; exit 9' TERM; sleep 1000 & echo ready $! .; wait";
    let mut dev = Running::start(data.path(), &["dev", "--port", "0", "--", "sh", "-c", script]);
    let ready = dev.wait_for("ready ");
    let inner = ready.split(' ').nth(1).unwrap().to_owned();
    dev.signal("TERM");
    dev.wait_for("got it");
    assert_eq!(dev.ended().code(), Some(9));
    assert!(gone(&inner), "{inner} still runs");
}

#[test]
fn a_second_signal_ends_a_command_that_does_not_listen() {
    let data = tempfile::tempdir().unwrap();
    let script = "trap '' TERM; echo ready $$ .; while :; do sleep 1000; done";
    let mut dev = Running::start(data.path(), &["dev", "--port", "0", "--", "sh", "-c", script]);
    let ready = dev.wait_for("ready ");
    let inner = ready.split(' ').nth(1).unwrap().to_owned();
    dev.signal("TERM");
    dev.signal("INT");
    assert!(matches!(dev.ended().code(), Some(130 | 143)));
    assert!(gone(&inner), "{inner} still runs");
}

/// Whether no process has this number, or it has ended and nobody asked how.
fn gone(pid: &str) -> bool {
    let deadline = std::time::Instant::now() + WATCHDOG;
    while std::time::Instant::now() < deadline {
        match std::fs::read_to_string(format!("/proc/{pid}/stat")) {
            Ok(stat) if !stat.rsplit(") ").next().is_some_and(|rest| rest.starts_with('Z')) => {
                thread::yield_now()
            }
            _ => return true,
        }
    }
    false
}

#[test]
fn a_port_that_was_asked_for_and_is_taken_is_an_error() {
    let data = tempfile::tempdir().unwrap();
    let taken = TcpListener::bind("127.0.0.1:0").unwrap();
    let port = taken.local_addr().unwrap().port().to_string();
    let dev = run(data.path(), &["dev", "--port", &port]);
    assert_eq!(dev.status.code(), Some(1));
    assert!(text(&dev.stderr).contains("leave out --port"), "{}", text(&dev.stderr));
}

#[test]
fn the_next_port_is_taken_when_none_was_asked_for() {
    let data = tempfile::tempdir().unwrap();
    // Another program may hold it; either way it is taken.
    let _taken = TcpListener::bind("127.0.0.1:6999");
    let dev = Running::start(data.path(), &["dev"]);
    let port: u16 = dev.url.rsplit(':').next().unwrap().parse().unwrap();
    assert!((7000..7100).contains(&port), "{port}");
}

#[test]
fn beyond_loopback_nobody_serves_without_a_key() {
    let data = tempfile::tempdir().unwrap();
    let refused = run(data.path(), &["serve", "--listen", "0.0.0.0:0"]);
    assert_eq!(refused.status.code(), Some(1));
    assert!(text(&refused.stderr).contains("staso key create --data"), "{}", text(&refused.stderr));

    let created = run(data.path(), &["key", "create", "--name", "admin"]);
    let key = text(&created.stdout).trim().to_owned();
    assert!(key.starts_with("staso_") && !key.contains('\n'), "{key}");
    let mut command = staso(data.path(), &["serve", "--listen", "0.0.0.0:0"]);
    let mut server = command.stderr(Stdio::piped()).spawn().unwrap();
    let mut first = String::new();
    BufReader::new(server.stderr.take().unwrap()).read_line(&mut first).unwrap();
    server.kill().unwrap();
    server.wait().unwrap();
    let log: Value = serde_json::from_str(&first).unwrap();
    assert_eq!(log["message"], "listening");
    assert!(log["address"].as_str().unwrap().starts_with("0.0.0.0:"), "{log}");
}

#[test]
fn dev_prints_each_trace_and_keeps_it() {
    let data = tempfile::tempdir().unwrap();
    let dev = Running::start(data.path(), &["dev", "--port", "0"]);
    dev.ingest(&trace("t-1", "support_agent"));
    dev.wait_for("trace t-1 · user alice · agent support-bot");
    dev.wait_for("12.0 ms  ● support_agent  agent  ok");
    dev.wait_for(&format!("{}/traces/t-1", dev.url));
    drop(dev);

    let listed = run(data.path(), &["traces", "--json"]);
    let listed: Value = serde_json::from_slice(&listed.stdout).unwrap();
    assert_eq!(listed[0]["trace_id"], "t-1");
    let shown = run(data.path(), &["show", "t-"]);
    assert!(text(&shown.stdout).contains("in   {\"q\":\"hi\"}"), "{}", text(&shown.stdout));
    let agents = run(data.path(), &["agents"]);
    assert!(
        text(&agents.stdout).lines().nth(1).unwrap().starts_with("support-bot"),
        "{}",
        text(&agents.stdout)
    );
}

#[test]
fn dev_prints_nothing_of_what_was_there_before() {
    let data = tempfile::tempdir().unwrap();
    let before = Running::start(data.path(), &["dev", "--port", "0"]);
    before.ingest(&trace("t-1", "before"));
    drop(before);

    let dev = Running::start(data.path(), &["dev", "--port", "0"]);
    dev.ingest(&trace("t-2", "after"));
    // What is printed comes in the order in which it was stored.
    assert!(dev.wait_for("trace t-").starts_with("trace t-2"));
}

#[test]
fn a_command_knows_where_to_send_and_under_which_name() {
    let data = tempfile::tempdir().unwrap();
    let script = "echo $STASO_BASE_URL $STASO_API_KEY $STASO_AGENT_NAME";
    let output = run(data.path(), &["dev", "--port", "0", "--exit", "--", "sh", "-c", script]);
    let output = text(&output.stdout);
    assert!(
        output.lines().any(|line| line.starts_with("http://127.0.0.1:") && line.ends_with(" echo")),
        "{output}"
    );
}
