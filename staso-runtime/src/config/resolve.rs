//! The builder's settings, the environment and the defaults become one. Wire contract, section 16.

use std::{path::PathBuf, time::Duration};

use super::{
    Builder, Environment, InitError, base_url, git, git_env,
    settings::{Backend, GitSource, Settings},
};
use crate::{
    capture::{Capture, Category, Limits, Policy},
    export::{Choice, Exporter},
    record::{GitFacts, short_text},
};

const BASE_URL: &str = "https://api.staso.ai";
const MOST_QUEUED: usize = 1_000_000;

/// The HTTP client adds its timeout to the present moment, and panics when the sum is out of range.
const DAY: Duration = Duration::from_secs(24 * 60 * 60);

const PLACEHOLDERS: [&str; 6] =
    ["change-me", "changeme", "your-api-key", "your_api_key", "replace-me", "placeholder"];

impl Builder {
    pub(crate) fn resolve(mut self, env: &Environment) -> Result<Settings, InitError> {
        // Switched off, nothing else is looked at: a wrong setting must not keep a program from starting.
        let enabled = match self.enabled {
            Some(enabled) => enabled,
            None => env.switch("enabled", "STASO_ENABLED")?.unwrap_or(true),
        };
        if !enabled {
            return Ok(self.disabled());
        }
        let exporter = match self.exporter.take() {
            Some(exporter) => exporter,
            None => exporter_of(env)?,
        };
        let is_http = matches!(exporter.0, Choice::Http);
        if is_http && cfg!(not(feature = "http")) {
            // Before the key, which would be asked for in vain.
            let problem = "the http exporter is not part of this build: enable the feature `http` of staso, \
                           or choose another exporter";
            return Err(InitError::new("exporter", Some("STASO_EXPORTER"), problem));
        }
        let api_key = text(self.api_key.take(), env, "api_key", "STASO_API_KEY")?.unwrap_or_default();
        let agent_name =
            text(self.agent_name.take(), env, "agent_name", "STASO_AGENT_NAME")?.unwrap_or_default();
        let missing = [
            (is_http && api_key.is_empty()).then_some(("api_key", "STASO_API_KEY")),
            agent_name.is_empty().then_some(("agent_name", "STASO_AGENT_NAME")),
        ];
        required(missing.into_iter().flatten(), is_http, env)?;
        if is_http {
            check_key(&api_key)?;
        }
        let url = text(self.base_url.take(), env, "base_url", "STASO_BASE_URL")?;
        let base_url = base_url::check(url.as_deref().unwrap_or(BASE_URL));
        let base_url = match base_url {
            Ok(base_url) => base_url,
            Err(problem) if is_http => {
                return Err(InitError::new("base_url", Some("STASO_BASE_URL"), problem));
            }
            Err(_) => String::new(),
        };
        let capture = capture_of(self.capture, env)?;
        let masks_credentials = match self.mask_credentials {
            Some(mask) => mask,
            None => env.switch("mask_credentials", "STASO_MASK_CREDENTIALS")?.unwrap_or(true),
        };
        let defaults = Self::default().disabled();
        Ok(Settings {
            enabled: true,
            agent_name: short_text(agent_name),
            agent_version: short_text(match self.agent_version {
                Some(version) => version,
                None => env.setting("agent_version", "STASO_AGENT_VERSION")?.unwrap_or_default(),
            }),
            environment: short_text(label(self.environment, env, "environment", "STASO_ENVIRONMENT")?),
            workspace: short_text(label(self.workspace, env, "workspace", "STASO_WORKSPACE_SLUG")?),
            session_id: short_text(session_id(env)?),
            exporter,
            backend: Backend {
                base_url,
                api_key,
                timeout: positive(self.http_timeout, "http_timeout", defaults.backend.timeout)?.min(DAY),
                proxy: self.proxy,
                root_certificates: self.root_certificates,
            },
            batch_size: within(self.batch_size, "batch_size", 1..=500, defaults.batch_size)?,
            flush_interval: positive(self.flush_interval, "flush_interval", defaults.flush_interval)?,
            max_queue_size: queue_size(self.max_queue_size, defaults.max_queue_size)?,
            max_queue_bytes: within(
                self.max_queue_bytes,
                "max_queue_bytes",
                1..=usize::MAX,
                defaults.max_queue_bytes,
            )?,
            shutdown_timeout: self.shutdown_timeout.unwrap_or(defaults.shutdown_timeout),
            policy: Policy::new(capture).mask_credentials(masks_credentials),
            limits: Limits {
                bytes: within(self.field_limit, "field_limit", 16..=1 << 30, defaults.limits.bytes)?,
                ..defaults.limits
            },
            redact: self.redact,
            git: git_source(self.capture_git, env),
            clock: self.clock,
            quiet: env.switch("STASO_QUIET", "STASO_QUIET")?.unwrap_or(false),
            misspelt: env.misspelt(),
        })
    }

