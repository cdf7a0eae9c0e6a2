use std::any::type_name;

use serde::{Serialize, de::IgnoredAny};

use super::{
    super::{
        limits::StackGuard,
        text::{Fault, Sink, TOO_DEEP, needs_escape, write_escaped},
    },
    close::close_brackets,
    error::{Error, Reason},
    serializer::Serializer,
};

/// Room for the mark of a string that is cut, and its quotes.
const CUT_MARK_BYTES: usize = 40;
/// Longest mark of a value that failed, in a capture that has less room left.
const MARK_BYTES: usize = 256;

/// Where a captured value is written, and how much of it still may be.
///
/// **Invariant:** once stopped, nothing more is written, and all that is written only lacks brackets.
pub(super) struct Writer<'a> {
    pub(super) out: &'a mut Vec<u8>,
    /// Length of `out` from which on no further element is begun; 0 once one was left out.
    end: usize,
    pub(super) stack: StackGuard,
}

impl<'a> Writer<'a> {
    #[inline]
    pub(super) fn new(out: &'a mut Vec<u8>, bytes: usize, stack: StackGuard) -> Self {
        let end = out.len().saturating_add(bytes.max(1));
        Self { out, end, stack }
    }

    /// Writes a value inside another. One that fails or is too deep becomes a mark.
    ///
    /// # Errors
    ///
    /// Only once stopped.
    #[inline]
    pub(super) fn value<T: Serialize + ?Sized>(&mut self, value: &T, depth: u16) -> Result<(), Error> {
        let start = self.len();
        match value.serialize(Serializer::new(self, depth)) {
            Ok(()) => Ok(()),
            Err(error) => self.contain(error, start, type_name::<T>()),
        }
    }

    #[inline]
    pub(super) fn string(&mut self, text: &str) {
        if text.len() < self.room() && !needs_escape(text.as_bytes()) {
            self.out.reserve(text.len() + 2);
            self.out.push(b'"');
            self.out.extend_from_slice(text.as_bytes());
            self.out.push(b'"');
        } else {
            self.escaped(text);
        }
    }

    #[inline(never)]
    fn escaped(&mut self, text: &str) {
        let room = self.room();
        self.out.reserve(text.len().min(room) + CUT_MARK_BYTES);
        self.out.push(b'"');
        let left = write_escaped(text, room, self.out);
        if left > 0 {
            self.out.extend_from_slice(format!("… [cut {left} bytes]").as_bytes());
        }
        self.out.push(b'"');
    }

    /// Writes the text of a `Display` as a string.
    pub(super) fn display(&mut self, text: std::fmt::Arguments<'_>) -> Result<(), Fault> {
        let room = self.room();
        self.out.push(b'"');
        Sink::new(self.out, room, self.stack).fill(text)?;
        self.out.push(b'"');
        Ok(())
    }

    /// Replaces what was written of a value from `start` on by the reason why it ends there.
    #[cold]
    pub(super) fn contain(&mut self, error: Error, start: usize, type_name: &str) -> Result<(), Error> {
        if self.is_stopped() {
            return Err(error);
        }
        self.out.truncate(start);
        match error.into_reason() {
            Reason::Failed(message) => self.mark(&Fault::Failed(message).mark(type_name, "serialize")),
            Reason::Stopped | Reason::TooDeep => self.mark(TOO_DEEP),
        }
        Ok(())
    }

    /// Makes one valid value of what was written since `start`.
    #[cold]
    pub(super) fn repair(
        &mut self,
        start: usize,
        written: Result<Result<(), Error>, String>,
        type_name: &str,
    ) {
        if self.is_stopped() {
            close_brackets(self.out, start);
            return;
        }
        match written {
            Ok(Ok(())) => {}
            Ok(Err(error)) => _ = self.contain(error, start, type_name),
            Err(panic) => {
                self.out.truncate(start);
                self.mark(&Fault::Panicked(panic).mark(type_name, "serialize"));
            }
        }
    }

    /// Makes JSON of a string that holds JSON, if it does.
    #[cold]
    pub(super) fn unquote(&mut self, start: usize) {
        let written = self.out.get(start..).unwrap_or_default();
        let Ok(json) = serde_json::from_slice::<String>(written) else { return };
        if serde_json::from_str::<IgnoredAny>(&json).is_ok() {
            self.out.truncate(start);
            self.out.extend_from_slice(json.as_bytes());
        }
    }

    /// Makes a string of what was written since `start`, if it is none.
    #[inline]
    pub(super) fn quote(&mut self, start: usize) {
        match self.out.get(start) {
            Some(b'"') => {}
            Some(b'-' | b'0'..=b'9' | b'a'..=b'z') => {
                self.out.insert(start, b'"');
                self.out.push(b'"');
            }
            _ => {
                let json = self.out.split_off(start);
                self.string(std::str::from_utf8(&json).unwrap_or_default());
            }
        }
    }

    fn mark(&mut self, mark: &str) {
        self.out.push(b'"');
        write_escaped(mark, self.room().max(MARK_BYTES), self.out);
        self.out.push(b'"');
    }

    #[inline]
    pub(super) fn len(&self) -> usize {
        self.out.len()
    }

    #[inline]
    pub(super) fn room(&self) -> usize {
        self.end.saturating_sub(self.len())
    }

    #[inline]
    pub(super) fn is_full(&self) -> bool {
        self.len() >= self.end
    }

    #[inline]
    pub(super) fn is_stopped(&self) -> bool {
        self.end == 0
    }

    pub(super) fn stop(&mut self) {
        self.end = 0;
    }
}
