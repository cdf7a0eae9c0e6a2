//! Where spans go: one public trait and the exporters that come with the crate.

mod batch;
mod console;
mod error;
mod exporter;
mod file;
#[cfg(feature = "http")]
mod http;
mod memory;

pub use batch::{Batch, TraceGroup};
pub use error::{ExportError, FailureKind, Retry};
pub use exporter::{Export, Exporter, Interrupt};
pub use memory::MemoryExporter;
