//! Where spans go: one public trait and the exporters that come with the crate.

mod batch;
mod build;
mod error;
mod exporter;

mod memory;

pub use batch::{Batch, TraceGroup};
pub(crate) use build::build;
pub use error::{ExportError, FailureKind, Retry};
pub use exporter::{Export, Exporter, Interrupt};
pub use memory::MemoryExporter;
