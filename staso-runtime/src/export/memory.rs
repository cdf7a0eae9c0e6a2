use std::sync::{Arc, Mutex, PoisonError};

use super::{Batch, Export, ExportError};
use crate::{annotation::Annotation, record::SpanRecord};

/// Keeps every span and annotation in memory, without a limit: for tests and short programs.
///
/// Clones share what they keep.
#[derive(Clone, Debug, Default)]
pub struct MemoryExporter {
    kept: Arc<Mutex<Kept>>,
}

#[derive(Debug, Default)]
struct Kept {
    spans: Vec<SpanRecord>,
    annotations: Vec<Annotation>,
}

impl MemoryExporter {
    /// An empty one.
    #[must_use]
    pub fn new() -> Self {
        Self::default()
    }

    /// What has been delivered so far, announcements of running roots included. Flush first.
    #[must_use]
    pub fn spans(&self) -> Vec<SpanRecord> {
        self.kept.lock().unwrap_or_else(PoisonError::into_inner).spans.clone()
    }

    /// The annotations delivered so far.
    #[must_use]
    pub fn annotations(&self) -> Vec<Annotation> {
        self.kept.lock().unwrap_or_else(PoisonError::into_inner).annotations.clone()
    }
}

impl Export for MemoryExporter {
    fn export(&mut self, batch: &Batch) -> Result<(), ExportError> {
        let mut kept = self.kept.lock().unwrap_or_else(PoisonError::into_inner);
        kept.spans.extend_from_slice(batch.spans());
        Ok(())
    }

    fn annotate(&mut self, annotation: &Annotation) -> Result<(), ExportError> {
        let mut kept = self.kept.lock().unwrap_or_else(PoisonError::into_inner);
        kept.annotations.push(annotation.clone());
        Ok(())
    }
}
