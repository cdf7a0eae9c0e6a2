use std::io::Write as _;

use clap::Args;

use super::{Failure, Terminal, data::Data, progress::Progress, store};
use crate::{model::Timestamp, query};

/// Delete the traces that started before a time, in every workspace, and give back their space.
#[derive(Debug, Args)]
#[command(
    after_help = "Examples:\n  staso prune --older-than 30d\n  staso prune --older-than 2026-01-01T00:00:00Z"
)]
pub(super) struct Prune {
    /// How old, such as 90s, 15m, 24h or 30d; or a time in RFC 3339
    #[arg(long, value_name = "AGE")]
    older_than: String,
    #[command(flatten)]
    data: Data,
}

impl Prune {
    pub(super) async fn run(self, terminal: &mut Terminal) -> Result<(), Failure> {
        let before = match query::moment("older-than", &self.older_than, Timestamp::now()) {
            Ok(Some(before)) => before,
            _ => {
                let message =
                    "--older-than must be an age such as 24h or 30d, or a time such as 2026-01-02T03:04:05Z";
                return Err(Failure::Usage(message.to_owned()));
            }
        };
        let store = store::existing(&self.data.folder()?)?;
        let deleted = Progress::new().wait("Deleting", store.prune(before)).await?;
        let traces = if deleted == 1 { "trace" } else { "traces" };
        Ok(writeln!(terminal, "Deleted {deleted} {traces} that started before {before}.")?)
    }
}
