use std::collections::{HashMap, HashSet, VecDeque};

use crate::record::{SpanRecord, TraceId};

/// Spans that wait for the root of their trace to end, up to a size.
#[derive(Debug)]
pub(super) struct OpenTraces {
    open: HashMap<TraceId, OpenTrace>,
    size: usize,
    max_size: usize,
    /// How many traces were opened so far.
    opened: u64,
    finished: Finished,
}

/// Spans of one trace that are to be shown now.
#[derive(Debug)]
pub(super) enum Ready {
    /// Complete, or to be shown though it is not.
    Trace(Vec<SpanRecord>),
    /// What came after the root had ended.
    Late(Vec<SpanRecord>),
}

#[derive(Debug, Default)]
struct OpenTrace {
    number: u64,
    size: usize,
    spans: Vec<SpanRecord>,
}

/// The traces that finished last.
#[derive(Debug, Default)]
struct Finished {
    order: VecDeque<TraceId>,
    known: HashSet<TraceId>,
}

impl Default for OpenTraces {
    /// 16 MiB, that is some 20,000 small spans.
    fn default() -> Self {
        Self::with_max_size(16 << 20)
    }
}

impl OpenTraces {
    pub(super) fn with_max_size(max_size: usize) -> Self {
        Self { open: HashMap::new(), size: 0, max_size, opened: 0, finished: Finished::default() }
    }

    /// Keeps spans. Gives back the traces whose root ended, late spans, and the oldest traces when too
    /// much is kept.
    pub(super) fn take(&mut self, spans: &[SpanRecord]) -> Vec<Ready> {
        let mut ended = Vec::new();
        let mut late: Vec<(TraceId, Vec<SpanRecord>)> = Vec::new();
        for span in spans {
            let trace_id = span.trace_id();
            if !self.finished.contains(trace_id) {
                self.keep(span);
                if span.is_local_root() && !span.is_provisional() {
                    ended.push((trace_id, span.parent_span_id().is_none()));
                }
            } else if let Some((_, group)) = late.iter_mut().find(|(known, _)| *known == trace_id) {
                group.push(span.clone());
            } else if !span.is_provisional() {
                late.push((trace_id, vec![span.clone()]));
            }
        }
        let mut ready = Vec::new();
        for (trace_id, is_whole) in ended {
            // A trace that began elsewhere may come here again.
            if is_whole {
                self.finished.insert(trace_id);
            }
            ready.extend(self.remove(trace_id).map(Ready::Trace));
        }
        ready.extend(late.into_iter().map(|(_, spans)| Ready::Late(spans)));
        while self.size > self.max_size
            && let Some(oldest) = self.oldest()
        {
            ready.extend(self.remove(oldest).map(Ready::Trace));
        }
        ready
    }

    /// Everything that is still kept, oldest first.
    pub(super) fn take_unfinished(&mut self) -> Vec<Ready> {
        self.size = 0;
        let mut traces: Vec<_> = self.open.drain().map(|(_, trace)| trace).collect();
        traces.sort_unstable_by_key(|trace| trace.number);
        traces.into_iter().map(|trace| Ready::Trace(trace.spans)).collect()
    }

    fn keep(&mut self, span: &SpanRecord) {
        let opened = &mut self.opened;
        let trace = self.open.entry(span.trace_id()).or_insert_with(|| {
            *opened += 1;
            OpenTrace { number: *opened, ..OpenTrace::default() }
        });
        let size = size(span);
        trace.size += size;
        self.size += size;
        trace.spans.push(span.clone());
    }

    fn remove(&mut self, trace_id: TraceId) -> Option<Vec<SpanRecord>> {
        let trace = self.open.remove(&trace_id)?;
        self.size -= trace.size;
        Some(trace.spans)
    }

    fn oldest(&self) -> Option<TraceId> {
        self.open.iter().min_by_key(|(_, trace)| trace.number).map(|(trace_id, _)| *trace_id)
    }
}

impl Finished {
    const LIMIT: usize = 1_024;

    fn contains(&self, trace_id: TraceId) -> bool {
        self.known.contains(&trace_id)
    }

    fn insert(&mut self, trace_id: TraceId) {
        if !self.known.insert(trace_id) {
            return;
        }
        self.order.push_back(trace_id);
        if self.order.len() > Self::LIMIT
            && let Some(oldest) = self.order.pop_front()
        {
            self.known.remove(&oldest);
        }
    }
}

/// About what a span takes in memory.
fn size(span: &SpanRecord) -> usize {
    let payloads = [span.input(), span.output()].into_iter().flatten().map(|text| text.len());
    let metadata = span.metadata().map(|(key, json)| key.len() + json.len());
    let message = span.error_message().map(str::len);
    size_of::<SpanRecord>() + payloads.chain(metadata).chain(message).sum::<usize>()
}

#[cfg(test)]
mod tests {
    use super::{
        super::fixture::{agent, tool, trace_id},
        *,
    };

    /// `trace` or `late`, with the trace's number, per picture.
    fn outline(ready: &[Ready]) -> Vec<String> {
        let describe = |ready: &Ready| {
            let (what, spans) = match ready {
                Ready::Trace(spans) => ("trace", spans),
                Ready::Late(spans) => ("late", spans),
            };
            format!("{what} {}: {}", spans[0].trace_id().bits(), spans.len())
        };
        ready.iter().map(describe).collect()
    }

    #[test]
    fn the_oldest_traces_go_when_too_much_is_kept() {
        let span = |trace, id| tool("t").trace(trace).id(id).parent(1).record();
        let mut traces = OpenTraces::with_max_size(3 * size(&span(1, 2)));
        assert_eq!(outline(&traces.take(&[span(1, 2), span(2, 2), span(2, 3)])), [""; 0]);
        assert_eq!(outline(&traces.take(&[span(3, 2)])), ["trace 1: 1"]);
        assert_eq!(outline(&traces.take(&[span(3, 3)])), ["trace 2: 2"]);
        let root = agent("root").trace(3).record();
        assert_eq!(outline(&traces.take(&[root, span(1, 4)])), ["trace 3: 3"]);
        assert_eq!(outline(&traces.take_unfinished()), ["trace 1: 1"]);
        assert_eq!(traces.size, 0);
    }

    #[test]
    fn payloads_count_as_kept() {
        use crate::record::Entry;

        let text = format!("\"{}\"", "x".repeat(1_000));
        let large = tool("t").with(Entry::Output(&text)).record();
        assert!(size(&large) >= size(&tool("t").record()) + 1_000);
    }

    #[test]
    fn an_announcement_that_comes_too_late_is_not_shown() {
        let mut traces = OpenTraces::default();
        assert_eq!(outline(&traces.take(&[agent("root").record()])), ["trace 1: 1"]);
        assert_eq!(outline(&traces.take(&[agent("root").provisional().record()])), [""; 0]);
    }

    #[test]
    fn only_so_many_finished_traces_are_remembered() {
        let mut finished = Finished::default();
        for id in 0..=Finished::LIMIT as u128 {
            finished.insert(trace_id(id + 1));
            finished.insert(trace_id(id + 1));
        }
        assert!(!finished.contains(trace_id(1)));
        assert!(finished.contains(trace_id(2)));
        assert_eq!((finished.order.len(), finished.known.len()), (Finished::LIMIT, Finished::LIMIT));
    }
}
