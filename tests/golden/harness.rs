//! Runs the programs: each with a client of its own, which delivers to a server of its own.

use std::{
    any, env,
    process::{self, Command},
    sync::{Mutex, MutexGuard, PoisonError},
    time::Duration,
};

use staso::{Builder, Capture, Client, DeliveryReport, Exporter};
use tempfile::TempDir;

use crate::{
    compare::Golden,
    support::server::{Arrival, Server, WATCHDOG},
};

/// Longer than any test: these waits end by an event.
pub const LONG: Duration = WATCHDOG;

static CLIENT: Mutex<()> = Mutex::new(());

/// The process's client, to the caller alone.
pub fn exclusive() -> MutexGuard<'static, ()> {
    CLIENT.lock().unwrap_or_else(PoisonError::into_inner)
}

/// The settings of the captured programs, which send everything in one request when they end.
pub fn settings() -> Builder {
    staso::builder()
        .api_key("ak_test_golden")
        .agent_name("demo-agent")
        .exporter(Exporter::http())
        .flush_interval(Duration::from_secs(30))
}

/// The same, whatever the environment says.
pub fn builder() -> Builder {
    settings()
        .agent_version("")
        .environment("default")
        .workspace("default")
        .enabled(true)
        .capture(Capture::all())
        .capture_git(false)
}

/// What a program sent, and what its client reported in the end.
pub struct Outcome {
    pub arrivals: Vec<Arrival>,
    pub report: DeliveryReport,
}

/// A client under way.
pub struct Run {
    pub server: Server,
    pub client: Client,
    _exclusive: MutexGuard<'static, ()>,
}

impl Run {
    pub fn start(settings: Builder) -> Self {
        Self::against(Server::acknowledging(), settings)
    }

    pub fn against(server: Server, settings: Builder) -> Self {
        let exclusive = exclusive();
        let client = settings.base_url(server.url()).init().expect("valid settings");
        Self { server, client, _exclusive: exclusive }
    }

    pub fn finish(self) -> Outcome {
        let report = self.client.shutdown(LONG);
        Outcome { arrivals: self.server.arrivals(), report }
    }
}

/// Runs a program and compares it with a capture.
pub fn check(golden: Golden, program: impl FnOnce()) {
    check_with(golden, builder(), program);
}

/// The same, with settings of the scenario's own.
pub fn check_with(golden: Golden, settings: Builder, program: impl FnOnce()) {
    let run = Run::start(settings);
    program();
    golden.check(&run.finish());
}

/// Runs a future on a current-thread runtime.
pub fn block_on<F: Future>(future: F) -> F::Output {
    tokio::runtime::Builder::new_current_thread().enable_time().build().expect("a runtime").block_on(future)
}

/// A process in which a part of a test runs: this binary, asked for that test alone.
pub struct Process {
    variables: Vec<(String, String)>,
    folder: Option<fn() -> TempDir>,
}

const CHILD: &str = "GOLDEN_TEST_CHILD";

impl Process {
    /// A process whose environment holds these variables and where programs are found, and nothing else.
    pub fn with(variables: &[(&str, &str)]) -> Self {
        let owned = |(name, value): &(&str, &str)| ((*name).to_owned(), (*value).to_owned());
        Self { variables: variables.iter().map(owned).collect(), folder: None }
    }

    /// It runs in a folder that the parent makes, and removes when the child has ended: the child exits
    /// without a destructor.
    pub fn in_folder(mut self, make: fn() -> TempDir) -> Self {
        self.folder = Some(make);
        self
    }

    /// Runs the body there. In the child this does not return: what stands behind it in the test is the
    /// parent's.
    ///
    /// # Panics
    ///
    /// If the body does.
    pub fn run<F: FnOnce()>(self, body: F) {
        // The closure's type says which test it stands in.
        let path = any::type_name::<F>().trim_end_matches("::{{closure}}");
        let (_, test) = path.split_once("::").expect("the crate's name comes first");
        if env::var(CHILD).is_ok_and(|child| child == test) {
            body();
            process::exit(0);
        }
        let mut command = Command::new(env::current_exe().expect("this binary"));
        command.args([test, "--exact", "--nocapture", "--test-threads=1"]).env_clear().env(CHILD, test);
        command.envs(["PATH", "SystemRoot"].into_iter().filter_map(|name| Some((name, env::var_os(name)?))));
        command.envs(self.variables);
        // Elsewhere than in this repository, whose facts its spans would carry.
        let folder = self.folder.map(|make| make());
        command.current_dir(folder.as_ref().map_or_else(env::temp_dir, |folder| folder.path().to_owned()));
        let output = command.output().expect("the child runs");
        assert!(
            output.status.success(),
            "{test}, in a process of its own:\n{}\n{}",
            String::from_utf8_lossy(&output.stdout),
            String::from_utf8_lossy(&output.stderr)
        );
    }
}
