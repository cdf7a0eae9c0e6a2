use std::{
    fs::{File, OpenOptions},
    io::{self, Read as _, Seek as _, SeekFrom, Write},
    path::{Path, PathBuf},
};

use serde_json::{Value, json};

use super::{Batch, Export, ExportError, FailureKind};
use crate::{
    annotation::{Annotation, AnnotationValue},
    encode::write_trace,
};

/// Appends JSON lines: the spans of one trace in one batch, or one annotation, a line.
///
/// Several processes may append to one file, except on network file systems, where appends can mix.
pub(crate) struct FileExporter<W = File> {
    lines: Lines<W>,
    path: PathBuf,
}

impl FileExporter {
    /// Opens the file, or creates it for nobody but its owner: spans carry user data.
    ///
    /// # Errors
    ///
    /// When the file cannot be opened for appending; the error names it.
    pub(crate) fn open(path: impl Into<PathBuf>) -> io::Result<Self> {
        let path = path.into();
        match append_to(&path) {
            Ok(file) => Ok(Self { lines: Lines::new(file, ends_torn(&path)), path }),
            Err(error) => {
                let text = format!("{} cannot be opened for appending: {error}", path.display());
                Err(io::Error::new(error.kind(), text))
            }
        }
    }
}

impl<W: Durable> FileExporter<W> {
    fn failed(&self, error: &io::Error) -> ExportError {
        ExportError::new(FailureKind::Io, format!("{} could not be written: {error}", self.path.display()))
    }
}

impl<W: Durable + Send + 'static> Export for FileExporter<W> {
    /// A line that fails does not keep later ones from being tried, but fails the batch. It is not tried
    /// again: the lines that were written would be doubled.
    fn export(&mut self, batch: &Batch) -> Result<(), ExportError> {
        let mut written = Ok(());
        for group in batch.traces() {
            written = written.and(self.lines.append(|line| write_trace(&group, line)));
        }
        written.map_err(|error| self.failed(&error))
    }

    fn annotate(&mut self, annotation: &Annotation) -> Result<(), ExportError> {
        let json = annotation_json(annotation).to_string();
        self.lines.append(|line| line.extend_from_slice(json.as_bytes())).map_err(|error| self.failed(&error))
    }

    fn flush(&mut self) -> Result<(), ExportError> {
        self.lines.writer.sync().map_err(|error| self.failed(&error))
    }
}

fn append_to(path: &Path) -> io::Result<File> {
    let mut options = OpenOptions::new();
    options.append(true).create(true);
    #[cfg(unix)]
    std::os::unix::fs::OpenOptionsExt::mode(&mut options, 0o600);
    options.open(path)
}

/// Whether the file ends within a line: the process that wrote it was killed, or its disk was full.
fn ends_torn(path: &Path) -> bool {
    // Reading a pipe would wait for its writer.
    if !path.is_file() {
        return false;
    }
    let last_byte = || {
        let mut file = File::open(path)?;
        file.seek(SeekFrom::End(-1))?;
        let mut last = [0];
        file.read_exact(&mut last)?;
        io::Result::Ok(last)
    };
    last_byte().is_ok_and(|last| last != *b"\n")
}

/// Where lines go.
pub(crate) trait Durable: Write {
    /// Waits until what was written would survive a crash of the machine.
    fn sync(&mut self) -> io::Result<()> {
        self.flush()
    }
}

impl Durable for File {
    fn sync(&mut self) -> io::Result<()> {
        match self.sync_data() {
            // Terminals, pipes and /dev/null keep nothing.
            Err(error) if error.kind() == io::ErrorKind::InvalidInput => Ok(()),
            synced => synced,
        }
    }
}

/// Appends whole lines, each with one write: a file opened for appending keeps those of several
/// processes apart.
struct Lines<W> {
    writer: W,
    buffer: Vec<u8>,
    /// Whether the last line has no end.
    torn: bool,
}

impl<W: Write> Lines<W> {
    /// What one large line may leave allocated.
    const KEPT_BUFFER: usize = 1 << 20;

    fn new(writer: W, torn: bool) -> Self {
        Self { writer, buffer: Vec::new(), torn }
    }

    fn append(&mut self, fill: impl FnOnce(&mut Vec<u8>)) -> io::Result<()> {
        self.buffer.clear();
        if self.torn {
            self.buffer.push(b'\n');
        }
        fill(&mut self.buffer);
        self.buffer.push(b'\n');
        let written = self.write_once();
        self.buffer.shrink_to(Self::KEPT_BUFFER);
        written
    }

