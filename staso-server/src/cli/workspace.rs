use std::io::Write as _;

use clap::{Args, Subcommand};

use super::{
    Failure, Terminal,
    data::Data,
    store,
    table::{Cell, Table},
};
use crate::model::{Slug, Timestamp};

/// Make and list workspaces, which keep traces apart.
#[derive(Debug, Subcommand)]
pub(super) enum Workspace {
    Create(Create),
    List(List),
}

/// Make a workspace. Programs send to it with STASO_WORKSPACE_SLUG.
#[derive(Debug, Args)]
pub(super) struct Create {
    /// Its name in URLs, such as `support-team`
    slug: Slug,
    #[command(flatten)]
    data: Data,
}

/// List all workspaces.
#[derive(Debug, Args)]
pub(super) struct List {
    /// Print JSON
    #[arg(long)]
    json: bool,
    #[command(flatten)]
    data: Data,
}

impl Workspace {
    pub(super) async fn run(self, terminal: &mut Terminal) -> Result<(), Failure> {
        match self {
            Self::Create(create) => create.run(terminal).await,
            Self::List(list) => list.run(terminal).await,
        }
    }
}

impl Create {
    async fn run(self, terminal: &mut Terminal) -> Result<(), Failure> {
        let made = store::open(&self.data.folder()?)?.create_workspace(self.slug).await?;
        Ok(writeln!(
            terminal,
            "Made the workspace `{0}`. Send to it with STASO_WORKSPACE_SLUG={0}.",
            made.slug
        )?)
    }
}

impl List {
    async fn run(self, terminal: &mut Terminal) -> Result<(), Failure> {
        let workspaces = store::existing(&self.data.folder()?)?.workspaces().await?;
        if self.json {
            return terminal.json(&workspaces);
        }
        let mut table = Table::new(["WORKSPACE", "CREATED"]);
        for workspace in workspaces {
            // The one that always was there has no time of its own.
            let made = workspace.created_at;
            let made =
                if made == Timestamp::default() { Cell::from(String::new()) } else { Cell::time(made) };
            table.row([workspace.slug.into(), made]);
        }
        terminal.table(&table)
    }
}
