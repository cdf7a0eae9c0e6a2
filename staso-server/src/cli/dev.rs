use std::{
    ffi::OsString,
    io::{self, Write as _},
    net::{Ipv4Addr, SocketAddr},
    path::Path,
    sync::Arc,
    time::Duration,
};

use clap::Args;
use tokio::time::{Instant, sleep_until};

use super::{
    Failure, Terminal, attach,
    child::{Child, Ended},
    data::{Data, variable},
    follow::Follower,
    program,
    server::{PriceFile, Running},
    signals::Signals,
    store,
};
use crate::http::{Guards, Limits, Mode, Server};

/// Run the backend on this machine, and a command with its traces sent there.
///
/// Each trace is printed once it has ended. The command gets STASO_BASE_URL, STASO_API_KEY and, where it is not
/// set, STASO_AGENT_NAME: the name of the program, also behind `cargo run`, `uv run` and their kin. Where `staso dev`
/// runs on the folder already, the command's traces go there. After it has ended the dashboard goes on until Ctrl-C. Signals are passed on to the
/// command, which has three seconds to end; a second signal ends all at once.
#[derive(Debug, Args)]
#[command(after_help = "\
Examples:
  staso dev                                 the dashboard alone
  staso dev -- cargo run                    a program and its traces
  staso dev --exit -- pytest tests/evals    ends with the command, and with its exit code

Exit codes: that of the command once it has ended, else 0; 127 for a command that does not exist.")]
pub(super) struct Dev {
    /// The port on 127.0.0.1; 0 takes a free one [default: 6999, or the next that is free]
    #[arg(long)]
    port: Option<u16>,
    /// End with the command, once its traces have landed
    #[arg(long, requires = "command")]
    exit: bool,
    #[command(flatten)]
    prices: PriceFile,
    #[command(flatten)]
    data: Data,
    /// What to run
    #[arg(last = true, value_name = "COMMAND")]
    command: Vec<OsString>,
}

const PORT: u16 = 6999;

/// Any key does on one's own machine.
pub(super) const API_KEY: &str = "staso_local_development";

/// How long the command may take to end, and then requests that are under way: five seconds in all.
const COMMAND_GRACE: Duration = Duration::from_secs(3);
const REQUEST_GRACE: Duration = Duration::from_secs(2);

impl Dev {
    pub(super) async fn run(self, terminal: &mut Terminal) -> Result<(), Failure> {
        let signals = Signals::listen()?;
        let folder = self.data.folder()?;
        let prices = self.prices.read()?;
        let (url, store, running) = match attach::to_running(&folder, self.port).await {
            Some(url) => (url, store::existing(&folder)?, None),
            None => {
                let server = bind(self.port).await?;
                let url = format!("http://{}", server.local_addr()?);
                let (store, upgrade) = store::serve(&folder, &url, &prices)?;
                let running =
                    Running::start(server, Arc::clone(&store), prices, Mode::Local, Guards::default());
                (url, store, Some((running, upgrade)))
            }
        };
        let mut follower = Follower::new(store, Some(url.clone()));
        greet(terminal, &url, &folder, &self.command, running.is_none())?;
        terminal.in_background()?;
        let running = running.map(|(running, upgrade)| {
            tokio::spawn(store::tell_of_upgrade(upgrade));
            running
        });
        let mut child = match self.command.as_slice() {
            [] => None,
            command => Some(Child::start(command, &variables(&url, command))?),
        };
        let ended = tokio::select! {
            ended = watch(&mut child, self.exit, &url, &mut follower, &signals, terminal) => ended?,
            signal = signals.second() => return Err(Failure::Signal(signal)),
        };
        if let Some(running) = running {
            tokio::select! {
                stopped = running.stop(Duration::from_secs(1)) => stopped?,
                signal = signals.second() => return Err(Failure::Signal(signal)),
            }
        }
        match ended.map_or(0, Ended::exit_code) {
            0 => Ok(()),
            code => Err(Failure::Command(code)),
        }
    }
}

