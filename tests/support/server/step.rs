use std::{sync::mpsc, time::Duration};

use serde_json::Value;

/// What the server does with one request.
pub enum Step {
    /// Stores it: a complete acknowledgement of a batch with 200, or 201 for an annotation.
    Ack,
    /// A complete acknowledgement with another status and with keys that are added or replaced.
    AckWith { status: u16, extra: Value },
    /// Whatever is given. `Content-Length` is added.
    Reply { status: u16, headers: Vec<(String, String)>, body: Vec<u8> },
    /// A complete acknowledgement; then closes the connection, though the client may keep it for reuse.
    AckThenClose,
    /// Reads the head, then closes.
    ReadHead,
    /// Reads head and body, then closes without an answer.
    ReadBody,
    /// Reads head and body, then resets the connection.
    Reset,
    /// Closes without having read anything, which resets the connection.
    Close,
    /// A complete acknowledgement, a byte every 50 ms until the gate opens; then the rest at once.
    Trickle(Gate),
    /// Reads nothing until the gate opens; then does as [`Ack`](Self::Ack).
    Park(Gate),
    /// Reads head and body, waits for the gate, then does as [`Ack`](Self::Ack).
    Hold(Gate),
    /// A head, and a body without an end.
    Endless,
    /// Answers when it has read the head; once the gate opens it closes, which resets the connection
    /// when something came that it has not read.
    AnswerUnread { status: u16, headers: Vec<(String, String)>, close: Gate },
    /// Does as [`Ack`](Self::Ack) with a body of at most so many bytes. To a larger one it answers 413
    /// when it has read the head, and closes.
    AckUpTo(usize),
}

impl Step {
    /// An answer without headers of its own.
    pub fn reply(status: u16, body: impl Into<Vec<u8>>) -> Self {
        Self::Reply { status, headers: Vec::new(), body: body.into() }
    }

    /// [`AnswerUnread`](Self::AnswerUnread) that closes at once.
    pub fn refuse_unread(status: u16) -> Self {
        Self::AnswerUnread { status, headers: Vec::new(), close: open_gate() }
    }

    /// An answer with one header.
    pub fn reply_with(status: u16, name: &str, value: &str, body: impl Into<Vec<u8>>) -> Self {
        Self::Reply { status, headers: vec![(name.to_owned(), value.to_owned())], body: body.into() }
    }
}

/// Where a step waits until the test lets it go on.
pub struct Gate(mpsc::Receiver<()>);

/// Opens a [`Gate`], at the latest when it is dropped.
pub struct Opener(mpsc::Sender<()>);

/// A closed gate and what opens it.
pub fn gate() -> (Gate, Opener) {
    let (opener, gate) = mpsc::channel();
    (Gate(gate), Opener(opener))
}

/// A gate that was never closed.
pub fn open_gate() -> Gate {
    gate().0
}

impl Gate {
    pub(super) fn wait(&self) {
        let _ = self.0.recv();
    }

    pub(super) fn opens_within(&self, wait: Duration) -> bool {
        !matches!(self.0.recv_timeout(wait), Err(mpsc::RecvTimeoutError::Timeout))
    }
}

impl Opener {
    pub fn open(self) {
        let _ = self.0.send(());
    }
}
