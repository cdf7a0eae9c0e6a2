//! Where spans go: one public trait and the exporters that come with the crate.

#[cfg(feature = "http")]
mod ack;
mod batch;
mod build;
#[doc(hidden)]
pub mod console;
mod error;
mod exporter;
mod file;
#[cfg(feature = "http")]
mod http;
mod memory;

pub use batch::{Batch, TraceGroup};
pub(crate) use build::build;
pub use error::{ExportError, FailureKind, Retry};
pub(crate) use exporter::Choice;
pub use exporter::{Export, Exporter, Interrupt};
#[cfg(feature = "http")]
pub(crate) use http::{ApiKey, HttpExporter, HttpSettings, ProxyChoice, TlsRoots};
pub use memory::MemoryExporter;