    fn write_once(&mut self) -> io::Result<()> {
        let written = loop {
            match self.writer.write(&self.buffer) {
                Err(error) if error.kind() == io::ErrorKind::Interrupted => {}
                written => break written?,
            }
        };
        if let Some(last) = self.buffer.iter().take(written).next_back() {
            self.torn = *last != b'\n';
        }
        if written == self.buffer.len() {
            return Ok(());
        }
        // A second write for the rest could land behind another process's line.
        let text = format!("only {written} of {} bytes of a line fit; is the disk full?", self.buffer.len());
        Err(io::Error::new(io::ErrorKind::WriteZero, text))
    }
}

/// The body that the ingest API takes for an annotation, and the trace that its path would name.
fn annotation_json(annotation: &Annotation) -> Value {
    let value = match annotation.value() {
        AnnotationValue::Integer(value) => json!(value),
        AnnotationValue::Number(value) => json!(value),
        AnnotationValue::Category(value) => json!(value),
        AnnotationValue::Boolean(value) => json!(value),
    };
    let mut body = json!({
        "name": annotation.name(),
        "value": value,
        "data_type": annotation.value().data_type(),
    });
    if let Value::Object(body) = &mut body {
        body.extend(annotation.span_id().map(|span_id| ("span_id".to_owned(), json!(span_id))));
        body.extend(annotation.comment_text().map(|comment| ("comment".to_owned(), json!(comment))));
    }
    json!({ "trace_id": annotation.trace_id(), "annotation": body })
}

#[cfg(test)]
mod tests {
    use std::thread;

    use super::*;
    use crate::export::{
        Retry,
        console::fixture::{agent, trace_id},
    };

    /// Takes so many bytes, then fails, until it is given more room.
    #[derive(Default)]
    struct Disk {
        bytes: Vec<u8>,
        room: usize,
        writes: usize,
    }

    impl Write for Disk {
        fn write(&mut self, bytes: &[u8]) -> io::Result<usize> {
            self.writes += 1;
            let fitting = bytes.len().min(self.room);
            if fitting == 0 {
                return Err(io::ErrorKind::StorageFull.into());
            }
            self.room -= fitting;
            self.bytes.extend(bytes.iter().take(fitting));
            Ok(fitting)
        }

        fn flush(&mut self) -> io::Result<()> {
            Ok(())
        }
    }

    impl Durable for Disk {}

    /// A path that nobody else uses; removed with its folder when it is dropped.
    struct Scratch(tempfile::TempDir);

    impl Scratch {
        fn new() -> Self {
            Self(tempfile::tempdir().unwrap())
        }

        fn path(&self) -> PathBuf {
            self.0.path().join("spans.jsonl")
        }

        fn text(&self) -> String {
            std::fs::read_to_string(self.path()).unwrap()
        }
    }

    fn on(disk: Disk) -> FileExporter<Disk> {
        FileExporter { lines: Lines::new(disk, false), path: "spans.jsonl".into() }
    }

    fn batch(traces: impl IntoIterator<Item = u128>) -> Batch {
        let spans = traces.into_iter().map(|id| agent("a").trace(id).record()).collect();
        Batch::new("key".to_owned(), spans)
    }

    /// What the encoder makes of one trace of [`batch`].
    fn line(trace: u128) -> String {
        let mut line = Vec::new();
        write_trace(&batch([trace]).traces()[0], &mut line);
        String::from_utf8(line).unwrap()
    }

    #[test]
    fn each_trace_of_a_batch_is_one_line_in_one_write() {
        let mut exporter = on(Disk { room: 1 << 20, ..Disk::default() });
        exporter.export(&batch([1, 2])).unwrap();
        let disk = &exporter.lines.writer;
        assert_eq!(str::from_utf8(&disk.bytes).unwrap(), format!("{}\n{}\n", line(1), line(2)));
        assert_eq!(disk.writes, 2);
    }

    #[test]
    fn a_full_disk_fails_the_batch_and_a_torn_line_is_closed_off_once_there_is_room() {
        let torn = 7;
        let mut exporter = on(Disk { room: line(1).len() + 1 + torn, ..Disk::default() });
        let error = exporter.export(&batch([1, 2])).unwrap_err();
        assert_eq!((error.kind(), error.retry_advice()), (FailureKind::Io, Retry::Never));
        assert!(error.message().starts_with("spans.jsonl could not be written: only 7 of "), "{error}");
        exporter.export(&batch([3])).unwrap_err();
        exporter.lines.writer.room = 1 << 20;
        exporter.export(&batch([4, 5])).unwrap();
        let expected = format!("{}\n{}\n{}\n{}\n", line(1), &line(2)[..torn], line(4), line(5));
        assert_eq!(str::from_utf8(&exporter.lines.writer.bytes).unwrap(), expected);
    }

