use std::{fmt, sync::Arc, time::Duration};

use super::{Environment, InitError};
use crate::{
    capture::{Capture, Field, RedactHook, Redaction},
    client::{self, Client},
    export::Exporter,
    record::clock::Clock,
    testing::ManualClock,
};

/// Settings of a [`Client`]. What is set here wins over the environment, which wins over the defaults.
///
/// | method | variable | default |
/// |---|---|---|
/// | [`api_key`](Self::api_key) | `STASO_API_KEY` | required by the http exporter |
/// | [`agent_name`](Self::agent_name) | `STASO_AGENT_NAME` | required |
/// | [`agent_version`](Self::agent_version) | `STASO_AGENT_VERSION` | empty |
/// | [`base_url`](Self::base_url) | `STASO_BASE_URL` | `https://api.staso.ai` |
/// | [`environment`](Self::environment) | `STASO_ENVIRONMENT` | `default` |
/// | [`workspace`](Self::workspace) | `STASO_WORKSPACE_SLUG` | `default` |
/// | – | `STASO_SESSION_ID` | a new UUID per client |
/// | [`exporter`](Self::exporter) | `STASO_EXPORTER`: `http`, `console`, `file:PATH`, `none` | `http` |
/// | [`enabled`](Self::enabled) | `STASO_ENABLED` | on |
/// | [`capture`](Self::capture) | `STASO_CAPTURE_REQUEST`, `_SYSTEM_PROMPT`, `_TOOL_SCHEMA`, `_TOOL_ARGUMENTS`, `_OUTPUT`; for the first two also the older `STASO_CAPTURE_MESSAGES` | all on |
/// | [`mask_credentials`](Self::mask_credentials) | `STASO_MASK_CREDENTIALS` | on |
/// | [`redact`](Self::redact) | – | none |
/// | [`field_limit`](Self::field_limit) | – | 64 KiB |
/// | [`batch_size`](Self::batch_size) | – | 100 spans, at most 500 |
/// | [`flush_interval`](Self::flush_interval) | – | 0.5 s |
/// | [`max_queue_size`](Self::max_queue_size) | – | 10,000 spans, at most 1,000,000 |
/// | [`max_queue_bytes`](Self::max_queue_bytes) | – | 64 MiB |
/// | [`http_timeout`](Self::http_timeout) | – | 10 s |
/// | [`shutdown_timeout`](Self::shutdown_timeout) | – | 5 s |
/// | [`capture_git`](Self::capture_git) | `STASO_VCS_COMMIT_SHA`, `_BRANCH`, `_REPO_URL` name the commit | on |
/// | [`proxy`](Self::proxy) | `HTTPS_PROXY` and its kin | none for loopback hosts |
/// | [`root_certificate_pem`](Self::root_certificate_pem) | – | those of the TLS library |
///
/// ```
/// use staso::{Exporter, builder};
///
/// let _staso = builder().agent_name("support-bot").exporter(Exporter::none()).init()?;
/// # Ok::<(), staso::InitError>(())
/// ```
#[derive(Default)]
#[must_use = "settings do nothing until `init`"]
pub struct Builder {
    pub(super) api_key: Option<String>,
    pub(super) agent_name: Option<String>,
    pub(super) agent_version: Option<String>,
    pub(super) environment: Option<String>,
    pub(super) workspace: Option<String>,
    pub(super) base_url: Option<String>,
    pub(super) batch_size: Option<usize>,
    pub(super) flush_interval: Option<Duration>,
    pub(super) max_queue_size: Option<usize>,
    pub(super) max_queue_bytes: Option<usize>,
    pub(super) field_limit: Option<usize>,
    pub(super) capture: Option<Capture>,
    pub(super) mask_credentials: Option<bool>,
    pub(super) redact: Option<RedactHook>,
    pub(super) exporter: Option<Exporter>,
    pub(super) enabled: Option<bool>,
    pub(super) capture_git: Option<bool>,
    pub(super) http_timeout: Option<Duration>,
    pub(super) root_certificates: Vec<Vec<u8>>,
    pub(super) proxy: Option<String>,
    pub(super) shutdown_timeout: Option<Duration>,
    pub(super) clock: Option<Clock>,
}

impl Builder {
    /// The key that the backend knows this program by. It appears in no log, error or span.
    pub fn api_key(mut self, api_key: impl Into<String>) -> Self {
        self.api_key = Some(api_key.into());
        self
    }

    /// The agent of spans that are inside no `#[agent]`.
    pub fn agent_name(mut self, agent_name: impl Into<String>) -> Self {
        self.agent_name = Some(agent_name.into());
        self
    }

    /// A label such as `v2.3` on every span.
    pub fn agent_version(mut self, agent_version: impl Into<String>) -> Self {
        self.agent_version = Some(agent_version.into());
        self
    }

    /// A label such as `prod` or `staging`.
    pub fn environment(mut self, environment: impl Into<String>) -> Self {
        self.environment = Some(environment.into());
        self
    }

    /// The slug of the workspace that spans land in.
    pub fn workspace(mut self, workspace: impl Into<String>) -> Self {
        self.workspace = Some(workspace.into());
        self
    }

    /// The backend: `https`, or `http` on the loopback interface; a path is kept, trailing slashes are not.
    pub fn base_url(mut self, base_url: impl Into<String>) -> Self {
        self.base_url = Some(base_url.into());
        self
    }

    /// How many spans one request holds at most: 1 to 500. A full batch is sent at once.
    pub fn batch_size(mut self, spans: usize) -> Self {
        self.batch_size = Some(spans);
        self
    }

