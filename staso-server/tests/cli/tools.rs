//! The commands that work on a folder, with a server on it or without.

use std::{io::Write as _, os::unix::process::ExitStatusExt as _, process::Stdio};

use serde_json::{Value, json};

use crate::process::{Running, WATCHDOG, follow, run, staso, text, trace};

#[test]
fn keys_open_until_they_are_revoked() {
    let data = tempfile::tempdir().unwrap();
    let key = text(&run(data.path(), &["key", "create", "--name", "ci"]).stdout).trim().to_owned();
    let server = Running::start(data.path(), &["serve", "--listen", "127.0.0.1:0"]);
    let status = || {
        let request = ureq::get(format!("{}/v1/traces", server.url)).header("x-api-key", &key);
        request.config().http_status_as_error(false).build().call().unwrap().status().as_u16()
    };
    assert_eq!(status(), 200);
    let listed = run(data.path(), &["key", "list", "--json"]);
    let listed: Value = serde_json::from_slice(&listed.stdout).unwrap();
    assert_eq!(listed[0]["prefix"], key[..12]);
    assert!(!listed.to_string().contains(&key));
    let id = listed[0]["id"].to_string();
    assert!(run(data.path(), &["key", "revoke", &id]).status.success());
    assert_eq!(status(), 401);
    assert_eq!(run(data.path(), &["key", "revoke", "999"]).status.code(), Some(1));
}

#[test]
fn tail_prints_what_another_process_stores() {
    let data = tempfile::tempdir().unwrap();
    let dev = Running::start(data.path(), &["dev", "--port", "0"]);
    let mut tail = staso(data.path(), &["tail", "--user", "alice"]);
    let mut tail = tail.stdout(Stdio::piped()).stderr(Stdio::piped()).spawn().unwrap();
    let lines = follow(tail.stdout.take().unwrap(), tail.stderr.take().unwrap());
    assert!(lines.recv_timeout(WATCHDOG).unwrap().starts_with("Waiting"));
    dev.ingest(&trace("t-2", "of alice"));
    assert!(lines.recv_timeout(WATCHDOG).unwrap().starts_with("trace t-2"));
    tail.kill().unwrap();
    tail.wait().unwrap();
}

#[test]
fn nothing_in_a_span_commands_the_terminal() {
    let data = tempfile::tempdir().unwrap();
    let hostile = "\u{1b}]8;;http://evil\u{7}x\r\u{202e}\u{1b}[2J";
    let mut line = trace(hostile, hostile);
    for field in ["agent_name", "user_id", "session_id", "model", "input", "output", "error_message"] {
        line["spans"][0][field] = hostile.into();
    }
    let file = data.path().join("hostile.jsonl");
    let damaged = json!({ "trace_id": "t", "timestamp": hostile });
    std::fs::write(&file, format!("{line}\n{damaged}\n")).unwrap();
    let store = data.path().join("store");
    let file = file.to_string_lossy();
    for arguments in [
        &["import", &*file][..],
        &["show", hostile],
        &["traces"],
        &["conversations"],
        &["agents"],
        &["show", "\u{1b}[2Jx"],
    ] {
        let output = run(&store, arguments);
        let printed = [text(&output.stdout), text(&output.stderr)].concat();
        let is_hostile = |char: char| (char.is_control() && char != '\n') || char == '\u{202e}';
        assert!(!printed.contains(is_hostile), "{arguments:?}: {printed:?}");
        assert!(printed.contains("\\u{1b}"), "{arguments:?}: {printed:?}");
    }
}

#[test]
fn an_export_imports_into_another_folder() {
    let data = tempfile::tempdir().unwrap();
    let (first, second) = (data.path().join("first"), data.path().join("second"));
    let annotation =
        json!({ "trace_id": "b", "annotation": { "name": "ok", "value": true, "data_type": "boolean" } });
    let later = trace("b", "two").to_string().replace("03:04:05", "03:04:06");
    let lines = format!("{}\nnot json\n{later}\n{annotation}\n", trace("a", "one"));
    let file = data.path().join("traces.jsonl");
    std::fs::write(&file, lines).unwrap();
    let file = file.to_string_lossy();
    let imported = run(&first, &["import", &file]);
    assert!(imported.status.success());
    assert!(text(&imported.stderr).contains("line 2: "), "{}", text(&imported.stderr));
    assert!(text(&imported.stdout).contains("1 damaged line was left out"), "{}", text(&imported.stdout));

    let exported = run(&first, &["export"]).stdout;
    let mut import = staso(&second, &["import", "-"]);
    let mut import = import.stdin(Stdio::piped()).stdout(Stdio::null()).spawn().unwrap();
    import.stdin.take().unwrap().write_all(&exported).unwrap();
    assert!(import.wait().unwrap().success());
    assert_eq!(text(&run(&second, &["export"]).stdout), text(&exported));
    assert_eq!(text(&exported).lines().count(), 3);
}