/// Waits for whatever is to end it all. How the command ended, if it ran.
async fn watch(
    child: &mut Option<Child>,
    exit: bool,
    url: &str,
    follower: &mut Follower,
    signals: &Signals,
    terminal: &mut Terminal,
) -> Result<Option<Ended>, Failure> {
    let mut ended = None;
    let mut deadline = None;
    loop {
        tokio::select! {
            () = follower.changed() => follower.print(terminal, |_, _| true).await?,
            status = end_of(child) => {
                let status = status?;
                ended = Some(status);
                *child = None;
                // An SDK waits for its receipts, so whatever the command sent has landed.
                follower.print_all(terminal, |_, _| true).await?;
                if !follower.has_seen_anything() && deadline.is_none() {
                    writeln!(terminal, "{NOTHING_ARRIVED}")?;
                    terminal.flush()?;
                }
                if exit || deadline.is_some() {
                    return Ok(ended);
                }
                writeln!(terminal, "The command {}. The dashboard goes on at {url} until Ctrl-C.", status.in_words())?;
                terminal.flush()?;
            }
            signal = signals.first(), if deadline.is_none() => match child {
                None => return Ok(ended),
                Some(child) => {
                    child.pass_on(signal);
                    deadline = Some(Instant::now() + COMMAND_GRACE);
                }
            },
            () = until(deadline) => {
                deadline = Some(Instant::now() + COMMAND_GRACE);
                if let Some(child) = child {
                    child.kill();
                }
            }
        }
    }
}

async fn end_of(child: &mut Option<Child>) -> io::Result<Ended> {
    match child {
        Some(child) => child.ended().await,
        None => std::future::pending().await,
    }
}

async fn until(deadline: Option<Instant>) {
    match deadline {
        Some(deadline) => sleep_until(deadline).await,
        None => std::future::pending().await,
    }
}

/// Takes the port that was asked for, else the first free one from 6999 on.
async fn bind(asked: Option<u16>) -> Result<Server, Failure> {
    let limits = Limits { grace: REQUEST_GRACE, ..Limits::default() };
    let bind = |port| Server::bind(SocketAddr::from((Ipv4Addr::LOCALHOST, port)), limits);
    let taken = |error: &io::Error| error.kind() == io::ErrorKind::AddrInUse;
    if let Some(port) = asked {
        return bind(port).await.map_err(|error| {
            let hint = if taken(&error) {
                "; name another port, or leave out --port for the next free one"
            } else {
                ""
            };
            Failure::Message(format!("cannot listen on 127.0.0.1:{port}: {error}{hint}"))
        });
    }
    for port in PORT..PORT + 100 {
        match bind(port).await {
            Err(error) if taken(&error) => {}
            bound => {
                return bound.map_err(|error| {
                    Failure::Message(format!("cannot listen on 127.0.0.1:{port}: {error}"))
                });
            }
        }
    }
    Ok(bind(0).await?)
}

const NOTHING_ARRIVED: &str = "\
No trace arrived from the command. A program sends its traces when it uses a Staso SDK, calls `init`, and keeps
the client until it ends. It sends none where STASO_ENABLED=0 or STASO_EXPORTER is set, and sends them elsewhere
where it sets the URL of the backend itself.";

fn greet(
    terminal: &mut Terminal,
    url: &str,
    folder: &Path,
    command: &[OsString],
    is_attached: bool,
) -> io::Result<()> {
    let already = if is_attached { " already, and stays when this ends" } else { "" };
    writeln!(terminal, "Staso is at {url}{already}")?;
    writeln!(terminal, "Traces are kept in {}", folder.display())?;
    if command.is_empty() {
        writeln!(
            terminal,
            "\nRun a program with `staso dev -- COMMAND`, or let one send its traces here with\n  \
             STASO_BASE_URL={url} STASO_API_KEY={API_KEY}\nCtrl-C ends it."
        )?;
    }
    writeln!(terminal)?;
    terminal.flush()
}

/// What tells an SDK to send its traces here.
fn variables(url: &str, command: &[OsString]) -> Vec<(&'static str, String)> {
    let mut variables = vec![("STASO_BASE_URL", url.to_owned()), ("STASO_API_KEY", API_KEY.to_owned())];
    if variable("STASO_AGENT_NAME").is_none_or(|name| name.trim().is_empty()) {
        let folder = std::env::current_dir().unwrap_or_default();
        variables.push(("STASO_AGENT_NAME", program::agent_name(command, &folder)));
    }
    variables
}
