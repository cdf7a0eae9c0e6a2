//! Prints traces once they have ended.

use std::{
    collections::{HashMap, HashSet, VecDeque},
    io::Write as _,
    sync::Arc,
    time::Duration,
};

use staso_runtime::export::console::{Ink, Page};
use tokio::sync::watch;

use super::{Failure, Terminal, picture};
use crate::{
    model::{SpanId, StoredSpan, TraceId, TraceSummary, Workspace, WorkspaceId},
    store::{Revision, Store},
    web::link::Link,
};

/// Follows what a store takes from now on.
pub(super) struct Follower {
    store: Arc<dyn Store>,
    revisions: watch::Receiver<Revision>,
    /// Up to where a look was taken.
    looked: Revision,
    /// The same for each workspace, where it is known better.
    seen: HashMap<WorkspaceId, Revision>,
    started: Revision,
    printed: Printed,
    /// Whether anything has arrived.
    anything: bool,
    /// Where the dashboard is, for links.
    url: Option<String>,
}

impl Follower {
    /// What arrives within it is looked at together: the batches of a trace that has just ended.
    const PACE: Duration = Duration::from_millis(200);
    /// How many changes are taken at once.
    const PORTION: usize = 200;

    pub(super) fn new(store: Arc<dyn Store>, url: Option<String>) -> Self {
        let revisions = store.revision();
        let started = *revisions.borrow();
        Self {
            store,
            revisions,
            looked: started,
            seen: HashMap::new(),
            started,
            printed: Printed::default(),
            anything: false,
            url,
        }
    }

    /// Whether a look has found anything, also a trace that still runs.
    pub(super) fn has_seen_anything(&self) -> bool {
        self.anything
    }

    /// Waits until there is something to look at. May be dropped and asked again at any time.
    pub(super) async fn changed(&mut self) {
        let looked = self.looked;
        if self.revisions.wait_for(|revision| *revision > looked).await.is_err() {
            // The store has closed.
            return std::future::pending().await;
        }
        tokio::time::sleep(Self::PACE).await;
    }

    /// Prints the traces that ended since the last look, of the workspaces and kinds that are wanted, and spans
    /// that came later than that.
    pub(super) async fn print(
        &mut self,
        terminal: &mut Terminal,
        wanted: impl Fn(&Workspace, &TraceSummary) -> bool,
    ) -> Result<(), Failure> {
        self.looked = *self.revisions.borrow();
        for workspace in self.store.workspaces().await? {
            loop {
                let after = self.seen.get(&workspace.id).copied().unwrap_or(self.started);
                let (changes, seen) = self.store.changes(workspace.id, after, Self::PORTION).await?;
                self.seen.insert(workspace.id, seen);
                self.anything |= !changes.is_empty();
                for trace in &changes {
                    if trace.status.has_ended() && wanted(&workspace, trace) {
                        self.print_trace(terminal, &workspace, trace).await?;
                    }
                }
                if changes.len() < Self::PORTION {
                    break;
                }
            }
        }
        Ok(terminal.flush()?)
    }

    async fn print_trace(
        &mut self,
        terminal: &mut Terminal,
        workspace: &Workspace,
        trace: &TraceSummary,
    ) -> Result<(), Failure> {
        let trace_id = &trace.trace_id;
        let spans = picture::spans(&*self.store, workspace.id, trace_id).await?;
        let (first, new) = self.printed.add((workspace.id, trace_id.clone()), spans);
        if new.is_empty() {
            return Ok(());
        }
        let text = match first {
            true => picture::trace(trace_id, trace.status, &new, &terminal.style),
            false => picture::late(trace_id, &new, &terminal.style),
        };
        terminal.write_all(text.trim_end_matches('\n').as_bytes())?;
        let mut page = Page::new(&terminal.style);
        page.end_line();
        if let Some(url) = &self.url {
            page.put(Ink::Dim, &format!("  {url}{}", link(workspace, trace_id)));
            page.end_line();
        }
        page.end_line();
        Ok(terminal.write_all(page.into_text().as_bytes())?)
    }
}

/// The page of a trace.
fn link(workspace: &Workspace, trace_id: &TraceId) -> Link {
    let link = Link::to("/traces").part(trace_id.as_str());
    if workspace.slug == "default" { link } else { link.with("workspace", &workspace.slug) }
}

/// Which spans of the last traces were printed.
#[derive(Default)]
struct Printed {
    traces: HashMap<(WorkspaceId, TraceId), HashSet<SpanId>>,
    order: VecDeque<(WorkspaceId, TraceId)>,
}

impl Printed {
    const LIMIT: usize = 1_024;

    /// Whether the trace was not printed before, and the spans that were not.
    fn add(&mut self, trace: (WorkspaceId, TraceId), mut spans: Vec<StoredSpan>) -> (bool, Vec<StoredSpan>) {
        let first = !self.traces.contains_key(&trace);
        if first {
            self.order.push_back(trace.clone());
            if self.order.len() > Self::LIMIT
                && let Some(oldest) = self.order.pop_front()
            {
                self.traces.remove(&oldest);
            }
        }
        let printed = self.traces.entry(trace).or_default();
        spans.retain(|span| printed.insert(span.row.span_id.clone()));
        (first, spans)
    }
}
