use std::{
    io::{self, Write},
    mem,
    sync::{Arc, Condvar, Mutex, MutexGuard, PoisonError},
    thread,
    time::Duration,
};

/// So much waits to be written, in bytes. What comes on top is left out, and that is said in its place.
const LIMIT: usize = 4 << 20;

/// Writes on a thread of its own, so that a reader who has stopped reading holds nothing else up.
pub(super) struct Background {
    left_out: &'static str,
    shared: Arc<Shared>,
}

#[derive(Default)]
struct Shared {
    state: Mutex<State>,
    changed: Condvar,
}

#[derive(Default)]
struct State {
    pending: Vec<u8>,
    leaves_out: bool,
    is_writing: bool,
    failure: Option<io::ErrorKind>,
    is_closed: bool,
}

impl Background {
    /// Starts the thread, which opens what it writes to. `left_out` stands in the place of what a reader missed.
    ///
    /// # Errors
    ///
    /// When the system has no thread left.
    pub(super) fn start<W: Write>(
        left_out: &'static str,
        open: impl FnOnce() -> W + Send + 'static,
    ) -> io::Result<Self> {
        let shared = Arc::<Shared>::default();
        let theirs = Arc::clone(&shared);
        let write = move || theirs.write_all(&mut open());
        thread::Builder::new().name("staso-output".to_owned()).spawn(write)?;
        Ok(Self { left_out, shared })
    }

    /// Waits until everything is written, but no longer than that.
    pub(super) fn finish(&self, within: Duration) {
        let state = self.shared.state();
        let is_busy = |state: &mut State| state.is_writing || !state.pending.is_empty();
        drop(self.shared.changed.wait_timeout_while(state, within, is_busy));
    }
}

/// What is written at once stays together. Whether it arrived is told by the next flush, and what comes after a failure
/// is tried all the same, as a full disk passes.
impl Write for &Background {
    fn write(&mut self, bytes: &[u8]) -> io::Result<usize> {
        let mut state = self.shared.state();
        if state.pending.len() + bytes.len() <= LIMIT {
            state.leaves_out = false;
            state.pending.extend_from_slice(bytes);
            self.shared.changed.notify_all();
        } else if !mem::replace(&mut state.leaves_out, true) {
            state.pending.extend_from_slice(self.left_out.as_bytes());
        }
        Ok(bytes.len())
    }

    fn flush(&mut self) -> io::Result<()> {
        self.shared.state().failure.take().map_or(Ok(()), |kind| Err(kind.into()))
    }
}

impl Write for Background {
    fn write(&mut self, bytes: &[u8]) -> io::Result<usize> {
        (&*self).write(bytes)
    }

    fn flush(&mut self) -> io::Result<()> {
        (&*self).flush()
    }
}

impl Drop for Background {
    fn drop(&mut self) {
        self.shared.state().is_closed = true;
        self.shared.changed.notify_all();
    }
}

impl Shared {
    fn state(&self) -> MutexGuard<'_, State> {
        self.state.lock().unwrap_or_else(PoisonError::into_inner)
    }

    fn write_all(&self, out: &mut impl Write) {
        let mut state = self.state();
        while !state.is_closed || !state.pending.is_empty() {
            if state.pending.is_empty() {
                state = self.changed.wait(state).unwrap_or_else(PoisonError::into_inner);
                continue;
            }
            let bytes = mem::take(&mut state.pending);
            state.is_writing = true;
            drop(state);
            let written = out.write_all(&bytes).and_then(|()| out.flush());
            state = self.state();
            state.is_writing = false;
            self.changed.notify_all();
            if let Err(error) = written {
                state.failure = Some(error.kind());
            }
        }
    }
}

#[cfg(test)]
mod tests {
    use std::sync::mpsc;

    use super::*;

    const SOON: Duration = Duration::from_secs(30);
    const LEFT_OUT: &str = "(left out)";

    /// A reader that takes nothing until it is told to, and then everything.
    struct Reader {
        go_on: mpsc::Receiver<()>,
        read: mpsc::Sender<Vec<u8>>,
    }

    impl Write for Reader {
        fn write(&mut self, bytes: &[u8]) -> io::Result<usize> {
            let _ = self.go_on.recv();
            self.read.send(bytes.to_vec()).map_err(|_| io::ErrorKind::BrokenPipe)?;
            Ok(bytes.len())
        }

        fn flush(&mut self) -> io::Result<()> {
            Ok(())
        }
    }

    fn reader() -> (Background, mpsc::Sender<()>, mpsc::Receiver<Vec<u8>>) {
        let (wake, go_on) = mpsc::channel();
        let (read, received) = mpsc::channel();
        (Background::start(LEFT_OUT, move || Reader { go_on, read }).unwrap(), wake, received)
    }

    #[test]
    fn what_is_written_arrives_in_order() {
        let (mut out, wake, received) = reader();
        drop(wake);
        for line in ["one\n", "two\n", "three\n"] {
            out.write_all(line.as_bytes()).unwrap();
        }
        out.finish(SOON);
        assert_eq!(received.try_iter().flatten().collect::<Vec<_>>(), b"one\ntwo\nthree\n");
    }

    #[test]
    fn a_reader_that_stops_holds_nobody_up_and_is_told_what_it_missed() {
        let (mut out, wake, received) = reader();
        let line = [b'x'; 1 << 20];
        for _ in 0..20 {
            out.write_all(&line).unwrap();
        }
        out.finish(Duration::ZERO);
        drop(wake);
        out.finish(SOON);
        let text: Vec<u8> = received.try_iter().flatten().collect();
        assert!(text.ends_with(LEFT_OUT.as_bytes()) && text.len() < 10 << 20, "{}", text.len());
    }

    #[test]
    fn who_writes_to_a_closed_pipe_hears_of_it() {
        let (mut out, wake, received) = reader();
        drop((wake, received));
        out.write_all(b"lost").unwrap();
        out.finish(SOON);
        assert_eq!(out.flush().unwrap_err().kind(), io::ErrorKind::BrokenPipe);
    }

    #[test]
    fn what_is_written_after_a_failure_that_passed_arrives() {
        /// A disk that is full once.
        struct Disk(mpsc::Sender<Vec<u8>>, bool);

        impl Write for Disk {
            fn write(&mut self, bytes: &[u8]) -> io::Result<usize> {
                if mem::take(&mut self.1) {
                    return Err(io::ErrorKind::StorageFull.into());
                }
                self.0.send(bytes.to_vec()).map_err(|_| io::ErrorKind::BrokenPipe)?;
                Ok(bytes.len())
            }

            fn flush(&mut self) -> io::Result<()> {
                Ok(())
            }
        }

        let (written, received) = mpsc::channel();
        let mut out = Background::start(LEFT_OUT, move || Disk(written, true)).unwrap();
        for line in ["lost", "kept"] {
            out.write_all(line.as_bytes()).unwrap();
            out.finish(SOON);
        }
        assert_eq!(received.try_iter().flatten().collect::<Vec<_>>(), b"kept");
        assert_eq!(out.flush().unwrap_err().kind(), io::ErrorKind::StorageFull);
        out.flush().unwrap();
    }
}
