use std::{collections::HashMap, io::BufRead, sync::Arc};

use sha2::{Digest as _, Sha256};

use super::{Failure, lines::Line};
use crate::{
    model::{Annotation, BadSlug, Batch, IncomingTrace, Slug, Timestamp, TraceId, Workspace, WorkspaceId},
    pricing::Prices,
    store::{Store, StoreError},
};

/// Reads lines and stores what they hold.
pub(super) struct Importer {
    store: Arc<dyn Store>,
    prices: Prices,
    /// For all of it, in place of the ones that lines name.
    workspace: Option<Workspace>,
    known: Vec<Workspace>,
    portion: Portion,
    /// They come last: what they are about may stand behind them.
    annotations: Vec<(TraceId, Annotation)>,
    pub(super) counts: Counts,
}

/// Traces that are stored at once, and the digest of their lines.
#[derive(Default)]
struct Portion {
    traces: Vec<IncomingTrace>,
    bytes: usize,
    digest: Sha256,
}

/// What an import came to.
#[derive(Default)]
pub(super) struct Counts {
    pub(super) lines: u64,
    pub(super) traces: usize,
    pub(super) spans: usize,
    pub(super) annotations: usize,
    /// Line numbers, and what is wrong.
    pub(super) damaged: Vec<(u64, String)>,
}

impl Importer {
    const PORTION_BYTES: usize = 1 << 20;

    pub(super) fn new(store: Arc<dyn Store>, prices: Prices, workspace: Option<Workspace>) -> Self {
        Self {
            store,
            prices,
            workspace,
            known: Vec::new(),
            portion: Portion::default(),
            annotations: Vec::new(),
            counts: Counts::default(),
        }
    }

    /// Imports all of the input. `progress` hears how many lines were read.
    pub(super) async fn read(
        &mut self,
        input: &mut dyn BufRead,
        mut progress: impl FnMut(u64),
    ) -> Result<(), Failure> {
        let mut line = Vec::new();
        loop {
            line.clear();
            if input.read_until(b'\n', &mut line)? == 0 {
                return self.finish().await;
            }
            self.take(&line).await?;
            progress(self.counts.lines);
        }
    }

    async fn take(&mut self, line: &[u8]) -> Result<(), Failure> {
        self.counts.lines += 1;
        if line.iter().all(u8::is_ascii_whitespace) {
            return Ok(());
        }
        let parsed = std::str::from_utf8(line)
            .map_err(|error| error.to_string())
            .and_then(|json| Line::parse(json, &self.prices, Timestamp::now()));
        match parsed {
            Err(reason) => self.counts.damaged.push((self.counts.lines, reason)),
            Ok(Line::Annotation(trace_id, annotation)) => self.annotations.push((trace_id, annotation)),
            Ok(Line::Trace(trace)) => {
                let workspace = match self.workspace(trace.workspace_slug.as_deref()).await? {
                    Ok(workspace) => workspace,
                    Err(reason) => {
                        self.counts.damaged.push((self.counts.lines, format!("workspace_slug: {reason}")));
                        return Ok(());
                    }
                };
                self.counts.traces += 1;
                self.counts.spans += trace.spans.len();
                self.portion.digest.update(line);
                self.portion.bytes += line.len();
                self.portion.traces.push(IncomingTrace {
                    workspace,
                    trace_id: trace.trace_id,
                    environment: trace.environment,
                    spans: trace.spans,
                });
                if self.portion.bytes >= Self::PORTION_BYTES {
                    self.store_portion().await?;
                }
            }
        }
        Ok(())
    }

    async fn finish(&mut self) -> Result<(), Failure> {
        self.store_portion().await?;
        let workspace = self.workspace.as_ref().map(|workspace| workspace.id);
        let mut held = HashMap::new();
        for (trace_id, annotation) in std::mem::take(&mut self.annotations) {
            if !held.contains_key(&trace_id) {
                held.insert(trace_id.clone(), self.annotations_of(&trace_id).await?);
            }
            // Each that the store had answers for one line, so that what was said twice is stored twice.
            let known = held.get_mut(&trace_id).and_then(|held| {
                let place = held.iter().position(|known| says_the_same(known, &annotation))?;
                Some(held.swap_remove(place))
            });
            if known.is_none() {
                self.store.annotate(workspace, trace_id, annotation).await?;
            }
            self.counts.annotations += 1;
        }
        Ok(())
    }

    /// What was said of a trace so far.
    async fn annotations_of(&self, trace_id: &TraceId) -> Result<Vec<Annotation>, StoreError> {
        let workspaces = match &self.workspace {
            Some(workspace) => vec![workspace.clone()],
            None => self.store.workspaces().await?,
        };
        for workspace in workspaces {
            if let Some(trace) = self.store.trace(workspace.id, trace_id.clone()).await? {
                return Ok(trace.annotations);
            }
        }
        Ok(Vec::new())
    }

