use std::fmt::{self, Write as _};

use super::{
    super::{guarded::guarded, limits::StackGuard},
    Fault,
    escape::write_escaped,
};

/// Ends a text that is not all there.
const CUT: &str = "… [cut]";
pub(in crate::capture) const TOO_DEEP: &str = "… [too deep]";

/// Takes what a `Debug` or `Display` writes, up to a limit; then it errs, so that an endless one stops.
pub(in crate::capture) struct Sink<'a, B> {
    buffer: &'a mut B,
    /// Length of the buffer up to which text is taken.
    end: usize,
    stack: StackGuard,
    missing: Option<&'static str>,
}

impl<'a, B: Buffer> Sink<'a, B> {
    pub(in crate::capture) fn new(buffer: &'a mut B, room: usize, stack: StackGuard) -> Self {
        let end = buffer.len().saturating_add(room);
        Self { buffer, end, stack, missing: None }
    }

    /// Fills the buffer, with a mark at its end if something is missing.
    ///
    /// # Errors
    ///
    /// The user's code failed or panicked. Nothing was added then.
    pub(in crate::capture) fn fill(mut self, text: fmt::Arguments<'_>) -> Result<(), Fault> {
        let start = self.buffer.len();
        let result = guarded(|| self.write_fmt(text));
        // Whatever the user's code made of our error, the text up to there is good.
        if let Some(mark) = self.missing {
            self.buffer.append(mark, usize::MAX);
            return Ok(());
        }
        let fault = match result {
            Ok(Ok(())) => return Ok(()),
            Ok(Err(fmt::Error)) => Fault::Failed(String::new()),
            Err(message) => Fault::Panicked(message),
        };
        self.buffer.truncate(start);
        Err(fault)
    }
}

impl<B: Buffer> fmt::Write for Sink<'_, B> {
    fn write_str(&mut self, text: &str) -> fmt::Result {
        if self.missing.is_none() {
            if self.stack.is_exceeded() {
                self.missing = Some(TOO_DEEP);
            } else if self.buffer.append(text, self.end.saturating_sub(self.buffer.len())) > 0 {
                self.missing = Some(CUT);
            }
        }
        if self.missing.is_some() { Err(fmt::Error) } else { Ok(()) }
    }
}

/// What a text is appended to.
pub(in crate::capture) trait Buffer {
    fn len(&self) -> usize;
    fn truncate(&mut self, len: usize);
    /// Appends at most `room` bytes, and returns how many bytes of the text were left out.
    fn append(&mut self, text: &str, room: usize) -> usize;
}

/// Plain text.
impl Buffer for String {
    fn len(&self) -> usize {
        self.len()
    }

    fn truncate(&mut self, len: usize) {
        self.truncate(len);
    }

    fn append(&mut self, text: &str, room: usize) -> usize {
        let (text, beyond) = text.split_at(text.floor_char_boundary(room));
        self.push_str(text);
        beyond.len()
    }
}

/// The inside of a JSON string.
impl Buffer for Vec<u8> {
    fn len(&self) -> usize {
        self.len()
    }

    fn truncate(&mut self, len: usize) {
        self.truncate(len);
    }

    fn append(&mut self, text: &str, room: usize) -> usize {
        write_escaped(text, room, self)
    }
}
