//! The filters of lists, as flags. They are those of the API, read by the same code.

use clap::Args;

use super::Failure;
use crate::{
    model::{ConversationFilter, MetricsFilter, Timestamp, TraceFilter, TraceSort},
    query::{AgentParameters, ConversationParameters, TraceParameters},
};

/// Which workspace.
#[derive(Clone, Debug, Args)]
pub(super) struct InWorkspace {
    /// The workspace
    #[arg(long, value_name = "SLUG", default_value = "default")]
    pub(super) workspace: String,
}

/// Which traces.
#[derive(Clone, Debug, Args)]
pub(super) struct TraceFilters {
    /// Those that ran in this environment
    #[arg(long, value_name = "NAME")]
    environment: Option<String>,
    /// Those with a span of this agent
    #[arg(long, value_name = "NAME")]
    agent: Option<String>,
    /// Those with a span of this conversation
    #[arg(long, value_name = "ID")]
    conversation: Option<String>,
    /// Those with a span for this end user
    #[arg(long, value_name = "ID")]
    user: Option<String>,
    /// Those with a span of this kind: agent, tool, llm, retriever, chain or custom
    #[arg(long)]
    kind: Option<String>,
    /// Those that stand so: running, unfinished (running, but silent for 15 minutes), ok, error, timeout or other, or
    /// failed for errors and timeouts
    #[arg(long)]
    status: Option<String>,
    /// Those with a span that called this model
    #[arg(long, value_name = "NAME")]
    model: Option<String>,
    /// Those with a span that has this tag
    #[arg(long)]
    tag: Option<String>,
    /// Those that started at this time or later: RFC 3339, or before now such as 15m, 24h or 7d
    #[arg(long, value_name = "TIME")]
    since: Option<String>,
    /// Those that started before this time
    #[arg(long, value_name = "TIME")]
    until: Option<String>,
    /// Those that lasted at least so long, such as 200ms or 1.5s
    #[arg(long, value_name = "DURATION")]
    min_duration: Option<String>,
    /// Those whose names, inputs, outputs and errors contain every word of this text, and every phrase in quotation marks
    #[arg(long)]
    text: Option<String>,
    /// Where to look for the text: user, answers, tools, errors, rest or all
    #[arg(long, value_name = "WHERE", requires = "text")]
    text_in: Option<String>,
}

impl TraceFilters {
    pub(super) fn read(self, sort: Option<String>) -> Result<(TraceFilter, TraceSort), Failure> {
        let parameters = TraceParameters {
            workspace: None,
            environment: self.environment,
            agent: self.agent,
            conversation: self.conversation,
            user: self.user,
            kind: self.kind,
            status: self.status,
            model: self.model,
            tag: self.tag,
            since: self.since,
            until: self.until,
            min_duration: self.min_duration,
            text: self.text,
            text_in: self.text_in,
            sort,
            limit: None,
            cursor: None,
        };
        Ok((parameters.filter(Timestamp::now())?, parameters.sort()?))
    }
}

/// Which conversations.
#[derive(Clone, Debug, Args)]
pub(super) struct ConversationFilters {
    /// Those with a trace in this environment
    #[arg(long, value_name = "NAME")]
    environment: Option<String>,
    /// Those with a span of this agent
    #[arg(long, value_name = "NAME")]
    agent: Option<String>,
    /// Those with a span for this end user
    #[arg(long, value_name = "ID")]
    user: Option<String>,
    /// Those with a failed trace
    #[arg(long)]
    failed: bool,
    /// Those last active at this time or later: RFC 3339, or before now such as 15m, 24h or 7d
    #[arg(long, value_name = "TIME")]
    since: Option<String>,
    /// Those last active before this time
    #[arg(long, value_name = "TIME")]
    until: Option<String>,
}

impl ConversationFilters {
    pub(super) fn read(self) -> Result<ConversationFilter, Failure> {
        let parameters = ConversationParameters {
            environment: self.environment,
            agent: self.agent,
            user: self.user,
            failed: self.failed.then(|| "true".to_owned()),
            since: self.since,
            until: self.until,
            ..ConversationParameters::default()
        };
        Ok(parameters.filter(Timestamp::now())?)
    }
}

/// Which runs of agents.
#[derive(Clone, Debug, Args)]
pub(super) struct RunFilters {
    /// In this environment
    #[arg(long, value_name = "NAME")]
    environment: Option<String>,
    /// For this end user
    #[arg(long, value_name = "ID")]
    user: Option<String>,
    /// Started at this time or later: RFC 3339, or before now such as 15m, 24h or 7d
    #[arg(long, value_name = "TIME")]
    since: Option<String>,
    /// Started before this time
    #[arg(long, value_name = "TIME")]
    until: Option<String>,
}

impl RunFilters {
    pub(super) fn read(self) -> Result<MetricsFilter, Failure> {
        let parameters = AgentParameters {
            workspace: None,
            environment: self.environment,
            user: self.user,
            since: self.since,
            until: self.until,
        };
        Ok(parameters.filter(Timestamp::now())?)
    }
}
