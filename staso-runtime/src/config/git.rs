use std::{
    ffi::OsStr,
    fs,
    io::{self, Read as _},
    path::Path,
    process::{Child, Command, ExitStatus, Stdio},
    thread,
    time::{Duration, Instant},
};

use crossbeam_channel::{Receiver, after, bounded, select, tick};

use crate::record::GitFacts;

/// What one run of `git` may take.
const PATIENCE: Duration = Duration::from_secs(5);

/// More than any answer that matters; what follows is read and dropped, so that `git` can end.
const MOST_OUTPUT: u64 = 64 * 1024;

/// The standard library cannot wait for a child with a deadline.
const LOOK_AGAIN: Duration = Duration::from_millis(2);

/// Asks `git` about the work tree that a folder lies in, else the file that a build left there. Takes up
/// to five seconds a question; called on a thread of its own.
pub(super) fn discover(folder: &Path) -> Option<GitFacts> {
    ask(&Git { program: OsStr::new("git"), folder, patience: PATIENCE }).or_else(|| build_info(folder))
}

struct Git<'a> {
    program: &'a OsStr,
    folder: &'a Path,
    patience: Duration,
}

fn ask(git: &Git<'_>) -> Option<GitFacts> {
    let commit_sha = git.run(&["rev-parse", "HEAD"])?;
    if commit_sha.len() != 40 || !commit_sha.bytes().all(|byte| byte.is_ascii_hexdigit()) {
        return None;
    }
    let branch = git.run(&["symbolic-ref", "--quiet", "--short", "HEAD"]).unwrap_or_default();
    let remote = git.run(&["remote", "get-url", "origin"]).unwrap_or_default();
    let is_dirty = git.run(&["status", "--porcelain"]).is_some_and(|changes| !changes.is_empty());
    Some(GitFacts { commit_sha, branch, repo_url: without_credentials(&remote), is_dirty })
}

impl Git<'_> {
    /// The trimmed output; `None` when `git` fails, is missing or takes too long.
    fn run(&self, arguments: &[&str]) -> Option<String> {
        let mut child = Command::new(self.program)
            // Neither hooks nor helpers of the repository run, nothing is asked, no lock is taken.
            .args(["-c", "core.fsmonitor=false"])
            .args(arguments)
            .env("GIT_TERMINAL_PROMPT", "0")
            .env("GIT_OPTIONAL_LOCKS", "0")
            .current_dir(self.folder)
            .stdin(Stdio::null())
            .stdout(Stdio::piped())
            .stderr(Stdio::null())
            .spawn()
            .ok()?;
        let deadline = after(self.patience);
        let text = read_to_end(&mut child, &deadline);
        let status = if text.is_some() { exit_status(&mut child, &deadline) } else { None };
        if status.is_none() {
            let _ = child.kill();
            // A killed process ends at once; this leaves no zombie.
            let _ = child.wait();
        }
        text.filter(|_| status.is_some_and(|status| status.success())).map(|text| text.trim().to_owned())
    }
}

/// The beginning of what the child writes, once it has closed its output.
fn read_to_end(child: &mut Child, deadline: &Receiver<Instant>) -> Option<String> {
    let mut output = child.stdout.take()?;
    let (done, read) = bounded(1);
    let reader = thread::Builder::new().name("staso-git-output".into()).spawn(move || {
        let mut text = Vec::new();
        let complete = output.by_ref().take(MOST_OUTPUT).read_to_end(&mut text).is_ok()
            && io::copy(&mut output, &mut io::sink()).is_ok();
        let _ = done.send(complete.then(|| String::from_utf8_lossy(&text).into_owned()));
    });
    reader.ok()?;
    select! {
        recv(read) -> text => text.ok().flatten(),
        recv(deadline) -> _ => None,
    }
}

/// How the child ended. Its closed output does not prove that it has.
fn exit_status(child: &mut Child, deadline: &Receiver<Instant>) -> Option<ExitStatus> {
    let again = tick(LOOK_AGAIN);
    loop {
        if let Some(status) = child.try_wait().ok()? {
            return Some(status);
        }
        select! {
            recv(again) -> _ => {}
            recv(deadline) -> _ => return None,
        }
    }
}

/// The file `.staso-build-info` that a build may leave for an image without its repository.
fn build_info(folder: &Path) -> Option<GitFacts> {
    let text = fs::read_to_string(folder.join(".staso-build-info")).ok()?;
    let info: serde_json::Value = serde_json::from_str(&text).ok()?;
    let field = |key: &str| info.get(key).and_then(serde_json::Value::as_str).unwrap_or_default();
    Some(GitFacts {
        commit_sha: Some(field("commit_sha")).filter(|sha| !sha.is_empty())?.to_owned(),
        branch: field("branch").to_owned(),
        repo_url: without_credentials(field("repo_url")),
        is_dirty: false,
    })
}

