//! The commit that a program runs from, on its roots.

use std::{fs, path::Path, process::Command};

use serde_json::json;
use staso::Span;
use tempfile::TempDir;

use crate::{
    compare::Golden,
    harness::{LONG, Process, Run, check_with, settings},
};

#[staso::agent]
fn a() -> u32 {
    1
}

/// A work tree with one commit, a remote with a password in it, and a file that is not tracked.
fn work_tree() -> TempDir {
    let tree = tempfile::tempdir().expect("a temporary folder");
    git(tree.path(), &["init", "--quiet", "--initial-branch=main"]);
    git(tree.path(), &["commit", "--quiet", "--allow-empty", "--message=first"]);
    git(tree.path(), &["remote", "add", "origin", "https://user:secret@example.com/acme/demo.git"]);
    fs::write(tree.path().join("untracked"), "").expect("a file");
    tree
}

fn git(folder: &Path, arguments: &[&str]) -> String {
    let output = Command::new("git")
        .args(["-c", "user.name=t", "-c", "user.email=t@example.com", "-c", "commit.gpgsign=false"])
        .args(arguments)
        .current_dir(folder)
        .output()
        .expect("git is installed");
    assert!(output.status.success(), "git {arguments:?}: {}", String::from_utf8_lossy(&output.stderr));
    String::from_utf8_lossy(&output.stdout).trim().to_owned()
}

/// Sends roots until one carries the facts, which `git` is asked for on a thread of its own. Asking it here
/// too makes each round as long as the machine takes for one of the four questions.
fn wait_for_facts(run: &Run) {
    for _ in 0..100 {
        git(Path::new("."), &["status", "--porcelain"]);
        Span::builder("probe").in_scope(|_| ());
        assert!(run.client.flush(LONG).ok());
        let body = run.server.arrivals().pop().expect("the probe arrived").body;
        if String::from_utf8_lossy(&body).contains("vcs.commit.sha") {
            return;
        }
    }
    panic!("no root carries facts of the work tree");
}

#[test]
fn roots_carry_the_commit_of_the_work_tree() {
    #[staso::tool]
    fn t() -> u32 {
        1
    }

    #[staso::agent]
    fn a() -> u32 {
        t()
    }

    Process::with(&[]).in_folder(work_tree).run(|| {
        let commit = git(Path::new("."), &["rev-parse", "HEAD"]);
        let differs = |golden: Golden, root: &str| {
            golden.differs(root, "attributes.vcs.commit.sha", json!(commit), "it is another work tree")
        };
        let golden = differs(differs(Golden::load("git_repo"), "a"), "second-root");
        let run = Run::start(settings());
        wait_for_facts(&run);
        let probes = run.server.arrivals().len();
        a();
        Span::builder("second-root").in_scope(|_| ());
        let outcome = run.finish();
        assert!(outcome.report.ok(), "{}", outcome.report);
        golden.check_requests(&outcome.arrivals[probes..]);
    });
}

#[test]
fn variables_of_the_program_win_over_the_work_tree() {
    let variables = [
        ("STASO_VCS_COMMIT_SHA", "0123456789abcdef0123456789abcdef01234567"),
        ("STASO_VCS_BRANCH", "release"),
        ("STASO_VCS_REPO_URL", "https://tok:en@example.com/acme/x.git"),
    ];
    Process::with(&variables).in_folder(work_tree).run(|| {
        let url = json!("https://example.com/acme/x.git");
        let golden = Golden::load("git_env").differs(
            "a",
            "attributes.vcs.repo_url",
            url,
            "a password never leaves the program, wherever it comes from",
        );
        check_with(golden, settings(), || {
            a();
        });
    });
}

#[test]
fn variables_of_a_platform_state_the_commit() {
    let variables = [
        ("GITHUB_ACTIONS", "true"),
        ("GITHUB_SHA", "ffffffffffffffffffffffffffffffffffffffff"),
        ("GITHUB_REF_NAME", "main"),
        ("GITHUB_REPOSITORY", "acme/demo"),
    ];
    Process::with(&variables).run(|| {
        check_with(Golden::load("git_platform_env"), settings(), || {
            a();
        });
    });
}

#[test]
fn the_commit_is_left_out_when_it_is_switched_off() {
    Process::with(&[]).in_folder(work_tree).run(|| {
        check_with(Golden::load("git_off"), settings().capture_git(false), || {
            a();
        });
    });
}
