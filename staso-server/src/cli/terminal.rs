use std::io::{self, BufWriter, IsTerminal as _, StdoutLock, Write};

use serde::Serialize;
use staso_runtime::export::console::Style;

use super::{Failure, data::variable, table::Table};

/// Standard output, and what is known of who reads it.
pub(super) struct Terminal {
    out: BufWriter<StdoutLock<'static>>,
    /// How pictures may look.
    pub(super) style: Style,
}

impl Terminal {
    /// Files and pipes get long lines.
    const UNLIMITED: usize = 1_000;

    pub(super) fn of_process() -> Self {
        let out = io::stdout().lock();
        let detected = Style::detect(out.is_terminal(), variable);
        let columns = rustix::termios::tcgetwinsize(&out).ok().map(|size| usize::from(size.ws_col));
        let width = match columns {
            _ if variable("COLUMNS").is_some() => detected.width,
            Some(columns) if columns > 0 => columns,
            Some(_) => detected.width,
            None => Self::UNLIMITED,
        };
        Self { style: Style { width, ..detected }, out: BufWriter::new(out) }
    }

    /// As much of an identifier as `staso show` needs; all of it for programs.
    pub(super) fn short(&self, id: &str) -> String {
        match self.style.width {
            Self::UNLIMITED.. => id.to_owned(),
            _ => id.chars().take(13).collect(),
        }
    }

    /// Says what went wrong on standard error. Nobody is left to tell when that fails.
    pub(super) fn report(&mut self, failure: &Failure) {
        let _ = self.out.flush();
        if let Some(message) = failure.message() {
            let _ = writeln!(io::stderr(), "error: {message}");
        }
    }

    /// Says something beside the output, on standard error.
    pub(super) fn note(&mut self, text: &str) -> io::Result<()> {
        self.out.flush()?;
        writeln!(io::stderr(), "{text}")
    }

    pub(super) fn table<const N: usize>(&mut self, table: &Table<N>) -> Result<(), Failure> {
        Ok(self.out.write_all(table.draw(&self.style).as_bytes())?)
    }

    /// Prints one JSON document, indented.
    pub(super) fn json(&mut self, value: &impl Serialize) -> Result<(), Failure> {
        serde_json::to_writer_pretty(&mut self.out, value).map_err(io::Error::from)?;
        Ok(writeln!(self.out)?)
    }
}

impl Write for Terminal {
    fn write(&mut self, bytes: &[u8]) -> io::Result<usize> {
        self.out.write(bytes)
    }

    fn flush(&mut self) -> io::Result<()> {
        self.out.flush()
    }
}
