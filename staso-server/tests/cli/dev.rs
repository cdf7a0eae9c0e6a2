//! What `staso dev` does for the program that it runs.

use crate::process::{Running, run, staso, text, trace};

#[test]
fn the_agent_is_called_after_the_program_and_not_its_launcher() {
    let data = tempfile::tempdir().unwrap();
    let script = data.path().join("refund_bot.sh");
    std::fs::write(&script, "echo agent=$STASO_AGENT_NAME\n").unwrap();
    let launched = ["dev", "--port", "0", "--exit", "--", "env", "A=1", "sh", script.to_str().unwrap()];
    let output = run(data.path(), &launched);
    assert!(text(&output.stdout).contains("agent=refund_bot\n"), "{}", text(&output.stdout));
    let output = staso(data.path(), &launched).env("STASO_AGENT_NAME", "mine").output().unwrap();
    assert!(text(&output.stdout).contains("agent=mine\n"), "{}", text(&output.stdout));
}

#[test]
fn a_second_dev_on_the_same_folder_sends_its_traces_to_the_first() {
    let data = tempfile::tempdir().unwrap();
    let mut first = Running::start(data.path(), &["dev", "--port", "0"]);
    let port = first.url.rsplit(':').next().unwrap().to_owned();
    for asked in [&[][..], &["--port", &port]] {
        let command = ["--exit", "--", "sh", "-c", "echo to=$STASO_BASE_URL"];
        let second = run(data.path(), &[&["dev"], asked, &command].concat());
        let output = text(&second.stdout);
        assert_eq!(second.status.code(), Some(0), "{}", text(&second.stderr));
        assert!(output.starts_with(&format!("Staso is at {} already", first.url)), "{output}");
        assert!(output.contains(&format!("to={}\n", first.url)), "{output}");
    }
    // It prints what arrives there, and leaves the first running when it ends.
    let second = Running::start(data.path(), &["dev"]);
    first.ingest(&trace("t-1", "support_agent"));
    second.wait_for("trace t-1");
    drop(second);
    first.ingest(&trace("t-2", "after"));
    first.wait_for("trace t-2");
    first.signal("TERM");
    assert_eq!(first.ended().code(), Some(0));
}

#[test]
fn a_command_that_sends_nothing_is_told_why_that_may_be() {
    let data = tempfile::tempdir().unwrap();
    let output = run(data.path(), &["dev", "--port", "0", "--exit", "--", "true"]);
    assert!(text(&output.stdout).contains("No trace arrived from the command."), "{}", text(&output.stdout));
    assert_eq!(output.status.code(), Some(0));
}

#[test]
fn a_command_that_reads_makes_no_store() {
    let data = tempfile::tempdir().unwrap();
    let folder = data.path().join("typo");
    for command in [
        &["traces"][..],
        &["conversations"],
        &["agents"],
        &["show", "t-1"],
        &["tail"],
        &["export", "--format", "jsonl"],
        &["prune", "--older-than", "30d"],
        &["key", "list"],
        &["key", "revoke", "1"],
        &["workspace", "list"],
    ] {
        let output = run(&folder, command);
        assert_eq!(output.status.code(), Some(1), "{command:?}");
        let error = text(&output.stderr);
        assert!(error.contains(&format!("no traces in {}", folder.display())), "{command:?}: {error}");
        assert!(!folder.exists(), "{command:?}");
    }
}
