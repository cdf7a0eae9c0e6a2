//! The command `staso`: one file per command, and what they share.

mod agents;
mod attach;
mod background;
mod child;
mod conversations;
mod data;
mod dev;
mod export;
mod failure;
mod filters;
mod follow;
mod import;
mod importer;
mod key;
mod lines;
mod picture;
mod program;
mod progress;
mod prune;
mod serve;
mod server;
mod show;
mod signals;
mod store;
mod table;
mod tail;
mod terminal;
mod traces;
mod workspace;

use std::process::ExitCode;

use clap::{Parser, Subcommand};

use self::{failure::Failure, terminal::Terminal};

/// See what your agents do: a local backend and its dashboard.
#[derive(Debug, Parser)]
#[command(name = "staso", version = VERSION, max_term_width = 100, after_help = AFTER_HELP)]
struct Cli {
    #[command(subcommand)]
    command: Command,
}

/// Tells it from the vendor's program, which has the same name.
const VERSION: &str = concat!(env!("CARGO_PKG_VERSION"), " (Staso for Rust)");

const AFTER_HELP: &str = "\
Start here:
  staso dev -- cargo run            your program, with its traces in a browser
  staso dev -- python agent.py      works with every Staso SDK

Exit codes:
  0  done
  1  it failed; standard error says why and what to do
  2  the command line has a mistake
  128 + n  ended by signal n; `staso dev` also passes on what its command ends with

Environment:
  STASO_DATA  the folder of the store, as --data
  NO_COLOR    print without colours";

#[derive(Debug, Subcommand)]
enum Command {
    Dev(dev::Dev),
    Serve(serve::Serve),
    Traces(traces::Traces),
    Show(show::Show),
    Tail(tail::Tail),
    Conversations(conversations::Conversations),
    Agents(agents::Agents),
    Export(export::Export),
    Import(import::Import),
    #[command(subcommand)]
    Key(key::Key),
    #[command(subcommand)]
    Workspace(workspace::Workspace),
    Prune(prune::Prune),
}

/// Runs the command that the process was started with.
#[must_use]
pub fn main() -> ExitCode {
    let cli = Cli::parse();
    let mut terminal = Terminal::of_process();
    let outcome = runtime(&cli.command).map_err(Failure::from).and_then(|runtime| {
        let outcome = runtime.block_on(run(cli.command, &mut terminal));
        // What still runs is of no use to anybody: a read of standard input, say, that never returns.
        runtime.shutdown_background();
        outcome
    });
    match outcome.and_then(|()| Ok(terminal.finish()?)) {
        Ok(()) => ExitCode::SUCCESS,
        Err(failure) => {
            terminal.report(&failure);
            ExitCode::from(failure.exit_code())
        }
    }
}

async fn run(command: Command, terminal: &mut Terminal) -> Result<(), Failure> {
    match command {
        Command::Dev(dev) => dev.run(terminal).await,
        Command::Serve(serve) => serve.run().await,
        Command::Traces(traces) => traces.run(terminal).await,
        Command::Show(show) => show.run(terminal).await,
        Command::Tail(tail) => tail.run(terminal).await,
        Command::Conversations(conversations) => conversations.run(terminal).await,
        Command::Agents(agents) => agents.run(terminal).await,
        Command::Export(export) => export.run(terminal).await,
        Command::Import(import) => import.run(terminal).await,
        Command::Key(key) => key.run(terminal).await,
        Command::Workspace(workspace) => workspace.run(terminal).await,
        Command::Prune(prune) => prune.run(terminal).await,
    }
}

/// Servers get a thread per core, the others one.
fn runtime(command: &Command) -> std::io::Result<tokio::runtime::Runtime> {
    let mut builder = match command {
        Command::Dev(_) | Command::Serve(_) => tokio::runtime::Builder::new_multi_thread(),
        _ => tokio::runtime::Builder::new_current_thread(),
    };
    builder.enable_all().build()
}

#[cfg(test)]
mod tests {
    use clap::CommandFactory as _;

    use super::*;

    #[test]
    fn the_command_line_has_no_contradictions() {
        Cli::command().debug_assert();
    }
}