    /// After what time spans are sent though no batch is full: more than zero.
    pub fn flush_interval(mut self, interval: Duration) -> Self {
        self.flush_interval = Some(interval);
        self
    }

    /// How many spans may wait for delivery: 1 to 1,000,000. The newest are rejected and counted when it
    /// is full. Memory is taken as it is needed.
    pub fn max_queue_size(mut self, spans: usize) -> Self {
        self.max_queue_size = Some(spans);
        self
    }

    /// How many bytes the spans that wait may take, with their names and identifiers: at least 1. A single
    /// larger span is still let in.
    pub fn max_queue_bytes(mut self, bytes: usize) -> Self {
        self.max_queue_bytes = Some(bytes);
        self
    }

    /// How many bytes of one argument, result, metadata value or error text are captured: at least 16. What
    /// is longer is cut and marked. All that handles set on one span may be 16 times as much; names and
    /// identifiers are cut at 1 KiB, whatever is set here.
    pub fn field_limit(mut self, bytes: usize) -> Self {
        self.field_limit = Some(bytes);
        self
    }

    /// Which categories of content are captured.
    pub fn capture(mut self, capture: Capture) -> Self {
        self.capture = Some(capture);
        self
    }

    /// Whether values that stand under the name of a credential become `[masked]`: on by default.
    ///
    /// Names are those of arguments, metadata, fields, map keys, headers and URL parameters, in any
    /// spelling of authorization, cookie, credential, API key, secret, token and password: `api_key`,
    /// `X-API-Key`, `clientSecret`, `db_password`, but not `max_tokens` or `page_token`. They are looked
    /// for in JSON, in JSON and `Debug` text inside strings, in URLs, where `key` and signatures are
    /// credentials too, and on lines that are one header or one variable; prose is left alone. Clients,
    /// connections and headers of well-known crates that are captured by `Debug` give the name of their
    /// type. Spans are masked on the sender thread, before any exporter sees them; a
    /// [`redact`](Self::redact) hook sees values as they are.
    ///
    /// ```
    /// let spans = staso::testing::capture(|| {
    ///     staso::Span::builder("login").in_scope(|span| span.set_metadata("api_key", "sk-0123"));
    /// });
    /// assert_eq!(spans[0].metadata["api_key"], "[masked]");
    /// ```
    pub fn mask_credentials(mut self, mask: bool) -> Self {
        self.mask_credentials = Some(mask);
        self
    }

    /// Sees every captured value once, on the thread that made it, before it goes anywhere, and may
    /// replace or remove it. A hook that panics removes the value.
    ///
    /// ```
    /// use staso::{Redaction, builder};
    ///
    /// let builder = builder().redact(|field| {
    ///     if field.name.contains("card") { Redaction::Replace("[card]".to_owned()) } else { Redaction::Keep }
    /// });
    /// # drop(builder);
    /// ```
    pub fn redact(mut self, hook: impl Fn(&Field<'_>) -> Redaction + Send + Sync + 'static) -> Self {
        self.redact = Some(Arc::new(hook));
        self
    }

    /// Where spans go.
    pub fn exporter(mut self, exporter: impl Into<Exporter>) -> Self {
        self.exporter = Some(exporter.into());
        self
    }

    /// With `false` nothing is recorded, `init` cannot fail, and no other setting is looked at.
    pub fn enabled(mut self, enabled: bool) -> Self {
        self.enabled = Some(enabled);
        self
    }

    /// Whether root spans carry the commit that the program runs from: from variables of its own, else
    /// from those of the CI platform, else from `git` in the working directory, asked on a thread of its
    /// own.
    pub fn capture_git(mut self, capture: bool) -> Self {
        self.capture_git = Some(capture);
        self
    }

    /// How long one request may take, from looking up the name to the last byte of the answer: more than
    /// zero. What is longer than a day counts as a day.
    pub fn http_timeout(mut self, timeout: Duration) -> Self {
        self.http_timeout = Some(timeout);
        self
    }

    /// Trusts the certificate authorities in a PEM text, and no others than those added so: for a
    /// backend with a private authority.
    pub fn root_certificate_pem(mut self, pem: impl Into<Vec<u8>>) -> Self {
        self.root_certificates.push(pem.into());
        self
    }

    /// The proxy that requests go through, such as `http://user:password@proxy:3128`. Backends on the
    /// loopback interface are always reached directly; an empty text means no proxy for any.
    pub fn proxy(mut self, proxy: impl Into<String>) -> Self {
        self.proxy = Some(proxy.into());
        self
    }

    /// How long dropping the client waits for delivery.
    pub fn shutdown_timeout(mut self, timeout: Duration) -> Self {
        self.shutdown_timeout = Some(timeout);
        self
    }

    /// Takes the time from a clock that a test moves.
    pub fn clock(mut self, clock: ManualClock) -> Self {
        self.clock = Some(clock.clock());
        self
    }

    /// Starts recording. An earlier client is retired.
    ///
    /// # Errors
    ///
    /// When a setting is missing or wrong. A backend that is down is not an error.
    pub fn init(self) -> Result<Client, InitError> {
        client::start(self.resolve(&Environment::Process)?)
    }
}

impl fmt::Debug for Builder {
    /// Leaves the key out, and the URLs, which may hold a password until they are checked.
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Builder")
            .field("agent_name", &self.agent_name)
            .field("exporter", &self.exporter)
            .finish_non_exhaustive()
    }
}
