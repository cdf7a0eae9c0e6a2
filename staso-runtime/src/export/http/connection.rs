//! Connections that hear an answer which comes before the request was sent whole.
//!
//! A backend that refuses a request by its head answers at once. It may then close, or never read the
//! rest: a client that only writes sees a broken pipe, or waits for ever, and misses the answer. Here a
//! write looks for a refusal between its pieces and after a failure; what is left of the request is then
//! dropped, and the answer is read as ever.

use std::{
    fmt,
    io::{self, ErrorKind, Read as _, Write as _},
    net::{SocketAddr, TcpStream},
    sync::{
        Arc, Weak,
        atomic::{AtomicBool, Ordering},
    },
    time::Duration,
};

use ureq::{
    Error,
    unversioned::transport::{
        Buffers, ConnectionDetails, Connector, Either, LazyBuffers, NextTimeout, ShutdownHandle, Transport,
        time::Instant,
    },
};

/// A peer that takes nothing in for this long may have answered meanwhile.
const STALL: Duration = Duration::from_millis(100);

/// The shortest wait for one of several addresses.
const LEAST_CONNECT: Duration = Duration::from_millis(10);

/// Whether the last request was cut short.
#[derive(Clone, Debug, Default)]
pub(super) struct CutShort(Arc<AtomicBool>);

impl CutShort {
    // Relaxed, in all three: one thread sends a request and reads its answer.
    pub(super) fn reset(&self) {
        self.0.store(false, Ordering::Relaxed);
    }

    fn set(&self) {
        self.0.store(true, Ordering::Relaxed);
    }

    pub(super) fn get(&self) -> bool {
        self.0.load(Ordering::Relaxed)
    }
}

/// Opens connections over TCP, below TLS and behind the tunnel through a proxy.
#[derive(Debug, Default)]
pub(super) struct TcpConnector {
    pub(super) cut_short: CutShort,
}

impl<In: Transport> Connector<In> for TcpConnector {
    type Out = Either<In, Connection>;

    fn connect(
        &self,
        details: &ConnectionDetails<'_>,
        tunnel: Option<In>,
    ) -> Result<Option<Self::Out>, Error> {
        if tunnel.is_some() {
            return Ok(tunnel.map(Either::A));
        }
        let stream = Arc::new(connect(details)?);
        stream.set_nodelay(true)?;
        let shutdown: Weak<dyn ShutdownHandle> = Arc::<TcpStream>::downgrade(&stream);
        (details.register_shutdown)(shutdown)?;
        Ok(Some(Either::B(Connection {
            stream,
            buffers: LazyBuffers::new(
                details.config.input_buffer_size(),
                details.config.output_buffer_size(),
            ),
            now: Arc::clone(&details.current_time),
            cut_short: self.cut_short.clone(),
            is_cut: false,
            broken: None,
        })))
    }
}

/// The first address that answers. Each has half of the time that is left, the last one all of it.
fn connect(details: &ConnectionDetails<'_>) -> Result<TcpStream, Error> {
    let addresses: &[SocketAddr] = &details.addrs;
    let mut left = details.timeout.not_zero().map(|left| *left);
    let mut failure = Error::ConnectionFailed;
    for (index, address) in addresses.iter().enumerate() {
        let is_last = index + 1 == addresses.len();
        let wait = left.map(|left| if is_last { left } else { left / 2 }.max(LEAST_CONNECT));
        let stream = match wait {
            Some(wait) => TcpStream::connect_timeout(address, wait),
            None => TcpStream::connect(address),
        };
        failure = match stream {
            Ok(stream) => return Ok(stream),
            Err(error) if is_timeout(&error) => {
                left = left.zip(wait).map(|(left, wait)| left.saturating_sub(wait));
                Error::Timeout(details.timeout.reason)
            }
            Err(error) => Error::Io(error),
        };
    }
    Err(failure)
}

/// A connection to the backend or to a proxy.
pub(super) struct Connection {
    stream: Arc<TcpStream>,
    buffers: LazyBuffers,
    now: Arc<dyn Fn() -> Instant + Send + Sync>,
    cut_short: CutShort,
    /// What is still to be sent of the request is dropped.
    is_cut: bool,
    /// Why, unless it is the peer's answer.
    broken: Option<io::Error>,
}

impl Connection {
    fn cut(&mut self, broken: Option<io::Error>) {
        self.is_cut = true;
        self.broken = broken;
        self.cut_short.set();
    }

