use std::{error::Error, fmt};

/// A setting that is missing or wrong: which one, where it came from, and what to do.
///
/// ```
/// let error = staso::builder()
///     .api_key("ak_live_0123")
///     .agent_name("support-bot")
///     .base_url("http://10.0.0.5")
///     .init()
///     .unwrap_err();
/// assert_eq!(error.setting(), "base_url");
/// assert_eq!(
///     error.to_string(),
///     "base_url must use HTTPS outside loopback development: it is `http://10.0.0.5`; use an https:// \
///      URL, or http:// with localhost or a loopback address (set it with `.base_url(…)` or STASO_BASE_URL)"
/// );
/// ```
#[derive(Clone, PartialEq, Eq)]
#[non_exhaustive]
pub struct InitError {
    setting: &'static str,
    variable: Option<&'static str>,
    problem: String,
}

impl InitError {
    pub(crate) fn new(
        setting: &'static str,
        variable: Option<&'static str>,
        problem: impl Into<String>,
    ) -> Self {
        Self { setting, variable, problem: problem.into() }
    }

    /// The setting, by the name of its builder method; one that has none, by that of its variable.
    #[must_use]
    pub fn setting(&self) -> &'static str {
        self.setting
    }

    /// The environment variable that sets it too, if there is one.
    #[must_use]
    pub fn env_var(&self) -> Option<&'static str> {
        self.variable
    }
}

impl fmt::Display for InitError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let Self { setting, variable, problem } = self;
        match variable {
            Some(variable) if variable == setting => write!(f, "{problem} (set it with {variable})"),
            Some(variable) => write!(f, "{problem} (set it with `.{setting}(…)` or {variable})"),
            None => write!(f, "{problem} (set it with `.{setting}(…)`)"),
        }
    }
}

impl fmt::Debug for InitError {
    /// As `Display`: `main` prints the error that it returns by `Debug`.
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        fmt::Display::fmt(self, f)
    }
}

impl Error for InitError {}
