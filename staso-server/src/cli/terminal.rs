use std::{
    io::{self, BufWriter, IsTerminal as _, StdoutLock, Write},
    time::Duration,
};

use serde::Serialize;
use staso_runtime::export::console::{Ink, Page, Style};

use super::{Failure, background::Background, data::variable, table::Table};

/// How long output may take once the command is done.
const FINISH: Duration = Duration::from_secs(1);

const LEFT_OUT: &str = "\n(traces were left out here, as the terminal did not keep up)\n\n";

/// Where output goes.
enum Out {
    Direct(BufWriter<StdoutLock<'static>>),
    Background(BufWriter<Background>),
}

/// Standard output, and what is known of who reads it.
pub(super) struct Terminal {
    out: Out,
    /// How pictures of traces may look: as those of the SDK.
    pub(super) style: Style,
    table_width: usize,
}

impl Terminal {
    /// Tables in files and pipes are as wide as they are.
    const UNLIMITED: usize = 1_000;

    pub(super) fn of_process() -> Self {
        let out = io::stdout().lock();
        let detected = Style::detect(out.is_terminal(), variable);
        let window = rustix::termios::tcgetwinsize(&out).ok().map(|size| usize::from(size.ws_col));
        let width = match window {
            Some(columns) if columns > 0 && variable("COLUMNS").is_none() => columns,
            _ => detected.width,
        };
        let table_width = match window {
            None if variable("COLUMNS").is_none() => Self::UNLIMITED,
            _ => width,
        };
        Self { style: Style { width, ..detected }, table_width, out: Out::Direct(BufWriter::new(out)) }
    }

    /// From now on, output waits in memory for who reads it, and nobody waits for them.
    pub(super) fn in_background(&mut self) -> io::Result<()> {
        self.flush()?;
        // What follows takes the lock, which the old one holds until it is dropped.
        self.out = Out::Background(BufWriter::new(Background::start(LEFT_OUT, || io::stdout().lock())?));
        Ok(())
    }

    /// Writes what is left.
    pub(super) fn finish(&mut self) -> io::Result<()> {
        self.flush()?;
        if let Out::Background(out) = &self.out {
            out.get_ref().finish(FINISH);
        }
        self.flush()
    }

    /// As much of an identifier as `staso show` needs; all of it for programs.
    pub(super) fn short(&self, id: &str) -> String {
        match self.table_width {
            Self::UNLIMITED.. => id.to_owned(),
            _ => id.chars().take(13).collect(),
        }
    }

    /// Says what went wrong on standard error. Nobody is left to tell when that fails.
    pub(super) fn report(&mut self, failure: &Failure) {
        let _ = self.finish();
        if let Some(message) = failure.message() {
            let _ = writeln!(io::stderr(), "error: {}", harmless(message));
        }
    }

    /// Says something beside the output, on standard error.
    pub(super) fn note(&mut self, text: &str) -> io::Result<()> {
        self.flush()?;
        writeln!(io::stderr(), "{}", harmless(text))
    }

    pub(super) fn table<const N: usize>(&mut self, table: &Table<N>) -> Result<(), Failure> {
        Ok(self.write_all(table.draw(&Style { width: self.table_width, ..self.style }).as_bytes())?)
    }

    /// Prints one JSON document, indented. What a terminal would act on is escaped in it, which changes no value.
    pub(super) fn json(&mut self, value: &impl Serialize) -> Result<(), Failure> {
        let document = serde_json::to_string_pretty(value).map_err(io::Error::from)?;
        let mut rest = document.as_str();
        while let Some(at) = rest.find(acts_on_terminals) {
            let (plain, from) = rest.split_at(at);
            self.write_all(plain.as_bytes())?;
            let mut chars = from.chars();
            if let Some(char) = chars.next() {
                write!(self, "\\u{:04x}", u32::from(char))?;
            }
            rest = chars.as_str();
        }
        Ok(writeln!(self, "{rest}")?)
    }
}

impl Write for Terminal {
    fn write(&mut self, bytes: &[u8]) -> io::Result<usize> {
        match &mut self.out {
            Out::Direct(out) => out.write(bytes),
            Out::Background(out) => out.write(bytes),
        }
    }

    fn flush(&mut self) -> io::Result<()> {
        match &mut self.out {
            Out::Direct(out) => out.flush(),
            Out::Background(out) => out.flush(),
        }
    }
}

/// Whether a terminal acts on the character or shows others in another order for it. Line ends are JSON's own; all of
/// these are below U+10000 and, in JSON, only inside of texts.
fn acts_on_terminals(char: char) -> bool {
    let orders = matches!(
        char,
        '\u{61c}' | '\u{200e}' | '\u{200f}' | '\u{202a}'..='\u{202e}' | '\u{2066}'..='\u{2069}'
    );
    let breaks = matches!(char, '\u{2028}' | '\u{2029}' | '\u{feff}');
    orders || breaks || (char.is_control() && char != '\n')
}

/// A message as a terminal may see it: it may quote what a span carries, or a line of a file.
fn harmless(text: &str) -> String {
    let lines = text.split('\n').map(|line| {
        let mut page = Page::new(&Style { color: false, width: usize::MAX });
        page.put(Ink::Plain, line);
        page.into_text()
    });
    lines.collect::<Vec<_>>().join("\n")
}