/// An http(s) URL without user and password; anything else as it is.
pub(super) fn without_credentials(url: &str) -> String {
    let Some((scheme, rest)) = url.split_once("://") else { return url.to_owned() };
    if !scheme.eq_ignore_ascii_case("http") && !scheme.eq_ignore_ascii_case("https") {
        return url.to_owned();
    }
    let (authority, path) = rest.split_at_checked(rest.find('/').unwrap_or(rest.len())).unwrap_or((rest, ""));
    let host = authority.rsplit_once('@').map_or(authority, |(_, host)| host);
    format!("{scheme}://{host}{path}")
}

#[cfg(test)]
mod tests {
    use super::*;

    fn folder() -> tempfile::TempDir {
        tempfile::tempdir().unwrap()
    }

    fn git(folder: &Path, arguments: &[&str]) -> bool {
        Command::new("git")
            .args(["-c", "user.name=t", "-c", "user.email=t@example.com"])
            .args(arguments)
            .current_dir(folder)
            .output()
            .is_ok_and(|output| output.status.success())
    }

    #[test]
    fn a_work_tree_gives_commit_branch_remote_and_whether_it_changed() {
        let folder = folder();
        if !git(folder.path(), &["init", "--initial-branch=main"]) {
            println!("skipped: git is not installed");
            return;
        }
        assert!(git(folder.path(), &["commit", "--allow-empty", "-m", "first"]));
        assert!(git(
            folder.path(),
            &["remote", "add", "origin", "https://user:secret@example.com/acme/demo.git"]
        ));
        let facts = discover(folder.path()).unwrap();
        assert_eq!((facts.commit_sha.len(), facts.branch.as_str()), (40, "main"));
        assert_eq!(facts.repo_url, "https://example.com/acme/demo.git");
        assert!(!facts.is_dirty);
        fs::write(folder.path().join("new"), "").unwrap();
        assert!(discover(folder.path()).unwrap().is_dirty, "untracked files count");
        assert!(git(folder.path(), &["checkout", "--detach"]));
        assert_eq!(discover(folder.path()).unwrap().branch, "");
    }

    #[cfg(unix)]
    #[test]
    fn a_git_that_hangs_is_ended_at_its_deadline() {
        use std::os::unix::fs::PermissionsExt as _;
        let folder = folder();
        let program = folder.path().join("git");
        fs::write(&program, "#!/bin/sh\nexec sleep 1000\n").unwrap();
        fs::set_permissions(&program, fs::Permissions::from_mode(0o755)).unwrap();
        let git =
            Git { program: program.as_os_str(), folder: folder.path(), patience: Duration::from_millis(50) };
        assert_eq!(ask(&git), None);
    }

    #[test]
    fn a_build_may_leave_its_facts_in_a_file() {
        let folder = folder();
        fs::write(folder.path().join(".staso-build-info"), r#"{"commit_sha":"abc","branch":"b"}"#).unwrap();
        assert_eq!(build_info(folder.path()).unwrap().commit_sha, "abc");
        fs::write(folder.path().join(".staso-build-info"), "nonsense").unwrap();
        assert_eq!(build_info(folder.path()), None);
    }

    #[test]
    fn credentials_are_taken_out_of_http_urls_only() {
        for (url, expected) in [
            ("https://user:pw@example.com/a.git", "https://example.com/a.git"),
            ("http://token@example.com", "http://example.com"),
            ("git@example.com:acme/demo.git", "git@example.com:acme/demo.git"),
            ("ssh://git@example.com/a", "ssh://git@example.com/a"),
            ("https://example.com/a@b", "https://example.com/a@b"),
            ("acme/demo", "acme/demo"),
        ] {
            assert_eq!(without_credentials(url), expected);
        }
    }

    #[test]
    fn a_work_tree_with_a_great_many_changes_is_dirty() {
        let folder = folder();
        if !git(folder.path(), &["init", "--initial-branch=main"]) {
            println!("skipped: git is not installed");
            return;
        }
        assert!(git(folder.path(), &["commit", "--allow-empty", "-m", "first"]));
        for index in 0..1_500 {
            fs::write(folder.path().join(format!("{index:0>100}")), "").unwrap();
        }
        assert!(discover(folder.path()).unwrap().is_dirty);
    }

    #[cfg(unix)]
    #[test]
    fn a_git_that_closes_its_output_and_hangs_is_ended_at_its_deadline() {
        use std::os::unix::fs::PermissionsExt as _;
        let folder = folder();
        let program = folder.path().join("git");
        fs::write(&program, "#!/bin/sh\nexec >&-\nexec sleep 20\n").unwrap();
        fs::set_permissions(&program, fs::Permissions::from_mode(0o755)).unwrap();
        let begin = Instant::now();
        let git =
            Git { program: program.as_os_str(), folder: folder.path(), patience: Duration::from_millis(50) };
        assert_eq!(ask(&git), None);
        assert!(begin.elapsed() < Duration::from_secs(10), "{:?}", begin.elapsed());
    }
}
