use std::collections::{HashMap, hash_map::Entry};

use super::super::block;
use crate::{
    model::{Batch, IncomingSpan, SpanHead, SpanId, Timestamp, TraceId, WorkspaceId, supersedes},
    store::StoreError,
};

/// Records of about so many bytes are compressed together.
const BLOCK_BYTES: usize = 256 << 10;

/// A batch as the writing thread wants it: everything that costs time is done.
pub(in super::super) struct PreparedBatch {
    /// 0 for a key of the organization.
    pub(super) sender: i64,
    pub(super) key: String,
    pub(super) digest: [u8; 32],
    pub(super) accepted: usize,
    pub(super) received_at: Timestamp,
    pub(super) traces: Vec<PreparedTrace>,
    pub(super) blocks: Vec<Vec<u8>>,
}

/// What came of one trace, at most one version of each span.
pub(super) struct PreparedTrace {
    pub(super) workspace: WorkspaceId,
    pub(super) trace_id: TraceId,
    pub(super) environment: String,
    pub(super) spans: Vec<PreparedSpan>,
}

/// A span, and where its record is among the batch's blocks.
pub(super) struct PreparedSpan {
    pub(super) head: SpanHead,
    pub(super) block: usize,
    pub(super) position: usize,
}

impl PreparedBatch {
    /// What it keeps in memory.
    pub(in super::super) fn bytes(&self) -> usize {
        let spans: usize = self.traces.iter().map(|trace| trace.spans.len()).sum();
        self.blocks.iter().map(Vec::len).sum::<usize>() + spans * size_of::<PreparedSpan>() * 2
    }
}

/// Brings the spans of each trace together and compresses the records.
pub(in super::super) fn prepare(batch: Batch) -> Result<PreparedBatch, StoreError> {
    let mut gathered: Vec<(WorkspaceId, TraceId, String, Vec<IncomingSpan>)> = Vec::new();
    let mut places: HashMap<(WorkspaceId, TraceId), usize> = HashMap::new();
    for trace in batch.traces {
        let place = *places.entry((trace.workspace, trace.trace_id.clone())).or_insert(gathered.len());
        match gathered.get_mut(place) {
            Some((_, _, environment, spans)) => {
                if *environment < trace.environment {
                    *environment = trace.environment;
                }
                spans.extend(trace.spans);
            }
            None => gathered.push((trace.workspace, trace.trace_id, trace.environment, trace.spans)),
        }
    }
    let mut packer = Packer::new(BLOCK_BYTES, block::FAST);
    let mut traces = Vec::with_capacity(gathered.len());
    for (workspace, trace_id, environment, spans) in gathered {
        let spans = one_version_each(spans)
            .into_iter()
            .map(|span| {
                let (block, position) = packer.add(span.record.get())?;
                Ok(PreparedSpan { head: span.head, block, position })
            })
            .collect::<Result<_, StoreError>>()?;
        traces.push(PreparedTrace { workspace, trace_id, environment, spans });
    }
    Ok(PreparedBatch {
        sender: batch.sender.map_or(0, |WorkspaceId(id)| id),
        key: batch.idempotency_key,
        digest: batch.digest,
        accepted: batch.accepted,
        received_at: batch.received_at,
        traces,
        blocks: packer.finish()?,
    })
}

fn one_version_each(spans: Vec<IncomingSpan>) -> Vec<IncomingSpan> {
    let mut kept: Vec<IncomingSpan> = Vec::with_capacity(spans.len());
    let mut places: HashMap<SpanId, usize> = HashMap::with_capacity(spans.len());
    for span in spans {
        match places.entry(span.head.span_id.clone()) {
            Entry::Vacant(place) => {
                place.insert(kept.len());
                kept.push(span);
            }
            Entry::Occupied(place) => {
                if let Some(known) = kept.get_mut(*place.get())
                    && supersedes((&span.head, span.record.get()), (&known.head, known.record.get()))
                {
                    *known = span;
                }
            }
        }
    }
    kept
}

/// Gathers records into blocks.
pub(super) struct Packer {
    bytes: usize,
    level: i32,
    open: block::Builder,
    blocks: Vec<Vec<u8>>,
}

impl Packer {
    /// Blocks of at least so many bytes before compression, but for the last.
    pub(super) fn new(bytes: usize, level: i32) -> Self {
        Self { bytes, level, open: block::Builder::default(), blocks: Vec::new() }
    }

    /// Adds a record. In which block it will be, and where in that.
    pub(super) fn add(&mut self, record: &str) -> Result<(usize, usize), StoreError> {
        if self.open.bytes() >= self.bytes {
            self.blocks.push(std::mem::take(&mut self.open).finish(self.level)?);
        }
        Ok((self.blocks.len(), self.open.push(record)))
    }

    /// All blocks.
    pub(super) fn finish(mut self) -> Result<Vec<Vec<u8>>, StoreError> {
        if self.open.bytes() > 0 {
            self.blocks.push(self.open.finish(self.level)?);
        }
        Ok(self.blocks)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn records_are_where_the_packer_says() {
        let mut packer = Packer::new(10, block::FAST);
        let records = ["{\"a\":1}", "{\"b\":22}", "{}", "{\"c\":3}"];
        let places: Vec<_> = records.iter().map(|record| packer.add(record).unwrap()).collect();
        assert_eq!(places, [(0, 0), (0, 1), (1, 0), (1, 1)]);
        let blocks = packer.finish().unwrap();
        for ((block, position), record) in places.into_iter().zip(records) {
            assert_eq!(block::decode(&blocks[block]).unwrap().get(position), Some(record));
        }
    }
}
