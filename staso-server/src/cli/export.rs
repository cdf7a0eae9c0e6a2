use std::{
    fs::{File, OpenOptions, Permissions},
    io::{self, BufWriter, Write},
    path::PathBuf,
};

use clap::{Args, ValueEnum};

use super::{
    Failure, Terminal,
    data::Data,
    filters::{InWorkspace, TraceFilters},
    lines::{AnnotationLine, TraceLine},
    progress::Progress,
    store,
};
use crate::{
    model::{PageRequest, TraceFilter, TraceSort, TraceSummary, Workspace},
    store::Store,
};

/// Write traces with all their spans and annotations, for `staso import` or other programs.
#[derive(Debug, Args)]
#[command(after_help = "\
Examples:
  staso export --since 7d --output week.jsonl
  staso export --status error | jq -r '.spans[].error_message // empty'")]
pub(super) struct Export {
    /// How
    #[arg(long, value_enum, default_value_t = Format::Jsonl)]
    format: Format,
    /// The file to write [default: standard output]
    #[arg(long, short, value_name = "FILE")]
    output: Option<PathBuf>,
    #[command(flatten)]
    filters: TraceFilters,
    #[command(flatten)]
    workspace: InWorkspace,
    #[command(flatten)]
    data: Data,
}

#[derive(Clone, Copy, Debug, ValueEnum)]
enum Format {
    /// A JSON object a line, as the SDK's file exporter writes them
    Jsonl,
}

impl Export {
    pub(super) async fn run(self, terminal: &mut Terminal) -> Result<(), Failure> {
        let Format::Jsonl = self.format;
        let (filter, sort) = self.filters.read(None)?;
        let store = store::existing(&self.data.folder()?)?;
        let workspace = store::workspace(&*store, &self.workspace.workspace).await?;
        let mut file = self.output.as_ref().map(create).transpose()?;
        let out: &mut dyn Write = match &mut file {
            Some(file) => file,
            None => terminal,
        };
        let mut progress = Progress::new();
        let count = |traces| {
            // What goes to standard output is its own progress.
            if self.output.is_some() {
                progress.count(traces, "traces");
            }
        };
        let traces = write_traces(out, &*store, &workspace, &filter, sort, count).await?;
        progress.clear();
        if let Some(mut file) = file {
            file.flush()?;
            file.get_ref().sync_data()?;
        }
        Ok(terminal.note(&format!("Wrote {traces} {}.", if traces == 1 { "trace" } else { "traces" }))?)
    }
}

/// Creates the file for nobody but its owner: spans carry user data. One that is there becomes so.
fn create(path: &PathBuf) -> Result<BufWriter<File>, Failure> {
    use std::os::unix::fs::{OpenOptionsExt as _, PermissionsExt as _};

    let mut options = OpenOptions::new();
    let file = options.write(true).create(true).truncate(true).mode(0o600).open(path).and_then(|file| {
        // A pipe or a terminal is left as it is.
        if file.metadata()?.is_file() {
            file.set_permissions(Permissions::from_mode(0o600))?;
        }
        Ok(file)
    });
    file.map(BufWriter::new)
        .map_err(|error| Failure::Message(format!("cannot write {}: {error}", path.display())))
}

/// Writes the traces that match. How many.
pub(super) async fn write_traces(
    out: &mut dyn Write,
    store: &dyn Store,
    workspace: &Workspace,
    filter: &TraceFilter,
    sort: TraceSort,
    mut progress: impl FnMut(u64),
) -> Result<u64, Failure> {
    let mut traces = 0;
    let mut request = PageRequest::first(500);
    loop {
        let page = store.traces(workspace.id, filter.clone(), sort, request).await?;
        for trace in &page.items {
            write_trace(out, store, workspace, trace).await?;
            traces += 1;
            progress(traces);
        }
        request = match page.next {
            Some(next) => PageRequest { limit: 500, after: Some(next) },
            None => return Ok(traces),
        };
    }
}

/// A trace of many spans takes several lines.
async fn write_trace(
    out: &mut dyn Write,
    store: &dyn Store,
    workspace: &Workspace,
    trace: &TraceSummary,
) -> Result<(), Failure> {
    let mut request = PageRequest::first(1_000);
    loop {
        let page = store.spans(workspace.id, trace.trace_id.clone(), request).await?;
        if !page.items.is_empty() {
            let line = TraceLine {
                trace_id: &trace.trace_id,
                timestamp: trace.started_at,
                environment: &trace.environment,
                workspace_slug: &workspace.slug,
                spans: page.items.iter().map(|span| &*span.record).collect(),
            };
            serde_json::to_writer(&mut *out, &line).map_err(io::Error::from)?;
            out.write_all(b"\n")?;
        }
        request = match page.next {
            Some(next) => PageRequest { limit: 1_000, after: Some(next) },
            None => break,
        };
    }
    let annotations = store.trace(workspace.id, trace.trace_id.clone()).await?;
    for annotation in annotations.iter().flat_map(|trace| &trace.annotations) {
        let line = AnnotationLine { trace_id: &trace.trace_id, annotation };
        serde_json::to_writer(&mut *out, &line).map_err(io::Error::from)?;
        out.write_all(b"\n")?;
    }
    Ok(())
}
