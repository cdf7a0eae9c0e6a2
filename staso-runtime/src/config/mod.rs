#![allow(missing_docs)]
use crate::{capture::*, export::Exporter, record::GitFacts};
use std::time::Duration;
#[derive(Default)]
pub struct Builder {
    exporter: Option<Exporter>,
    clock: Option<crate::record::clock::Clock>,
    batch: Option<usize>,
    redact: Option<RedactHook>,
}
#[derive(Debug)]
pub struct InitError;
impl std::fmt::Display for InitError {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.write_str("x")
    }
}
impl std::error::Error for InitError {}
pub(crate) enum GitSource {
    Off,
    Known(GitFacts),
    Discover(Box<dyn FnOnce() -> Option<GitFacts> + Send>),
}
pub(crate) struct Settings {
    pub(crate) enabled: bool,
    pub(crate) agent_name: String,
    pub(crate) agent_version: String,
    pub(crate) environment: String,
    pub(crate) workspace: String,
    pub(crate) session_id: String,
    pub(crate) exporter: Exporter,
    pub(crate) batch_size: usize,
    pub(crate) flush_interval: Duration,
    pub(crate) max_queue_size: usize,
    pub(crate) max_queue_bytes: usize,
    pub(crate) policy: Policy,
    pub(crate) limits: Limits,
    pub(crate) redact: Option<RedactHook>,
    pub(crate) git: GitSource,
    pub(crate) clock: Option<crate::record::clock::Clock>,
    pub(crate) shutdown_timeout: Duration,
}
impl Builder {
    pub fn exporter(mut self, e: impl Into<Exporter>) -> Self {
        self.exporter = Some(e.into());
        self
    }
    pub fn batch_size(mut self, e: usize) -> Self {
        self.batch = Some(e);
        self
    }
    pub fn agent_name(self, _e: &str) -> Self {
        self
    }
    pub fn redact(mut self, f: impl Fn(&Field<'_>) -> Redaction + Send + Sync + 'static) -> Self {
        self.redact = Some(std::sync::Arc::new(f));
        self
    }
    pub fn clock(mut self, c: crate::testing::ManualClock) -> Self {
        self.clock = Some(c.clock());
        self
    }
    pub fn init(self) -> Result<crate::Client, InitError> {
        crate::client::start(Settings {
            enabled: true,
            agent_name: "a".into(),
            agent_version: String::new(),
            environment: "d".into(),
            workspace: "w".into(),
            session_id: "s".into(),
            exporter: self.exporter.unwrap(),
            batch_size: self.batch.unwrap_or(100),
            flush_interval: Duration::from_millis(500),
            max_queue_size: 10000,
            max_queue_bytes: 64 << 20,
            policy: Policy::default(),
            limits: Limits::default(),
            redact: self.redact,
            git: GitSource::Off,
            clock: self.clock,
            shutdown_timeout: Duration::from_secs(5),
        })
    }
}