    /// Identifiers decide what is new, not the key: what was pruned since can be imported again.
    async fn store_portion(&mut self) -> Result<(), Failure> {
        let Portion { traces, digest, .. } = std::mem::take(&mut self.portion);
        if traces.is_empty() {
            return Ok(());
        }
        let batch = Batch {
            sender: None,
            idempotency_key: uuid::Uuid::new_v4().to_string(),
            digest: digest.finalize().into(),
            accepted: traces.len(),
            received_at: Timestamp::now(),
            traces,
        };
        self.store.ingest(batch).await.map_err(|error| match error {
            StoreError::Overloaded { .. } | StoreError::Full => {
                Failure::Message(format!("{error}; what was imported so far is kept: import the file again"))
            }
            error => error.into(),
        })?;
        Ok(())
    }

    /// Where a trace goes: a workspace that it names is made where it is missing.
    async fn workspace(&mut self, slug: Option<&str>) -> Result<Result<WorkspaceId, BadSlug>, Failure> {
        if let Some(workspace) = &self.workspace {
            return Ok(Ok(workspace.id));
        }
        let slug = slug.unwrap_or(Slug::DEFAULT);
        if let Some(known) = self.known.iter().find(|known| known.slug == slug) {
            return Ok(Ok(known.id));
        }
        let workspace = match self.store.workspace(slug).await? {
            Some(workspace) => workspace,
            None => match slug.parse() {
                Ok(slug) => self.store.create_workspace(slug).await?,
                Err(bad) => return Ok(Err(bad)),
            },
        };
        let id = workspace.id;
        self.known.push(workspace);
        Ok(Ok(id))
    }
}

