use clap::Args;
use staso_runtime::export::console::Ink;

use super::{
    Failure, Terminal,
    data::Data,
    filters::{InWorkspace, RunFilters},
    store,
    table::{Cell, Table},
};
use crate::{
    model::{Dimension, MetricsQuery},
    web::format,
};

/// List agents with their runs, failures, latencies, tokens and costs.
#[derive(Debug, Args)]
#[command(after_help = "Examples:\n  staso agents --since 24h\n  staso agents --environment prod --json")]
pub(super) struct Agents {
    #[command(flatten)]
    filters: RunFilters,
    /// Print JSON, as `GET /v1/agents` has its series
    #[arg(long)]
    json: bool,
    #[command(flatten)]
    workspace: InWorkspace,
    #[command(flatten)]
    data: Data,
}

impl Agents {
    pub(super) async fn run(self, terminal: &mut Terminal) -> Result<(), Failure> {
        let filter = self.filters.read()?;
        let store = store::existing(&self.data.folder()?)?;
        let workspace = store::workspace(&*store, &self.workspace.workspace).await?;
        let query = MetricsQuery { filter, by: Some(Dimension::Agent), bucket: None, limit: usize::MAX };
        let agents = store.metrics(workspace.id, query).await?.series;
        if self.json {
            return terminal.json(&agents);
        }
        if agents.is_empty() {
            return Ok(terminal.note("No agents ran. Run one with `staso dev -- COMMAND`.")?);
        }
        let mut table = Table::new(["AGENT", "RUNS", "FAILED", "P50", "P95", "TOKENS", "COST", "LAST RUN"]);
        for agent in agents {
            let total = &agent.total;
            let latency =
                |quantile| total.latency.quantile(quantile).map_or_else(|| "–".to_owned(), format::duration);
            let failed = if total.errors > 0 { Ink::Failure } else { Ink::Plain };
            table.row([
                agent.key.into(),
                Cell::number(format::count(total.count)),
                Cell::number(format::percent(total.error_rate())).ink(failed),
                Cell::number(latency(0.50)),
                Cell::number(latency(0.95)),
                Cell::number(format::count(total.tokens.total)),
                Cell::number(format::cost(&total.cost)),
                Cell::time(agent.last_at),
            ]);
        }
        terminal.table(&table)
    }
}
