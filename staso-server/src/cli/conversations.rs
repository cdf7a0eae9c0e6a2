use clap::Args;
use staso_runtime::export::console::Ink;

use super::{
    Failure, Terminal,
    data::Data,
    filters::{ConversationFilters, InWorkspace},
    store,
    table::{Cell, Table},
};
use crate::{model::PageRequest, web::format};

/// List conversations, the last active first.
#[derive(Debug, Args)]
#[command(
    after_help = "Examples:\n  staso conversations --failed --since 7d\n  staso traces --conversation conv-42"
)]
pub(super) struct Conversations {
    #[command(flatten)]
    filters: ConversationFilters,
    /// At most so many
    #[arg(long, default_value_t = 50)]
    limit: usize,
    /// Print JSON, as `GET /v1/conversations` has its items
    #[arg(long)]
    json: bool,
    #[command(flatten)]
    workspace: InWorkspace,
    #[command(flatten)]
    data: Data,
}

impl Conversations {
    pub(super) async fn run(self, terminal: &mut Terminal) -> Result<(), Failure> {
        let filter = self.filters.read()?;
        let store = store::existing(&self.data.folder()?)?;
        let workspace = store::workspace(&*store, &self.workspace.workspace).await?;
        let mut conversations = Vec::new();
        let mut request = PageRequest::first(self.limit.min(500));
        while request.limit > 0 {
            let page = store.conversations(workspace.id, filter.clone(), request).await?;
            conversations.extend(page.items);
            let limit = self.limit.saturating_sub(conversations.len()).min(500);
            request = match page.next {
                Some(next) => PageRequest { limit, after: Some(next) },
                None => break,
            };
        }
        if self.json {
            return terminal.json(&conversations);
        }
        if conversations.is_empty() {
            let hint =
                "No conversations match. A program opens one with `staso::conversation!` or its SDK's like.";
            return Ok(terminal.note(hint)?);
        }
        let mut table = Table::new([
            "CONVERSATION",
            "LAST ACTIVE",
            "TRACES",
            "FAILED",
            "TOKENS",
            "COST",
            "AGENTS",
            "USERS",
        ]);
        for conversation in conversations {
            let failed = if conversation.failed_traces > 0 { Ink::Failure } else { Ink::Plain };
            table.row([
                conversation.conversation_id.into(),
                Cell::time(conversation.last_at),
                Cell::number(format::count(conversation.traces)),
                Cell::number(format::count(conversation.failed_traces)).ink(failed),
                Cell::number(format::count(conversation.tokens.total)),
                Cell::number(format::cost(&conversation.cost)),
                conversation.agents.join(", ").into(),
                conversation.users.join(", ").into(),
            ]);
        }
        terminal.table(&table)
    }
}