#[test]
fn a_reader_that_has_seen_enough_is_no_error() {
    let data = tempfile::tempdir().unwrap();
    assert!(run(data.path(), &["workspace", "create", "other"]).status.success());
    let mut help = staso(data.path(), &["workspace", "list"]);
    let mut help = help.stdout(Stdio::piped()).stderr(Stdio::piped()).spawn().unwrap();
    drop(help.stdout.take());
    let output = help.wait_with_output().unwrap();
    assert_eq!((output.status.code(), output.status.signal(), text(&output.stderr)), (Some(0), None, ""));
}

#[test]
fn mistakes_in_the_command_line_end_with_2_and_name_the_flag() {
    let data = tempfile::tempdir().unwrap();
    for (arguments, expected) in [
        (&["traces", "--kind", "robot"][..], "error: --kind must be one of agent, tool"),
        (&["traces", "--since", "yesterday"], "error: --since must be a time such as"),
        (&["traces", "--min-duration", "long"], "error: --min-duration must be a number and a unit"),
        (&["prune", "--older-than", "old"], "error: --older-than must be an age such as"),
        (&["prune"], "error: the following required arguments were not provided"),
        (&["workspace", "create", "a/b"], "error: invalid value 'a/b' for '<SLUG>': a workspace's name has"),
        (&["nonsense"], "error: unrecognized subcommand 'nonsense'"),
    ] {
        let output = run(data.path(), arguments);
        assert_eq!(output.status.code(), Some(2), "{arguments:?}");
        assert!(text(&output.stderr).starts_with(expected), "{arguments:?}: {}", text(&output.stderr));
    }
}

#[test]
fn prune_deletes_what_is_old() {
    let data = tempfile::tempdir().unwrap();
    let file = data.path().join("traces.jsonl");
    let mut recent = trace("new", "new").to_string();
    recent = recent.replace("2026-01-02", "2126-01-02");
    std::fs::write(&file, format!("{}\n{recent}\n", trace("old", "old"))).unwrap();
    run(data.path(), &["import", &file.to_string_lossy()]);
    let pruned = run(data.path(), &["prune", "--older-than", "2026-06-01T00:00:00Z"]);
    assert!(text(&pruned.stdout).starts_with("Deleted 1 trace that"), "{}", text(&pruned.stdout));
    let left = run(data.path(), &["traces", "--json"]);
    let left: Value = serde_json::from_slice(&left.stdout).unwrap();
    assert_eq!(left.as_array().map(Vec::len), Some(1));
}

#[test]
fn b5_json_shows_no_character_that_a_terminal_acts_on() {
    let data = tempfile::tempdir().unwrap();
    let evil = "\u{9b}31mred \u{85} \u{7f} \u{202e}ecila \u{2066}x\u{2069} \u{200f} \u{2028} Zürich 退款";
    let dev = Running::start(data.path(), &["dev", "--port", "0"]);
    let mut sent = trace("t-1", evil);
    sent["spans"][0]["input"] = json!(evil);
    sent["spans"][0]["user_id"] = json!(evil);
    dev.ingest(&sent);
    for command in [&["traces", "--json"][..], &["show", "t-1", "--json"], &["agents", "--json"]] {
        let output = run(data.path(), command);
        let printed = text(&output.stdout);
        let acts = |char: char| {
            char.is_control() && char != '\n' || "\u{202e}\u{2066}\u{2069}\u{200f}\u{2028}".contains(char)
        };
        assert!(!printed.contains(acts), "{command:?}: {printed:?}");
        let document: Value = serde_json::from_str(printed).unwrap();
        // The values are as they were sent, and what reads well is not escaped.
        if command[0] != "agents" {
            assert!(printed.contains("Zürich 退款"), "{printed}");
            assert!(document.to_string().contains(&json!(evil).to_string()), "{document}");
        }
    }
}
