use std::{fmt, time::Duration};

use ureq::http::HeaderValue;

/// How to reach the backend.
#[derive(Clone, Debug)]
pub(crate) struct HttpSettings {
    /// An absolute `http` or `https` URL without a trailing slash; it may have a path.
    pub(crate) base_url: String,
    pub(crate) api_key: ApiKey,
    /// From resolving the name to the last byte of the answer, for each attempt.
    pub(crate) timeout: Duration,
    pub(crate) proxy: ProxyChoice,
    pub(crate) tls_roots: TlsRoots,
}

/// A secret that cannot be printed.
#[derive(Clone)]
pub(crate) struct ApiKey(String);

/// Which proxy requests go through. Backends on the loopback interface are always reached directly.
#[derive(Clone, Default)]
pub(crate) enum ProxyChoice {
    /// The first of `ALL_PROXY`, `HTTPS_PROXY` and `HTTP_PROXY`, but not for hosts in `NO_PROXY`.
    /// SOCKS proxies are passed over.
    #[default]
    Environment,
    Off,
    /// `http://` or `https://`, with a user and password where needed.
    Url(String),
}

/// Which certificate authorities are trusted.
#[derive(Clone, Default)]
pub(crate) enum TlsRoots {
    /// Mozilla's, as they were when the TLS library was released.
    #[default]
    Bundled,
    /// Those in PEM texts, and no others: for a backend with a private authority.
    Only(Vec<Vec<u8>>),
}

impl HttpSettings {
    /// A request may take this long unless said otherwise.
    pub(crate) const DEFAULT_TIMEOUT: Duration = Duration::from_secs(10);

    pub(crate) fn new(base_url: impl Into<String>, api_key: ApiKey) -> Self {
        Self {
            base_url: base_url.into().trim_end_matches('/').to_owned(),
            api_key,
            timeout: Self::DEFAULT_TIMEOUT,
            proxy: ProxyChoice::default(),
            tls_roots: TlsRoots::default(),
        }
    }
}

impl ApiKey {
    pub(crate) fn new(key: impl Into<String>) -> Self {
        Self(key.into())
    }

    pub(super) fn header(&self) -> Result<HeaderValue, String> {
        let mut header = HeaderValue::from_str(&self.0)
            .map_err(|_| "api_key holds a character that no HTTP header may have".to_owned())?;
        header.set_sensitive(true);
        Ok(header)
    }
}

impl fmt::Debug for ApiKey {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("ApiKey(…)")
    }
}

impl fmt::Debug for ProxyChoice {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(match self {
            Self::Environment => "Environment",
            Self::Off => "Off",
            Self::Url(_) => "Url(…)",
        })
    }
}

impl fmt::Debug for TlsRoots {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Bundled => f.write_str("Bundled"),
            Self::Only(pems) => write!(f, "Only({} PEM texts)", pems.len()),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn nothing_secret_is_shown() {
        let mut settings = HttpSettings::new("https://api.staso.ai/", ApiKey::new("ak_canary"));
        settings.proxy = ProxyChoice::Url("http://user:canary@proxy".to_owned());
        settings.tls_roots = TlsRoots::Only(vec![b"canary".to_vec()]);
        let shown = format!("{settings:?}{:?}", settings.api_key.header().unwrap());
        assert!(!shown.contains("canary"), "{shown}");
        assert!(shown.contains("base_url: \"https://api.staso.ai\""), "{shown}");
    }

    #[test]
    fn a_key_that_no_header_can_hold_is_refused_without_being_quoted() {
        let message = ApiKey::new("ak_canary\n").header().unwrap_err();
        assert_eq!(message, "api_key holds a character that no HTTP header may have");
    }
}
