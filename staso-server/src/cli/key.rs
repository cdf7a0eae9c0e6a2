use std::io::Write as _;

use clap::{Args, Subcommand};

use super::{
    Failure, Terminal,
    data::Data,
    store,
    table::{Cell, Table},
};
use crate::{
    keys,
    model::{KeyId, KeyScope},
};

/// Make, list and revoke keys, which `staso serve` demands.
#[derive(Debug, Subcommand)]
pub(super) enum Key {
    Create(Create),
    List(List),
    Revoke(Revoke),
}

/// Make a key. It is printed alone on standard output, and never again.
///
/// Only a hash of it is kept.
#[derive(Debug, Args)]
#[command(
    after_help = "Examples:\n  staso key create --name ci\n  STASO_API_KEY=$(staso key create --name laptop --workspace support)"
)]
pub(super) struct Create {
    /// What it is for, such as who uses it
    #[arg(long)]
    name: String,
    /// The only workspace that it opens [default: all of them]
    #[arg(long, value_name = "SLUG")]
    workspace: Option<String>,
    #[command(flatten)]
    data: Data,
}

/// List all keys: the beginning of each, what it is for, what it opens.
#[derive(Debug, Args)]
pub(super) struct List {
    /// Print JSON
    #[arg(long)]
    json: bool,
    #[command(flatten)]
    data: Data,
}

/// Revoke a key. Nothing opens with it from now on, running servers included.
#[derive(Debug, Args)]
pub(super) struct Revoke {
    /// The key's number in `staso key list`
    id: i64,
    #[command(flatten)]
    data: Data,
}

impl Key {
    pub(super) async fn run(self, terminal: &mut Terminal) -> Result<(), Failure> {
        match self {
            Self::Create(create) => create.run(terminal).await,
            Self::List(list) => list.run(terminal).await,
            Self::Revoke(revoke) => revoke.run(terminal).await,
        }
    }
}

impl Create {
    async fn run(self, terminal: &mut Terminal) -> Result<(), Failure> {
        let store = store::open(&self.data.folder()?)?;
        let scope = match self.workspace {
            None => KeyScope::Organization,
            Some(slug) => KeyScope::Workspace(store::workspace(&*store, &slug).await?.slug),
        };
        let (key, kept) = keys::generate(self.name, scope)?;
        let kept = store.create_key(kept).await?;
        writeln!(terminal, "{}", key.expose())?;
        let opens = match &kept.scope {
            KeyScope::Organization => "every workspace".to_owned(),
            KeyScope::Workspace(slug) => format!("the workspace `{slug}`"),
        };
        terminal.note(&format!(
            "This is key {}, which opens {opens}. It is shown only now: set it as STASO_API_KEY, \
             or log in to the dashboard with it.",
            kept.id.0
        ))?;
        Ok(())
    }
}

impl List {
    async fn run(self, terminal: &mut Terminal) -> Result<(), Failure> {
        let keys = store::existing(&self.data.folder()?)?.keys().await?;
        if self.json {
            return terminal.json(&keys);
        }
        if keys.is_empty() {
            return Ok(terminal.note("There are no keys. Make one with `staso key create --name NAME`.")?);
        }
        let mut table = Table::new(["ID", "KEY", "NAME", "OPENS", "CREATED", "REVOKED"]);
        for key in keys {
            table.row([
                Cell::number(key.id.0.to_string()),
                format!("{}…", key.prefix).into(),
                key.name.into(),
                match key.scope {
                    KeyScope::Organization => "every workspace".to_owned(),
                    KeyScope::Workspace(slug) => slug,
                }
                .into(),
                Cell::time(key.created_at),
                key.revoked_at.map_or_else(|| Cell::from(String::new()), Cell::time),
            ]);
        }
        terminal.table(&table)
    }
}

impl Revoke {
    async fn run(self, terminal: &mut Terminal) -> Result<(), Failure> {
        let store = store::existing(&self.data.folder()?)?;
        if !store.revoke_key(KeyId(self.id)).await? {
            return Err(Failure::Message(format!(
                "there is no key {}; `staso key list` names those that there are",
                self.id
            )));
        }
        Ok(writeln!(terminal, "Key {} opens nothing any more.", self.id)?)
    }
}
