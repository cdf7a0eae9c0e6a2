use std::{
    fs::File,
    io::{self, BufRead, BufReader, Write as _},
    path::PathBuf,
};

use clap::Args;

use super::{
    Failure, Terminal,
    data::Data,
    importer::{Counts, Importer},
    progress::Progress,
    server::PriceFile,
    store,
};

/// Store what the SDK's file exporter or `staso export` wrote.
///
/// What cannot be read is left out and named by its line. Importing a file again changes nothing, so an import
/// that was interrupted can be run once more.
#[derive(Debug, Args)]
#[command(after_help = "Examples:\n  staso import traces.jsonl\n  zcat week.jsonl.gz | staso import -")]
pub(super) struct Import {
    /// The file, or `-` for standard input
    file: PathBuf,
    /// The workspace for all of it [default: the one that each line names]
    #[arg(long, value_name = "SLUG")]
    workspace: Option<String>,
    #[command(flatten)]
    prices: PriceFile,
    #[command(flatten)]
    data: Data,
}

/// How many damaged lines are named.
const NAMED: usize = 20;

impl Import {
    pub(super) async fn run(self, terminal: &mut Terminal) -> Result<(), Failure> {
        let prices = self.prices.read()?;
        let mut input: Box<dyn BufRead> = match self.file.to_str() {
            Some("-") => Box::new(io::stdin().lock()),
            _ => Box::new(BufReader::new(File::open(&self.file).map_err(|error| {
                Failure::Message(format!("cannot read {}: {error}", self.file.display()))
            })?)),
        };
        let store = store::open(&self.data.folder()?)?;
        let workspace = match &self.workspace {
            Some(slug) => Some(store::workspace(&*store, slug).await?),
            None => None,
        };
        let mut importer = Importer::new(store, prices, workspace);
        let mut progress = Progress::new();
        importer.read(&mut *input, |lines| progress.count(lines, "lines")).await?;
        progress.clear();
        let Counts { lines: _, traces, spans, annotations, damaged } = &importer.counts;
        for (number, reason) in damaged.iter().take(NAMED) {
            terminal.note(&format!("line {number}: {reason}"))?;
        }
        if damaged.len() > NAMED {
            terminal.note(&format!("… and {} more", damaged.len() - NAMED))?;
        }
        let left_out = match damaged.len() {
            0 => String::new(),
            1 => "; 1 damaged line was left out".to_owned(),
            lines => format!("; {lines} damaged lines were left out"),
        };
        writeln!(
            terminal,
            "Imported {traces} trace objects with {spans} spans, and {annotations} annotations{left_out}."
        )?;
        if *traces == 0 && *annotations == 0 && !damaged.is_empty() {
            return Err(Failure::Message(
                "nothing in the file could be read; is it one of the file exporter?".to_owned(),
            ));
        }
        Ok(())
    }
}
