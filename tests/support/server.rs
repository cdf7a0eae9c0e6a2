//! A backend that does what a script says, on the loopback interface.
//!
//! ```no_run
//! let server = Server::script([Step::reply(503, ""), Step::Ack]);
//! // … point a client at `server.url()`, record spans, flush …
//! let arrivals = server.wait_for(2);
//! assert_eq!(arrivals[0].key(), arrivals[1].key());
//! assert_eq!(arrivals[0].body, arrivals[1].body);
//! ```
//!
//! A step is taken when the first byte of a request arrives, on whichever connection that is.
//! Whatever comes after the last step is answered with 500, and dropping the server then fails the test:
//! surplus requests cannot go unnoticed. Nothing here sleeps; what has to wait waits for a [`Gate`].

mod arrival;
mod connection;
mod step;

use std::{
    collections::{HashMap, VecDeque},
    net::{Shutdown, SocketAddr, TcpListener, TcpStream},
    sync::{Arc, Condvar, Mutex, MutexGuard, PoisonError},
    thread,
    time::Duration,
};

pub use arrival::{Arrival, spans, traces};
use connection::Connection;
pub use step::{Gate, Opener, Step, gate, open_gate};

/// How long a test may wait before it counts as stuck.
pub const WATCHDOG: Duration = Duration::from_secs(20);

/// The base URL of a port on which nobody listens: connections are refused.
pub fn refused_url() -> String {
    let listener = TcpListener::bind("127.0.0.1:0").expect("a free port");
    format!("http://{}", listener.local_addr().expect("bound"))
}

/// The scripted backend. It serves until it is dropped.
pub struct Server {
    address: SocketAddr,
    shared: Arc<Shared>,
}

struct Shared {
    state: Mutex<State>,
    changed: Condvar,
}

struct State {
    script: VecDeque<Step>,
    /// What an empty script means: acknowledging bodies up to this size for ever. `None` for nothing.
    acknowledging: Option<usize>,
    arrivals: Vec<Arrival>,
    /// How many steps were taken, those beyond the script included.
    taken: usize,
    /// How many requests came after the last step.
    surplus: usize,
    /// How many connections are over.
    ended: usize,
    /// Open connections by number, to end them with the server.
    connections: HashMap<usize, TcpStream>,
    closed: bool,
}

impl Server {
    /// A server that takes these steps, one a request.
    pub fn script(steps: impl IntoIterator<Item = Step>) -> Self {
        Self::start(steps.into_iter().collect(), None)
    }

    /// A server that acknowledges everything for ever.
    pub fn acknowledging() -> Self {
        Self::start(VecDeque::new(), Some(usize::MAX))
    }

    /// A server that acknowledges bodies of at most so many bytes, and refuses larger ones unread.
    pub fn with_limit(bytes: usize) -> Self {
        Self::start(VecDeque::new(), Some(bytes))
    }

    /// A server that takes these steps and acknowledges everything after them.
    pub fn script_then_ack(steps: impl IntoIterator<Item = Step>) -> Self {
        Self::start(steps.into_iter().collect(), Some(usize::MAX))
    }

    fn start(script: VecDeque<Step>, acknowledging: Option<usize>) -> Self {
        let listener = TcpListener::bind("127.0.0.1:0").expect("a free port");
        let address = listener.local_addr().expect("bound");
        let state = State {
            script,
            acknowledging,
            arrivals: Vec::new(),
            taken: 0,
            surplus: 0,
            ended: 0,
            connections: HashMap::new(),
            closed: false,
        };
        let shared = Arc::new(Shared { state: Mutex::new(state), changed: Condvar::new() });
        let accepting = Arc::clone(&shared);
        thread::spawn(move || accept(&listener, &accepting));
        Self { address, shared }
    }

    /// The base URL to give to a client.
    pub fn url(&self) -> String {
        format!("http://{}", self.address)
    }

    /// The requests so far.
    pub fn arrivals(&self) -> Vec<Arrival> {
        self.shared.lock().arrivals.clone()
    }