    proptest::proptest! {
        #[test]
        fn whatever_the_room_every_line_reported_as_written_is_whole(
            percents_of_a_line in proptest::collection::vec(0_usize..200, 1..20),
        ) {
            let mut exporter = on(Disk::default());
            let mut written = Vec::new();
            for (percent, trace) in percents_of_a_line.into_iter().zip(1..) {
                exporter.lines.writer.room = line(1).len() * percent / 100;
                if exporter.export(&batch([trace])).is_ok() {
                    written.push(line(trace));
                }
            }
            let text = String::from_utf8(exporter.lines.writer.bytes.clone()).unwrap();
            for line in written {
                proptest::prop_assert!(text.lines().any(|found| found == line), "{text:?} lacks {line:?}");
            }
        }
    }

    #[cfg(target_os = "linux")]
    #[test]
    fn a_device_that_is_always_full_fails_every_batch_and_nothing_else() {
        let mut exporter = FileExporter::open("/dev/full").unwrap();
        for _ in 0..2 {
            let error = exporter.export(&batch([1])).unwrap_err();
            assert_eq!(error.kind(), FailureKind::Io);
            assert!(error.message().starts_with("/dev/full could not be written: "), "{error}");
        }
        exporter.flush().unwrap();
    }

    #[test]
    fn a_path_that_cannot_be_opened_is_named() {
        let path = Scratch::new().path().join("spans.jsonl");
        let error = FileExporter::open(&path).err().unwrap();
        assert_eq!(error.kind(), io::ErrorKind::NotFound);
        assert!(error.to_string().starts_with(&format!("{} cannot be opened", path.display())), "{error}");
    }

    #[cfg(unix)]
    #[test]
    fn a_new_file_is_its_owners_alone() {
        use std::os::unix::fs::PermissionsExt as _;

        let scratch = Scratch::new();
        drop(FileExporter::open(scratch.path()).unwrap());
        assert_eq!(std::fs::metadata(scratch.path()).unwrap().permissions().mode() & 0o077, 0);
    }

    #[test]
    fn a_file_is_continued_on_a_line_of_its_own() {
        let scratch = Scratch::new();
        std::fs::write(scratch.path(), "{\"trace").unwrap();
        for trace in [1, 2] {
            let mut exporter = FileExporter::open(scratch.path()).unwrap();
            exporter.export(&batch([trace])).unwrap();
            exporter.flush().unwrap();
        }
        assert_eq!(scratch.text(), format!("{{\"trace\n{}\n{}\n", line(1), line(2)));
    }

    #[test]
    fn exporters_that_share_a_file_do_not_mix_their_lines() {
        const EXPORTERS: u128 = 4;
        const LINES: u128 = 200;
        let scratch = Scratch::new();
        thread::scope(|scope| {
            for number in 0..EXPORTERS {
                let mut exporter = FileExporter::open(scratch.path()).unwrap();
                scope.spawn(move || {
                    for trace in 1..=LINES {
                        exporter.export(&batch([number * LINES + trace])).unwrap();
                    }
                });
            }
        });
        let text = scratch.text();
        let mut found: Vec<_> = text.lines().map(str::to_owned).collect();
        let mut expected: Vec<_> = (1..=EXPORTERS * LINES).map(line).collect();
        found.sort_unstable();
        expected.sort_unstable();
        assert_eq!(found, expected);
    }

    #[test]
    fn an_annotation_is_a_line_too() {
        let mut exporter = on(Disk { room: 1 << 20, ..Disk::default() });
        let annotation = Annotation::new("helpfulness", 0.9).comment("one turn").on(trace_id(1), None);
        exporter.annotate(&annotation).unwrap();
        let line = exporter.lines.writer.bytes.strip_suffix(b"\n").unwrap();
        assert_eq!(
            serde_json::from_slice::<Value>(line).unwrap(),
            json!({
                "trace_id": "00000000-0000-0000-0000-000000000001",
                "annotation": {
                    "name": "helpfulness", "value": 0.9, "data_type": "numeric", "comment": "one turn",
                },
            })
        );
    }
}