    /// The defaults, of a client that records nothing.
    fn disabled(self) -> Settings {
        Settings {
            enabled: false,
            agent_name: String::new(),
            agent_version: String::new(),
            environment: String::new(),
            workspace: String::new(),
            session_id: String::new(),
            exporter: Exporter::none(),
            backend: Backend {
                base_url: BASE_URL.to_owned(),
                api_key: String::new(),
                timeout: Duration::from_secs(10),
                proxy: None,
                root_certificates: Vec::new(),
            },
            batch_size: 100,
            flush_interval: Duration::from_millis(500),
            max_queue_size: 10_000,
            max_queue_bytes: 64 * 1024 * 1024,
            shutdown_timeout: self.shutdown_timeout.unwrap_or(Duration::from_secs(5)),
            policy: Policy::default(),
            limits: Limits::default(),
            redact: None,
            git: GitSource::Off,
            clock: None,
            quiet: false,
            misspelt: None,
        }
    }
}

/// A text; an empty one falls back to the variable.
fn text(
    given: Option<String>,
    env: &Environment,
    setting: &'static str,
    variable: &'static str,
) -> Result<Option<String>, InitError> {
    match given.filter(|given| !given.is_empty()) {
        Some(given) => Ok(Some(given)),
        None => Ok(env.setting(setting, variable)?.filter(|value| !value.is_empty())),
    }
}

/// A label; a variable that is set to nothing means the empty label.
fn label(
    given: Option<String>,
    env: &Environment,
    setting: &'static str,
    variable: &'static str,
) -> Result<String, InitError> {
    match given.filter(|given| !given.is_empty()) {
        Some(given) => Ok(given),
        None => Ok(env.setting(setting, variable)?.unwrap_or_else(|| "default".to_owned())),
    }
}

/// Names every setting that is missing, so that one run is enough to learn of them all.
fn required(
    missing: impl Iterator<Item = (&'static str, &'static str)>,
    is_http: bool,
    env: &Environment,
) -> Result<(), InitError> {
    let missing: Vec<_> = missing.collect();
    let Some((setting, variable)) = missing.first().copied() else { return Ok(()) };
    let mut problem: Vec<String> = missing
        .iter()
        .map(|(setting, variable)| {
            format!("{setting} is required. Pass it directly or set {variable} env var.")
        })
        .collect();
    problem.extend(env.misspelt().map(|misspelt| format!("{misspelt}.")));
    problem.push("`staso dev -- <your program>` sets both and shows the traces on this machine.".into());
    if is_http {
        problem.push("STASO_EXPORTER=console prints them and needs no key.".into());
    }
    Err(InitError::new(setting, Some(variable), problem.join(" ")))
}

fn check_key(key: &str) -> Result<(), InitError> {
    let bare = key.trim().to_ascii_lowercase();
    if bare.is_empty() || PLACEHOLDERS.contains(&bare.as_str()) {
        let problem = "api_key is missing or uses a placeholder value: it needs a key of your organization, \
                       or another exporter";
        return Err(InitError::new("api_key", Some("STASO_API_KEY"), problem));
    }
    if key.chars().any(|c| !matches!(c, ' '..='~')) {
        let problem = "api_key holds a character that no key has, often a line break at its end";
        return Err(InitError::new("api_key", Some("STASO_API_KEY"), problem));
    }
    Ok(())
}

