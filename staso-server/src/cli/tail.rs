use clap::Args;

use super::{Failure, Terminal, data::Data, filters::InWorkspace, follow::Follower, signals::Signals, store};
use crate::model::TraceSummary;

/// Print traces as trees, each once it has ended, until Ctrl-C.
#[derive(Debug, Args)]
#[command(after_help = "Examples:\n  staso tail\n  staso tail --agent support-bot --failed")]
pub(super) struct Tail {
    /// Those that ran in this environment
    #[arg(long, value_name = "NAME")]
    environment: Option<String>,
    /// Those with a span of this agent
    #[arg(long, value_name = "NAME")]
    agent: Option<String>,
    /// Those of this conversation
    #[arg(long, value_name = "ID")]
    conversation: Option<String>,
    /// Those for this end user
    #[arg(long, value_name = "ID")]
    user: Option<String>,
    /// Those that failed
    #[arg(long)]
    failed: bool,
    #[command(flatten)]
    workspace: InWorkspace,
    #[command(flatten)]
    data: Data,
}

impl Tail {
    pub(super) async fn run(self, terminal: &mut Terminal) -> Result<(), Failure> {
        let signals = Signals::listen()?;
        let store = store::existing(&self.data.folder()?)?;
        let workspace = store::workspace(&*store, &self.workspace.workspace).await?;
        let mut follower = Follower::new(store, None);
        terminal.note("Waiting for traces to end. Ctrl-C stops.")?;
        loop {
            tokio::select! {
                () = follower.changed() => {
                    follower.print(terminal, |of, trace| of.id == workspace.id && self.wants(trace)).await?;
                }
                _ = signals.first() => return Ok(()),
            }
        }
    }

    fn wants(&self, trace: &TraceSummary) -> bool {
        let is = |wanted: &Option<String>, value: &str| wanted.as_ref().is_none_or(|wanted| wanted == value);
        is(&self.environment, &trace.environment)
            && is(&self.conversation, &trace.conversation_id)
            && is(&self.user, &trace.user_id)
            && self.agent.as_ref().is_none_or(|agent| trace.agents.contains(agent))
            && (!self.failed || trace.status.is_failure())
    }
}
