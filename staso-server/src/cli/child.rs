//! The command that `staso dev` runs.

use std::{ffi::OsString, io, io::IsTerminal as _, process::ExitStatus};

use rustix::process::{Pid, Signal as Sent, kill_process, kill_process_group};
use tokio::process::Command;

use super::{Failure, signals::Signal};

/// A running command. It does not outlive this value.
pub(super) struct Child {
    process: tokio::process::Child,
    /// Until it has ended.
    pid: Option<Pid>,
    /// Whether it leads a process group of its own.
    ///
    /// It does, unless it reads from a terminal: only the group in the terminal's foreground may, and Ctrl-C
    /// reaches all of that.
    grouped: bool,
}

/// How a command ended.
#[derive(Clone, Copy, Debug)]
pub(super) struct Ended(ExitStatus);

impl Child {
    /// Starts the command with these variables.
    ///
    /// # Errors
    ///
    /// When there is no such program, or it cannot be run.
    pub(super) fn start(command: &[OsString], variables: &[(&str, String)]) -> Result<Self, Failure> {
        let Some((program, arguments)) = command.split_first() else {
            return Err(Failure::Usage("there is no command behind `--`".to_owned()));
        };
        let grouped = !io::stdin().is_terminal();
        let mut command = Command::new(program);
        command.args(arguments).envs(variables.iter().map(|(name, value)| (name, value))).kill_on_drop(true);
        if grouped {
            command.process_group(0);
        }
        let process = command.spawn().map_err(|error| {
            let code = if error.kind() == io::ErrorKind::NotFound { 127 } else { 126 };
            Failure::NotStarted(format!("cannot run `{}`: {error}", program.to_string_lossy()), code)
        })?;
        let pid = process.id().and_then(|id| Pid::from_raw(i32::try_from(id).ok()?));
        Ok(Self { process, pid, grouped })
    }

    /// Waits until it has ended.
    pub(super) async fn ended(&mut self) -> io::Result<Ended> {
        let status = self.process.wait().await?;
        // Whatever it left running ends with it.
        if self.grouped {
            self.send(Sent::TERM);
        }
        self.pid = None;
        Ok(Ended(status))
    }

    /// Passes on a signal that this process got.
    pub(super) fn pass_on(&self, signal: Signal) {
        // The terminal sent it to the whole foreground.
        if signal.is_interrupt() && !self.grouped {
            return;
        }
        if let Some(signal) = Sent::from_named_raw(signal.as_raw()) {
            self.send(signal);
        }
    }

    /// Ends it at once.
    pub(super) fn kill(&self) {
        self.send(Sent::KILL);
    }

    fn send(&self, signal: Sent) {
        let Some(pid) = self.pid else { return };
        // It may have ended meanwhile.
        let _ = if self.grouped { kill_process_group(pid, signal) } else { kill_process(pid, signal) };
    }
}

impl Drop for Child {
    fn drop(&mut self) {
        self.kill();
    }
}

impl Ended {
    /// The command's exit code, or what a shell makes of the signal that ended it.
    pub(super) fn exit_code(self) -> u8 {
        use std::os::unix::process::ExitStatusExt as _;

        let code = self.0.code().or_else(|| Some(128 + self.0.signal()?)).unwrap_or(1);
        u8::try_from(code).unwrap_or(1)
    }

    /// In words.
    pub(super) fn in_words(self) -> String {
        use std::os::unix::process::ExitStatusExt as _;

        match (self.0.code(), self.0.signal()) {
            (Some(code), _) => format!("ended with exit code {code}"),
            (None, Some(signal)) => format!("was ended by signal {signal}"),
            (None, None) => "ended".to_owned(),
        }
    }
}