/// Whether two annotations differ in nothing but when they arrived.
fn says_the_same(a: &Annotation, b: &Annotation) -> bool {
    (&a.name, &a.value, &a.span_id, &a.comment) == (&b.name, &b.value, &b.span_id, &b.comment)
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;
    use serde_json::json;

    use super::{super::export::write_traces, *};
    use crate::{
        model::{PageRequest, TraceDetail, TraceFilter, TraceSort},
        store::memory::MemoryStore,
    };

    async fn import(store: &Arc<dyn Store>, file: &[u8]) -> Counts {
        let mut importer = Importer::new(Arc::clone(store), Prices::embedded(), None);
        importer.read(&mut &*file, |_| {}).await.unwrap();
        importer.counts
    }

    fn new_store() -> Arc<dyn Store> {
        Arc::new(MemoryStore::new())
    }

    fn trace_line(number: usize) -> String {
        let span = |id: &str, parent: Option<&str>, kind: &str| {
            json!({
                "span_id": id, "parent_span_id": parent, "name": format!("{kind} {number}"), "kind": kind,
                "timestamp": "2026-01-02T03:04:05.678901+00:00", "duration_ms": 12.5, "status": "ok",
                "input": "{\"q\": \"zażółć\"}", "attributes": "{\"tags\": [\"a\"]}", "session_id": "c",
            })
        };
        json!({
            "trace_id": format!("trace-{number}"), "timestamp": "2026-01-02T03:04:05.678901+00:00",
            "environment": "prod", "workspace_slug": "default",
            "spans": [span("1", None, "agent"), span("2", Some("1"), "tool")],
        })
        .to_string()
    }

    fn annotation_line(number: usize) -> String {
        let annotation = json!({ "name": "verdict", "value": "good", "data_type": "categorical" });
        json!({ "trace_id": format!("trace-{number}"), "annotation": annotation }).to_string()
    }

    fn file(traces: usize) -> String {
        // The annotation stands before what it is about.
        std::iter::once(annotation_line(0))
            .chain((0..traces).map(trace_line))
            .map(|line| line + "\n")
            .collect()
    }

    /// All traces, without what depends on when they arrived; the records of their spans.
    async fn contents(store: &Arc<dyn Store>) -> Vec<(TraceDetail, Vec<String>)> {
        let workspace = store.workspace("default").await.unwrap().unwrap().id;
        let page = PageRequest::first(500);
        let traces =
            store.traces(workspace, TraceFilter::default(), TraceSort::Newest, page.clone()).await.unwrap();
        let mut contents = Vec::new();
        for trace in traces.items {
            let spans = store.spans(workspace, trace.trace_id.clone(), page.clone()).await.unwrap().items;
            let records = spans.iter().map(|span| span.record.get().to_owned()).collect();
            let mut trace = store.trace(workspace, trace.trace_id).await.unwrap().unwrap();
            trace.summary.updated_at = Timestamp::default();
            contents.push((trace, records));
        }
        contents.sort_by(|a, b| a.0.summary.trace_id.cmp(&b.0.summary.trace_id));
        contents
    }

    #[tokio::test]
    async fn an_export_can_be_imported_and_is_the_same() {
        let (store, copy) = (new_store(), new_store());
        import(&store, file(3).as_bytes()).await;
        let workspace = store.workspace("default").await.unwrap().unwrap();
        let mut exported = Vec::new();
        let filter = TraceFilter::default();
        let traces = write_traces(&mut exported, &*store, &workspace, &filter, TraceSort::Newest, |_| ())
            .await
            .unwrap();
        assert_eq!(traces, 3);
        import(&copy, &exported).await;
        assert_eq!(contents(&copy).await, contents(&store).await);
        assert_eq!(contents(&copy).await[0].0.annotations.len(), 1);
    }

    #[tokio::test]
    async fn importing_a_file_again_changes_nothing() {
        let store = new_store();
        import(&store, file(3).as_bytes()).await;
        let once = contents(&store).await;
        import(&store, file(3).as_bytes()).await;
        import(&store, file(4).as_bytes()).await;
        let again = contents(&store).await;
        assert_eq!(again[..3], once);
        assert_eq!(again.len(), 4);
    }

    #[tokio::test]
    async fn what_was_pruned_can_be_imported_again() {
        let store = new_store();
        import(&store, file(3).as_bytes()).await;
        let once = contents(&store).await;
        assert_eq!(store.prune(Timestamp::now()).await.unwrap(), 3);
        import(&store, file(3).as_bytes()).await;
        let mut again = contents(&store).await;
        for (trace, before) in again.iter_mut().zip(&once) {
            // When it arrived is the only difference.
            for (annotation, before) in trace.0.annotations.iter_mut().zip(&before.0.annotations) {
                annotation.received_at = before.received_at;
            }
        }
        assert_eq!(again, once);
    }

    #[tokio::test]
    async fn what_was_said_twice_is_stored_twice_however_often_it_is_imported() {
        let store = new_store();
        import(&store, trace_line(0).as_bytes()).await;
        let said = format!("{0}\n{0}\n", annotation_line(0));
        for _ in 0..2 {
            import(&store, said.as_bytes()).await;
            assert_eq!(contents(&store).await[0].0.annotations.len(), 2);
        }
    }

    #[tokio::test]
    async fn a_line_without_identifiers_would_be_new_each_time_and_is_left_out() {
        let store = new_store();
        let nameless = trace_line(0).replace(r#""trace_id":"trace-0""#, r#""trace_id":"""#);
        let spanless = trace_line(1).replace(r#""span_id":"2""#, r#""span_id":null"#);
        let counts = import(&store, format!("{nameless}\n{spanless}").as_bytes()).await;
        assert_eq!(
            counts.damaged,
            [
                (1, "trace_id: expected an identifier, found nothing".to_owned()),
                (2, "spans[1].span_id: expected an identifier, found nothing".to_owned()),
            ]
        );
        assert_eq!(contents(&store).await, []);
    }

    #[tokio::test]
    async fn damaged_lines_are_named_and_left_out() {
        let store = new_store();
        let file = format!("{}\n\n{{\"trace_id\":\n\u{0}\n{}\n{{}}", trace_line(0), trace_line(1));
        let counts = import(&store, file.as_bytes()).await;
        let lines: Vec<u64> = counts.damaged.iter().map(|(line, _)| *line).collect();
        assert_eq!((counts.traces, counts.spans, lines), (2, 4, vec![3, 4, 6]));
        assert_eq!(contents(&store).await.len(), 2);
    }

    #[derive(Clone, Copy, Debug)]
    enum Damage {
        Flip(u8),
        Cut,
        Insert(u8),
    }

    fn damage() -> impl Strategy<Value = Damage> {
        prop_oneof![(1_u8..).prop_map(Damage::Flip), Just(Damage::Cut), any::<u8>().prop_map(Damage::Insert)]
    }

    proptest! {
        #![proptest_config(ProptestConfig::with_cases(200))]
        #[test]
        fn damage_to_a_line_leaves_the_others_as_they_were(damage in damage(), at in any::<prop::sample::Index>()) {
            let (before, after) = (trace_line(0), trace_line(2));
            let mut line = trace_line(1).into_bytes();
            let at = at.index(line.len());
            match damage {
                Damage::Flip(bits) => line[at] ^= bits,
                Damage::Cut => line.truncate(at),
                Damage::Insert(byte) => line.insert(at, byte),
            }
            let file = [before.as_bytes(), &line, after.as_bytes()].join(&b'\n');
            let runtime = tokio::runtime::Builder::new_current_thread().build().unwrap();
            let intact = runtime.block_on(async {
                let store = new_store();
                import(&store, &file).await;
                let workspace = store.workspace("default").await.unwrap().unwrap().id;
                let mut intact = Vec::new();
                for number in [0, 2] {
                    let id = TraceId::new(format!("trace-{number}"));
                    let trace = store.trace(workspace, id).await.unwrap();
                    intact.push(trace.map(|trace| trace.spans.len()));
                }
                intact
            });
            // Damage may turn a span of line 1 into one of another trace, which adds to it at most.
            prop_assert!(intact.iter().all(|spans| spans.is_some_and(|spans| spans >= 2)));
        }
    }
}
