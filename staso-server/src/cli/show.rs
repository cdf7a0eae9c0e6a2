use std::io::Write as _;

use clap::Args;
use serde::Serialize;
use serde_json::value::RawValue;

use super::{Failure, Terminal, data::Data, filters::InWorkspace, picture, store};
use crate::{
    model::{
        Annotation, PageRequest, TraceDetail, TraceFilter, TraceId, TraceSort, TraceSummary, WorkspaceId,
    },
    store::Store,
};

/// Print one trace as a tree, as the SDK does.
#[derive(Debug, Args)]
#[command(after_help = "\
Examples:
  staso show c931d6ba
  staso show c931d6ba-7556-d4da-590b-842753685e5a --json | jq '.spans[].name'")]
pub(super) struct Show {
    /// The trace's identifier, or how it begins
    trace: String,
    /// Print JSON: the trace as lists show it, its spans as they were sent, its annotations
    #[arg(long)]
    json: bool,
    #[command(flatten)]
    workspace: InWorkspace,
    #[command(flatten)]
    data: Data,
}

#[derive(Serialize)]
struct Document<'a> {
    summary: &'a TraceSummary,
    annotations: &'a [Annotation],
    spans: Vec<&'a RawValue>,
}

impl Show {
    pub(super) async fn run(self, terminal: &mut Terminal) -> Result<(), Failure> {
        let store = store::existing(&self.data.folder()?)?;
        let workspace = store::workspace(&*store, &self.workspace.workspace).await?;
        let trace = find(&*store, workspace.id, &self.trace).await?;
        let spans = picture::spans(&*store, workspace.id, &trace.summary.trace_id).await?;
        if self.json {
            return terminal.json(&Document {
                summary: &trace.summary,
                annotations: &trace.annotations,
                spans: spans.iter().map(|span| &*span.record).collect(),
            });
        }
        terminal.write_all(
            picture::trace(&trace.summary.trace_id, trace.summary.status, &spans, &terminal.style).as_bytes(),
        )?;
        for annotation in &trace.annotations {
            terminal.write_all(picture::annotation(annotation, &terminal.style).as_bytes())?;
        }
        Ok(())
    }
}

/// The trace with this identifier, else the only one whose identifier begins so.
async fn find(store: &dyn Store, workspace: WorkspaceId, text: &str) -> Result<TraceDetail, Failure> {
    if let Some(trace) = store.trace(workspace, TraceId::new(text)).await? {
        return Ok(trace);
    }
    let mut found: Vec<TraceId> = Vec::new();
    let mut request = PageRequest::first(500);
    // Two are enough to know that there is more than one.
    while found.len() < 2 {
        let page = store.traces(workspace, TraceFilter::default(), TraceSort::Newest, request).await?;
        let ids = page.items.into_iter().map(|trace| trace.trace_id);
        found.extend(ids.filter(|id| !text.is_empty() && id.as_str().starts_with(text)));
        request = match page.next {
            Some(next) => PageRequest { limit: 500, after: Some(next) },
            None => break,
        };
    }
    let missing = || Failure::Message(format!("there is no trace `{}`; `staso traces` lists them", text));
    match found.as_slice() {
        [id] => store.trace(workspace, id.clone()).await?.ok_or_else(missing),
        [] => Err(missing()),
        [first, second, ..] => Err(Failure::Message(format!(
            "several traces begin with `{}`, such as {} and {}; give more of the identifier",
            text, first, second
        ))),
    }
}
