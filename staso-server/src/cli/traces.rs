use clap::Args;
use staso_runtime::export::console::Ink;

use super::{
    Failure, Terminal,
    data::Data,
    filters::{InWorkspace, TraceFilters},
    store,
    table::{Cell, Table},
};
use crate::{
    model::{PageRequest, TraceFilter, TraceSort, TraceStatus, TraceSummary, WorkspaceId},
    store::Store,
    web::format,
};

/// List traces, the newest first.
#[derive(Debug, Args)]
#[command(after_help = "\
Examples:
  staso traces --since 24h --status error
  staso traces --agent support-bot --sort slowest --limit 10
  staso traces --text \"late refund\" --json")]
pub(super) struct Traces {
    #[command(flatten)]
    filters: TraceFilters,
    /// newest, slowest, costliest or tokens
    #[arg(long, default_value = "newest")]
    sort: String,
    /// At most so many
    #[arg(long, default_value_t = 50)]
    limit: usize,
    /// Print JSON, as `GET /v1/traces` has its items
    #[arg(long)]
    json: bool,
    #[command(flatten)]
    workspace: InWorkspace,
    #[command(flatten)]
    data: Data,
}

impl Traces {
    pub(super) async fn run(self, terminal: &mut Terminal) -> Result<(), Failure> {
        let (filter, sort) = self.filters.read(Some(self.sort))?;
        let store = store::existing(&self.data.folder()?)?;
        let workspace = store::workspace(&*store, &self.workspace.workspace).await?;
        let traces = list(&*store, workspace.id, filter, sort, self.limit).await?;
        if self.json {
            return terminal.json(&traces);
        }
        if traces.is_empty() {
            return Ok(
                terminal.note("No traces match. Run a program with `staso dev -- COMMAND` to have some.")?
            );
        }
        let mut table = Table::new([
            "TRACE", "STARTED", "NAME", "STATUS", "DURATION", "SPANS", "TOKENS", "COST", "AGENT", "USER",
        ]);
        for trace in traces {
            let ink = match trace.status {
                TraceStatus::Running => Ink::Running,
                TraceStatus::Ok => Ink::Success,
                TraceStatus::Error | TraceStatus::Timeout => Ink::Failure,
                TraceStatus::Other | TraceStatus::Unfinished => Ink::Plain,
            };
            table.row([
                Cell::whole(terminal.short(trace.trace_id.as_str())),
                Cell::time(trace.started_at),
                trace.name.into(),
                Cell::from(trace.status.as_str().to_owned()).ink(ink),
                Cell::number(format::duration(trace.duration_micros)),
                Cell::number(format::count(trace.spans)),
                Cell::number(format::count(trace.tokens.total)),
                Cell::number(format::cost(&trace.cost)),
                trace.agents.into_iter().next().unwrap_or_default().into(),
                trace.user_id.into(),
            ]);
        }
        terminal.table(&table)
    }
}

async fn list(
    store: &dyn Store,
    workspace: WorkspaceId,
    filter: TraceFilter,
    sort: TraceSort,
    limit: usize,
) -> Result<Vec<TraceSummary>, Failure> {
    const PAGE: usize = 500;
    let mut traces = Vec::new();
    let mut request = PageRequest::first(limit.min(PAGE));
    while request.limit > 0 {
        let page = store.traces(workspace, filter.clone(), sort, request).await?;
        traces.extend(page.items);
        let limit = limit.saturating_sub(traces.len()).min(PAGE);
        request = match page.next {
            Some(next) => PageRequest { limit, after: Some(next) },
            None => break,
        };
    }
    Ok(traces)
}