    /// Sends the first bytes of the output.
    fn send(&mut self, amount: usize, timeout: NextTimeout) -> Result<Sent, Error> {
        let deadline = Deadline::new(timeout, &*self.now);
        let mut rest = self.buffers.output().get(..amount).unwrap_or_default();
        while !rest.is_empty() {
            if is_refused(&self.stream) {
                return Ok(Sent::Refused);
            }
            let left = deadline.left(&*self.now)?;
            set_timeout(self.stream.set_write_timeout(Some(left.map_or(STALL, |left| left.min(STALL)))))?;
            match (&*self.stream).write(rest) {
                Ok(0) => return Ok(Sent::Broken(ErrorKind::WriteZero.into())),
                Ok(written) => rest = rest.get(written..).unwrap_or_default(),
                Err(error) if is_timeout(&error) || error.kind() == ErrorKind::Interrupted => {}
                Err(error) => return Ok(Sent::Broken(error)),
            }
        }
        Ok(Sent::Whole)
    }

    fn receive(&mut self, timeout: NextTimeout) -> Result<usize, Error> {
        let deadline = Deadline::new(timeout, &*self.now);
        loop {
            let left = deadline.left(&*self.now)?;
            set_timeout(self.stream.set_read_timeout(left))?;
            match (&*self.stream).read(self.buffers.input_append_buf()) {
                Ok(amount) => return Ok(amount),
                Err(error) if error.kind() == ErrorKind::Interrupted => {}
                Err(error) if is_timeout(&error) => return Err(Error::Timeout(timeout.reason)),
                Err(error) => return Err(Error::Io(error)),
            }
        }
    }
}

/// What came of sending a piece of a request.
enum Sent {
    Whole,
    /// The peer has refused the request before it was sent.
    Refused,
    Broken(io::Error),
}

impl Transport for Connection {
    fn buffers(&mut self) -> &mut dyn Buffers {
        &mut self.buffers
    }

    fn transmit_output(&mut self, amount: usize, timeout: NextTimeout) -> Result<(), Error> {
        if !self.is_cut {
            match self.send(amount, timeout.for_write())? {
                Sent::Whole => {}
                Sent::Refused => self.cut(None),
                Sent::Broken(error) => self.cut(Some(error)),
            }
        }
        Ok(())
    }

    fn await_input(&mut self, timeout: NextTimeout) -> Result<bool, Error> {
        match (self.receive(timeout.for_read()), self.broken.take()) {
            // Nobody has said why it broke.
            (Ok(0) | Err(_), Some(broken)) => Err(Error::Io(broken)),
            (Ok(amount), broken) => {
                self.broken = broken;
                self.buffers.input_appended(amount);
                Ok(amount > 0)
            }
            (Err(error), None) => Err(error),
        }
    }

    fn is_open(&mut self) -> bool {
        let nothing_came = peek(&self.stream, &mut [0]).is_ok_and(|peeked| peeked.is_none());
        nothing_came && !self.is_cut
    }
}

impl fmt::Debug for Connection {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Connection").field("peer", &self.stream.peer_addr().ok()).finish_non_exhaustive()
    }
}

/// Whether what came is an answer that refuses the request. Under TLS that cannot be seen.
fn is_refused(stream: &TcpStream) -> bool {
    let mut head = [0; 10];
    // An error is the next write's.
    let Ok(Some(read)) = peek(stream, &mut head) else { return false };
    // `HTTP/1.1 413`: what begins with 1 or 2 is no refusal.
    read == head.len() && head.starts_with(b"HTTP/1.") && matches!(head, [.., b'3'..=b'9'])
}

/// Looks at what came, without taking it or waiting for it. `None` when nothing did.
fn peek(stream: &TcpStream, bytes: &mut [u8]) -> io::Result<Option<usize>> {
    stream.set_nonblocking(true)?;
    let peeked = stream.peek(bytes);
    stream.set_nonblocking(false)?;
    match peeked {
        Ok(amount) => Ok(Some(amount)),
        Err(error) if error.kind() == ErrorKind::WouldBlock => Ok(None),
        Err(error) => Err(error),
    }
}

/// When a call has to end.
struct Deadline {
    started: Instant,
    timeout: NextTimeout,
}

impl Deadline {
    fn new(timeout: NextTimeout, now: &dyn Fn() -> Instant) -> Self {
        Self { started: now(), timeout }
    }

    /// The time until then. `None` when there is no end.
    fn left(&self, now: &dyn Fn() -> Instant) -> Result<Option<Duration>, Error> {
        if self.timeout.after.is_not_happening() {
            return Ok(None);
        }
        let elapsed = match (self.started, now()) {
            (Instant::Exact(started), Instant::Exact(now)) => now.saturating_duration_since(started),
            _ => Duration::ZERO,
        };
        let left = self.timeout.after.saturating_sub(elapsed);
        if left.is_zero() { Err(Error::Timeout(self.timeout.reason)) } else { Ok(Some(left)) }
    }
}

fn is_timeout(error: &io::Error) -> bool {
    matches!(error.kind(), ErrorKind::WouldBlock | ErrorKind::TimedOut)
}

/// macOS refuses to set a timeout once the peer has closed; what it said can still be read.
fn set_timeout(outcome: io::Result<()>) -> io::Result<()> {
    outcome.or_else(|error| if error.kind() == ErrorKind::InvalidInput { Ok(()) } else { Err(error) })
}
