//! Prints traces once they have ended.

use std::{
    collections::{HashMap, HashSet, VecDeque},
    io::Write as _,
    sync::Arc,
    time::Duration,
};

use staso_runtime::export::console::{Ink, Page};
use tokio::{
    sync::watch,
    time::{Instant, sleep, sleep_until},
};

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
    rootless: Rootless,
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
            rootless: Rootless::default(),
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
        let (looked, due) = (self.looked, self.rootless.due());
        let quiet = async {
            match due {
                Some(due) => sleep_until(due).await,
                None => std::future::pending().await,
            }
        };
        tokio::select! {
            revision = self.revisions.wait_for(|revision| *revision > looked) => {
                if revision.is_err() {
                    // The store has closed.
                    return std::future::pending().await;
                }
            }
            () = quiet => return,
        }
        sleep(Self::PACE).await;
    }

    /// Prints what waits for nothing but quiet, too: whatever was to come has come.
    pub(super) async fn print_all(
        &mut self,
        terminal: &mut Terminal,
        wanted: impl Fn(&Workspace, &TraceSummary) -> bool,
    ) -> Result<(), Failure> {
        self.print(terminal, wanted).await?;
        self.print_rootless(terminal, None).await?;
        Ok(terminal.flush()?)
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
                        let spans = picture::spans(&*self.store, workspace.id, &trace.trace_id).await?;
                        let has_root = spans.iter().any(|span| span.row.parent_span_id.is_none());
                        if has_root || self.printed.has(&(workspace.id, trace.trace_id.clone())) {
                            self.print_trace(terminal, &workspace, trace, spans)?;
                        } else {
                            self.rootless.put(&workspace, trace);
                        }
                    }
                }
                if changes.len() < Self::PORTION {
                    break;
                }
            }
        }
        self.print_rootless(terminal, Some(Instant::now())).await?;
        Ok(terminal.flush()?)
    }

    /// Prints the traces without a root that were quiet until this moment, or all.
    async fn print_rootless(&mut self, terminal: &mut Terminal, now: Option<Instant>) -> Result<(), Failure> {
        for (workspace, trace) in self.rootless.take(now) {
            let spans = picture::spans(&*self.store, workspace.id, &trace.trace_id).await?;
            self.print_trace(terminal, &workspace, &trace, spans)?;
        }
        Ok(())
    }

    fn print_trace(
        &mut self,
        terminal: &mut Terminal,
        workspace: &Workspace,
        trace: &TraceSummary,
        spans: Vec<StoredSpan>,
    ) -> Result<(), Failure> {
        let trace_id = &trace.trace_id;
        self.rootless.forget(workspace.id, trace_id);
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

/// Traces whose spans have ended and whose root is not there: it may be elsewhere, or be sent when it ends.
#[derive(Default)]
struct Rootless {
    traces: Vec<(Instant, Workspace, TraceSummary)>,
}

impl Rootless {
    /// A root that is to come keeps its children waiting for as long as nothing of them comes.
    const QUIET: Duration = Duration::from_secs(2);

    fn put(&mut self, workspace: &Workspace, trace: &TraceSummary) {
        self.forget(workspace.id, &trace.trace_id);
        self.traces.push((Instant::now() + Self::QUIET, workspace.clone(), trace.clone()));
    }

    fn forget(&mut self, workspace: WorkspaceId, trace_id: &TraceId) {
        self.traces.retain(|(_, of, trace)| of.id != workspace || trace.trace_id != *trace_id);
    }

    /// When the first of them has been quiet for long enough.
    fn due(&self) -> Option<Instant> {
        self.traces.iter().map(|(due, ..)| *due).min()
    }

    /// Takes out those that are due at a moment, or all.
    fn take(&mut self, now: Option<Instant>) -> Vec<(Workspace, TraceSummary)> {
        let due = self.traces.extract_if(.., |(due, ..)| now.is_none_or(|now| *due <= now));
        due.map(|(_, workspace, trace)| (workspace, trace)).collect()
    }
}

/// Which spans of the last traces were printed.
#[derive(Default)]
struct Printed {
    traces: HashMap<(WorkspaceId, TraceId), HashSet<SpanId>>,
    order: VecDeque<(WorkspaceId, TraceId)>,
}

impl Printed {
    const LIMIT: usize = 1_024;

    fn has(&self, trace: &(WorkspaceId, TraceId)) -> bool {
        self.traces.contains_key(trace)
    }

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

#[cfg(test)]
mod tests {
    use super::*;
    use crate::{
        ingest::parse_trace,
        model::{Batch, IncomingTrace},
        pricing::Prices,
        store::memory::MemoryStore,
    };

    async fn summary(id: &str) -> (Workspace, TraceSummary) {
        let store = MemoryStore::new();
        let workspace = store.workspace("default").await.unwrap().unwrap();
        let span = r#"{"parent_span_id":"elsewhere","timestamp":"2026-01-02T03:04:05Z"}"#;
        let line = format!(r#"{{"trace_id":"{id}","timestamp":"2026-01-02T03:04:05Z","spans":[{span}]}}"#);
        let trace = parse_trace(&line, &Prices::embedded()).unwrap();
        let (trace_id, environment, spans) = (trace.trace_id.clone(), trace.environment, trace.spans);
        let batch = Batch {
            sender: None,
            idempotency_key: id.to_owned(),
            digest: [0; 32],
            accepted: 1,
            received_at: crate::model::Timestamp::default(),
            traces: vec![IncomingTrace { workspace: workspace.id, trace_id, environment, spans }],
        };
        store.ingest(batch).await.unwrap();
        let found = store.trace(workspace.id, trace.trace_id).await.unwrap().unwrap();
        (workspace, found.summary)
    }

    fn ids(taken: &[(Workspace, TraceSummary)]) -> Vec<&str> {
        taken.iter().map(|(_, trace)| trace.trace_id.as_str()).collect()
    }

    #[tokio::test(start_paused = true)]
    async fn a_trace_without_a_root_waits_until_it_is_quiet() {
        let ((workspace, a), (_, b)) = (summary("a").await, summary("b").await);
        let mut rootless = Rootless::default();
        rootless.put(&workspace, &a);
        rootless.put(&workspace, &b);
        tokio::time::advance(Rootless::QUIET / 2).await;
        rootless.put(&workspace, &a);
        tokio::time::advance(Rootless::QUIET / 2).await;
        assert_eq!(ids(&rootless.take(Some(Instant::now()))), ["b"]);
        assert_eq!(rootless.due(), Some(Instant::now() + Rootless::QUIET / 2));
        rootless.put(&workspace, &b);
        rootless.forget(workspace.id, &a.trace_id);
        assert_eq!(ids(&rootless.take(None)), ["b"]);
        assert_eq!(rootless.due(), None);
    }
}
