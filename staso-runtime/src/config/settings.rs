use std::{fmt, time::Duration};

use crate::{
    capture::{Limits, Policy, RedactHook},
    export::Exporter,
    record::{GitFacts, clock::Clock},
};

/// Everything that a client needs, checked.
pub(crate) struct Settings {
    pub(crate) enabled: bool,
    pub(crate) agent_name: String,
    pub(crate) agent_version: String,
    pub(crate) environment: String,
    pub(crate) workspace: String,
    pub(crate) session_id: String,
    pub(crate) exporter: Exporter,
    pub(crate) backend: Backend,
    pub(crate) batch_size: usize,
    pub(crate) flush_interval: Duration,
    pub(crate) max_queue_size: usize,
    pub(crate) max_queue_bytes: usize,
    pub(crate) shutdown_timeout: Duration,
    pub(crate) policy: Policy,
    pub(crate) limits: Limits,
    pub(crate) redact: Option<RedactHook>,
    pub(crate) git: GitSource,
    pub(crate) clock: Option<Clock>,
    /// No line is printed at exit when spans were lost.
    pub(crate) quiet: bool,
    /// What to tell of variables that no setting knows.
    pub(crate) misspelt: Option<String>,
}

/// How the http exporter reaches its backend.
#[cfg_attr(not(feature = "http"), expect(dead_code, reason = "read by the http exporter"))]
pub(crate) struct Backend {
    pub(crate) base_url: String,
    pub(crate) api_key: String,
    pub(crate) timeout: Duration,
    pub(crate) proxy: Option<String>,
    /// PEM texts. Empty for the authorities that come with the TLS library.
    pub(crate) root_certificates: Vec<Vec<u8>>,
}

impl fmt::Debug for Backend {
    /// Leaves the key out, and the proxy, which may hold a password.
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Backend").field("base_url", &self.base_url).finish_non_exhaustive()
    }
}

/// Where the facts of the git repository come from.
pub(crate) enum GitSource {
    Off,
    Known(GitFacts),
    /// Asks `git`, which takes a while.
    Discover(Box<dyn FnOnce() -> Option<GitFacts> + Send>),
}