    /// Waits until at least this many requests have arrived, as far as their steps read them.
    ///
    /// # Panics
    ///
    /// If they do not arrive within the [`WATCHDOG`].
    pub fn wait_for(&self, count: usize) -> Vec<Arrival> {
        self.wait_while(&format!("{count} requests"), |state| state.arrivals.len() < count)
    }

    /// Waits until something that depends on the requests is so; it is asked after each.
    ///
    /// # Panics
    ///
    /// If it is not within the [`WATCHDOG`].
    pub fn wait_until(&self, is_so: impl Fn() -> bool) {
        loop {
            let seen = self.arrivals().len();
            if is_so() {
                return;
            }
            self.wait_for(seen + 1);
        }
    }

    /// Waits until at least this many steps have been taken, also those that read nothing, such as
    /// [`Step::Park`].
    ///
    /// # Panics
    ///
    /// If they are not within the [`WATCHDOG`].
    pub fn wait_for_steps(&self, count: usize) {
        self.wait_while(&format!("{count} steps"), |state| state.taken < count);
    }

    /// Waits until at least this many connections have been closed: after [`Step::AckThenClose`] a client
    /// would otherwise be free to send its next request before it can know.
    ///
    /// # Panics
    ///
    /// If they are not within the [`WATCHDOG`].
    pub fn wait_for_closed(&self, count: usize) {
        self.wait_while(&format!("the end of {count} connections"), |state| state.ended < count);
    }

    fn wait_while(&self, what: &str, is_missing: impl Fn(&State) -> bool) -> Vec<Arrival> {
        let state = self.shared.lock();
        let (state, timeout) = self
            .shared
            .changed
            .wait_timeout_while(state, WATCHDOG, |state| is_missing(state))
            .unwrap_or_else(PoisonError::into_inner);
        assert!(!timeout.timed_out(), "waited for {what}, but only these came: {:#?}", state.arrivals);
        state.arrivals.clone()
    }
}

impl Drop for Server {
    fn drop(&mut self) {
        let mut state = self.shared.lock();
        state.closed = true;
        let (surplus, arrivals) = (state.surplus, state.arrivals.len());
        for (_, connection) in state.connections.drain() {
            let _ = connection.shutdown(Shutdown::Both);
        }
        drop(state);
        // Wakes the thread that accepts, which then sees that it is over.
        let _ = TcpStream::connect(self.address);
        if !thread::panicking() {
            assert_eq!(surplus, 0, "of {arrivals} requests, {surplus} came after the end of the script");
        }
    }
}

impl Shared {
    fn lock(&self) -> MutexGuard<'_, State> {
        self.state.lock().unwrap_or_else(PoisonError::into_inner)
    }

    fn next_step(&self) -> Step {
        let mut state = self.lock();
        state.taken += 1;
        self.changed.notify_all();
        match state.script.pop_front() {
            Some(step) => step,
            None => match state.acknowledging {
                Some(most) => Step::AckUpTo(most),
                None => {
                    state.surplus += 1;
                    Step::reply(500, "beyond the script")
                }
            },
        }
    }

    fn keep(&self, arrival: &Arrival) {
        self.lock().arrivals.push(arrival.clone());
        self.changed.notify_all();
    }
}

/// Each connection has a thread of its own, so that one that is parked does not hold up the others.
fn accept(listener: &TcpListener, shared: &Arc<Shared>) {
    for (number, stream) in listener.incoming().enumerate() {
        let Ok(stream) = stream else { return };
        let mut state = shared.lock();
        if state.closed {
            return;
        }
        state.connections.extend(stream.try_clone().map(|clone| (number, clone)));
        drop(state);
        let mut connection = Connection { stream, number, shared: Arc::clone(shared) };
        thread::spawn(move || {
            // What goes wrong here is what the script wants, or a client that has gone away.
            while let Ok(true) = connection.serve() {}
            // Closed, not shut down: that makes the difference between a reset and an end.
            let Connection { stream, shared, .. } = connection;
            shared.lock().connections.remove(&number);
            drop(stream);
            shared.lock().ended += 1;
            shared.changed.notify_all();
        });
    }
}
