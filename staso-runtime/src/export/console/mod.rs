//! A tree per trace, for people who watch a terminal.

mod escape;
#[cfg(test)]
pub(crate) mod fixture;
mod guides;
mod heading;
mod open_traces;
mod page;
mod payload;
mod render;
mod span_lines;
mod style;
mod tree;
mod units;
mod view;

use std::io::{self, IsTerminal as _, Write};

use self::open_traces::{OpenTraces, Ready};
use super::{Batch, Export, ExportError, FailureKind};
use crate::annotation::Annotation;

pub use self::{
    escape::columns,
    page::Page,
    render::{render, render_as, render_late},
    style::{Ink, Style},
    view::SpanView,
};

/// Prints every trace once its root has ended.
///
/// Spans that come after that are printed when they come; traces whose root has not ended, when the
/// exporter is dropped.
pub(crate) struct ConsoleExporter<W: Write + Send + 'static> {
    writer: W,
    style: Style,
    traces: OpenTraces,
}

impl ConsoleExporter<io::Stderr> {
    /// Prints on standard error. `variable` looks up environment variables, for the [`Style`].
    pub(crate) fn stderr(variable: impl Fn(&'static str) -> Option<String>) -> Self {
        let stderr = io::stderr();
        let style = Style::detect(stderr.is_terminal(), variable);
        Self::new(stderr, style)
    }
}

impl<W: Write + Send + 'static> ConsoleExporter<W> {
    pub(crate) fn new(writer: W, style: Style) -> Self {
        Self { writer, style, traces: OpenTraces::default() }
    }

    /// One write a picture, so that what others print stays outside of it.
    fn print(&mut self, ready: &[Ready]) -> io::Result<()> {
        let mut printed = Ok(());
        for ready in ready {
            let picture = match ready {
                Ready::Trace(spans) => render(spans, &self.style),
                Ready::Late(spans) => render_late(spans, &self.style),
            };
            printed = printed.and(self.writer.write_all(picture.as_bytes()));
        }
        printed
    }
}

impl<W: Write + Send + 'static> Export for ConsoleExporter<W> {
    fn export(&mut self, batch: &Batch) -> Result<(), ExportError> {
        let ready = self.traces.take(batch.spans());
        self.print(&ready).map_err(failed)
    }

    fn annotate(&mut self, annotation: &Annotation) -> Result<(), ExportError> {
        let Some(trace_id) = annotation.trace_id() else { return Ok(()) };
        let text = render::annotation_text(trace_id, annotation, &self.style);
        self.writer.write_all(text.as_bytes()).map_err(failed)
    }

    fn flush(&mut self) -> Result<(), ExportError> {
        self.writer.flush().map_err(failed)
    }
}

impl<W: Write + Send + 'static> Drop for ConsoleExporter<W> {
    fn drop(&mut self) {
        let unfinished = self.traces.take_unfinished();
        // Nobody is left to tell.
        let _ = self.print(&unfinished).and_then(|()| self.writer.flush());
    }
}

fn failed(error: io::Error) -> ExportError {
    ExportError::new(FailureKind::Io, format!("traces could not be printed: {error}"))
}

#[cfg(test)]
mod tests {
    use std::sync::{Arc, Mutex};

    use super::{
        fixture::{Draft, agent, tool},
        *,
    };

    /// What was printed, a text a write.
    #[derive(Clone, Default)]
    struct Terminal {
        writes: Arc<Mutex<Vec<String>>>,
        closed: bool,
    }

    impl Write for Terminal {
        fn write(&mut self, bytes: &[u8]) -> io::Result<usize> {
            if self.closed {
                return Err(io::ErrorKind::BrokenPipe.into());
            }
            self.writes.lock().unwrap().push(String::from_utf8(bytes.to_vec()).unwrap());
            Ok(bytes.len())
        }

        fn flush(&mut self) -> io::Result<()> {
            Ok(())
        }
    }

    impl Terminal {
        fn take(&self) -> Vec<String> {
            std::mem::take(&mut self.writes.lock().unwrap())
        }
    }

    fn on(terminal: &Terminal) -> ConsoleExporter<Terminal> {
        ConsoleExporter::new(terminal.clone(), Style { color: false, width: 100 })
    }

    fn batch<const N: usize>(drafts: [Draft; N]) -> Batch {
        Batch::new("key".to_owned(), drafts.into_iter().map(Draft::record).collect())
    }

    #[test]
    fn a_trace_is_printed_in_one_write_when_its_root_has_ended() {
        let terminal = Terminal::default();
        let mut exporter = on(&terminal);
        exporter.export(&batch([agent("root").provisional()])).unwrap();
        exporter.export(&batch([tool("t").id(2).parent(1)])).unwrap();
        exporter.flush().unwrap();
        assert_eq!(terminal.take(), [""; 0]);
        exporter.export(&batch([agent("root"), tool("u").id(3).parent(1).at(1)])).unwrap();
        assert_eq!(
            terminal.take(),
            ["\
trace 00000000-0000-0000-0000-000000000001 · agent support-bot · 3 spans
 1.00 ms  ● root  agent  ok
 1.00 ms  ├─ ■ t  tool
 1.00 ms  └─ ■ u  tool

"]
        );
        drop(exporter);
        assert_eq!(terminal.take(), [""; 0]);
    }

    #[test]
    fn spans_that_come_after_their_root_are_printed_with_the_name_of_their_trace() {
        let terminal = Terminal::default();
        let mut exporter = on(&terminal);
        exporter.export(&batch([agent("root")])).unwrap();
        terminal.take();
        exporter
            .export(&batch([tool("inner").id(3).parent(2).at(1), tool("outer").id(2).parent(1)]))
            .unwrap();
        assert_eq!(
            terminal.take(),
            ["\
late spans of trace 00000000-0000-0000-0000-000000000001 · agent support-bot · 2 spans
 1.00 ms  ■ outer  tool
 1.00 ms  └─ ■ inner  tool

"]
        );
    }

    #[test]
    fn what_has_not_ended_is_printed_when_the_exporter_goes() {
        let terminal = Terminal::default();
        let mut exporter = on(&terminal);
        exporter.export(&batch([agent("root").provisional(), tool("t").trace(2).id(2).parent(1)])).unwrap();
        drop(exporter);
        assert_eq!(
            terminal.take(),
            [
                "\
unfinished trace 00000000-0000-0000-0000-000000000001 · agent support-bot
       …  ● root  agent  running

",
                "\
unfinished trace 00000000-0000-0000-0000-000000000002 · agent support-bot
 1.00 ms  ■ t  tool

"
            ]
        );
    }

    #[test]
    fn a_broken_pipe_fails_the_batch_and_nothing_else() {
        let mut exporter = on(&Terminal { closed: true, ..Terminal::default() });
        let error = exporter.export(&batch([agent("root")])).unwrap_err();
        assert_eq!(error.to_string(), "io: traces could not be printed: broken pipe");
        exporter.export(&batch([agent("root").trace(2).provisional()])).unwrap();
        drop(exporter);
    }
}
