use std::{fmt, path::PathBuf, sync::Arc};

use super::{Batch, ExportError, MemoryExporter};
use crate::annotation::Annotation;

/// Delivers batches. Implement it to send spans somewhere of your own.
///
/// All calls come from one thread, which is the sender's: they may block, and nothing they call is
/// traced. A panic fails the batch, not the program.
///
/// ```
/// use staso::export::{Batch, Export, ExportError};
///
/// struct Count(usize);
///
/// impl Export for Count {
///     fn export(&mut self, batch: &Batch) -> Result<(), ExportError> {
///         self.0 += batch.spans().len();
///         Ok(())
///     }
/// }
/// ```
pub trait Export: Send + 'static {
    /// Delivers a batch as a whole.
    ///
    /// Announcements of roots that still run come in batches of their own, behind the spans that ended.
    ///
    /// # Errors
    ///
    /// The batch was not delivered. The error says whether the sender tries again, with the same batch.
    fn export(&mut self, batch: &Batch) -> Result<(), ExportError>;

    /// Delivers one score or label.
    ///
    /// # Errors
    ///
    /// The annotation was not delivered. It is not tried again.
    fn annotate(&mut self, annotation: &Annotation) -> Result<(), ExportError> {
        let _ = annotation;
        Ok(())
    }

    /// Called when nothing follows, or a flush asks for everything to be out.
    ///
    /// # Errors
    ///
    /// What was delivered before may be lost; it is logged.
    fn flush(&mut self) -> Result<(), ExportError> {
        Ok(())
    }

    /// What ends a call that blocks, from another thread, when a shutdown runs out of time.
    fn interrupt(&self) -> Option<Interrupt> {
        None
    }
}

/// Ends a blocked [`Export::export`].
pub type Interrupt = Arc<dyn Fn() + Send + Sync>;

/// The choice of where spans go.
pub struct Exporter(pub(crate) Choice);

pub(crate) enum Choice {
    /// Staso's ingest API, or anything that speaks it.
    Http,
    /// A tree per finished trace, on standard error.
    Console,
    /// JSON lines.
    File(PathBuf),
    /// Spans end nowhere.
    None,
    Custom(Box<dyn Export>),
}

impl Exporter {
    /// Staso's ingest API or a backend that speaks it, at the base URL. The default.
    #[must_use]
    pub const fn http() -> Self {
        Self(Choice::Http)
    }

    /// Prints every finished trace as a tree on standard error.
    #[must_use]
    pub const fn console() -> Self {
        Self(Choice::Console)
    }

    /// Appends JSON lines to a file, one trace update a line.
    #[must_use]
    pub fn file(path: impl Into<PathBuf>) -> Self {
        Self(Choice::File(path.into()))
    }

    /// Drops every span: what `STASO_EXPORTER=none` means.
    #[must_use]
    pub const fn none() -> Self {
        Self(Choice::None)
    }

    /// Keeps spans in memory; clone it before you hand it over.
    #[must_use]
    pub fn memory() -> MemoryExporter {
        MemoryExporter::new()
    }

    /// An exporter of your own.
    #[must_use]
    pub fn custom(exporter: impl Export) -> Self {
        Self(Choice::Custom(Box::new(exporter)))
    }
}

impl fmt::Debug for Exporter {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(match &self.0 {
            Choice::Http => "Exporter::http",
            Choice::Console => "Exporter::console",
            Choice::File(_) => "Exporter::file",
            Choice::None => "Exporter::none",
            Choice::Custom(_) => "Exporter::custom",
        })
    }
}

impl From<MemoryExporter> for Exporter {
    fn from(memory: MemoryExporter) -> Self {
        Self::custom(memory)
    }
}