fn exporter_of(env: &Environment) -> Result<Exporter, InitError> {
    const NAME: &str = "STASO_EXPORTER";
    let Some(value) = env.setting("exporter", NAME)?.filter(|value| !value.trim().is_empty()) else {
        return Ok(Exporter::http());
    };
    let value = value.trim();
    match value.to_ascii_lowercase().as_str() {
        "http" => return Ok(Exporter::http()),
        "console" => return Ok(Exporter::console()),
        "none" => return Ok(Exporter::none()),
        _ => {}
    }
    match value.split_once(':') {
        Some((kind, path)) if kind.eq_ignore_ascii_case("file") && !path.is_empty() => {
            Ok(Exporter::file(PathBuf::from(path)))
        }
        _ => {
            let problem = format!("{NAME} must be http, console, file:PATH or none; it is {value:?}");
            Err(InitError::new("exporter", Some(NAME), problem))
        }
    }
}

/// Wire contract, section 9: argument, then the variable of the category, then the deprecated one.
fn capture_of(given: Option<Capture>, env: &Environment) -> Result<Capture, InitError> {
    if let Some(given) = given {
        return Ok(given);
    }
    let switch = |name| env.switch("capture", name);
    let messages = switch("STASO_CAPTURE_MESSAGES")?;
    let mut capture = Capture::all();
    for category in Category::ALL {
        let (variable, fallback) = match category {
            Category::Request => ("STASO_CAPTURE_REQUEST", messages),
            Category::SystemPrompt => ("STASO_CAPTURE_SYSTEM_PROMPT", messages),
            Category::ToolSchema => ("STASO_CAPTURE_TOOL_SCHEMA", None),
            Category::ToolArguments => ("STASO_CAPTURE_TOOL_ARGUMENTS", None),
            Category::Output => ("STASO_CAPTURE_OUTPUT", None),
        };
        if !switch(variable)?.or(fallback).unwrap_or(true) {
            capture = capture.without(category);
        }
    }
    Ok(capture)
}

fn session_id(env: &Environment) -> Result<String, InitError> {
    const NAME: &str = "STASO_SESSION_ID";
    let given = env.setting(NAME, NAME)?.map(|id| id.trim().to_owned());
    Ok(given.filter(|id| !id.is_empty()).unwrap_or_else(|| uuid::Uuid::new_v4().to_string()))
}

fn within(
    given: Option<usize>,
    setting: &'static str,
    range: std::ops::RangeInclusive<usize>,
    default: usize,
) -> Result<usize, InitError> {
    match given {
        None => Ok(default),
        Some(value) if range.contains(&value) => Ok(value),
        Some(value) if *range.end() == usize::MAX => {
            Err(InitError::new(setting, None, format!("{setting} must be positive; it is {value}")))
        }
        Some(value) => {
            let (least, most) = (range.start(), range.end());
            let problem = format!("{setting} must be between {least} and {most}; it is {value}");
            Err(InitError::new(setting, None, problem))
        }
    }
}

fn queue_size(given: Option<usize>, default: usize) -> Result<usize, InitError> {
    match given {
        Some(0) => {
            Err(InitError::new("max_queue_size", None, "max_queue_size must be positive; it is 0".to_owned()))
        }
        given => within(given, "max_queue_size", 1..=MOST_QUEUED, default),
    }
}

fn positive(
    given: Option<Duration>,
    setting: &'static str,
    default: Duration,
) -> Result<Duration, InitError> {
    match given {
        Some(Duration::ZERO) => Err(InitError::new(setting, None, format!("{setting} must be positive"))),
        given => Ok(given.unwrap_or(default)),
    }
}

fn git_source(capture: Option<bool>, env: &Environment) -> GitSource {
    if !capture.unwrap_or(true) {
        return GitSource::Off;
    }
    if let Some(facts) = git_env::known_facts(env) {
        return GitSource::Known(facts.cut());
    }
    match env.folder() {
        Some(folder) => GitSource::Discover(Box::new(move || git::discover(&folder).map(GitFacts::cut))),
        None => GitSource::Off,
    }
}

#[cfg(all(test, not(feature = "http")))]
#[test]
fn without_the_feature_the_http_exporter_is_refused_before_a_key_is_asked_for() {
    let error = Builder::default().resolve(&Environment::from_pairs([])).err().unwrap();
    assert_eq!(error.setting(), "exporter");
    assert!(error.to_string().contains("enable the feature `http`"), "{error}");
}

#[cfg(all(test, feature = "http"))]
mod tests;
