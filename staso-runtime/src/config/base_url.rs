use std::net::{Ipv4Addr, Ipv6Addr};

const NOT_ABSOLUTE: &str = "base_url must be an absolute HTTP(S) URL";
const SECRETS: &str = "base_url must not contain credentials, a query, or a fragment";
const NOT_SECURE: &str = "base_url must use HTTPS outside loopback development";

/// Checks a base URL and takes its trailing slashes away.
///
/// # Errors
///
/// Says what is wrong. The URL is quoted only where it can hold no password.
pub(super) fn check(url: &str) -> Result<String, String> {
    let url = url.trim();
    let not_absolute = || format!("{NOT_ABSOLUTE}: it must look like https://host or https://host:port/path");
    let (scheme, rest) = url.split_once("://").ok_or_else(not_absolute)?;
    let is_https = scheme.eq_ignore_ascii_case("https");
    if !is_https && !scheme.eq_ignore_ascii_case("http") {
        return Err(not_absolute());
    }
    let authority_end = rest.find(['/', '?', '#']).unwrap_or(rest.len());
    let (authority, path) = rest.split_at_checked(authority_end).ok_or_else(not_absolute)?;
    if authority.contains('@') || path.contains(['?', '#']) {
        return Err(format!("{SECRETS}; the key goes into api_key"));
    }
    if path.chars().any(|c| !c.is_ascii_graphic() || c == '\\') {
        return Err(format!("{NOT_ABSOLUTE}: its path holds a character that must be percent-encoded"));
    }
    let host = host_of(authority).ok_or_else(not_absolute)?;
    if !is_https && !is_loopback(host) {
        return Err(format!(
            "{NOT_SECURE}: it is `{url}`; use an https:// URL, or http:// with localhost or a loopback \
             address"
        ));
    }
    Ok(url.trim_end_matches('/').to_owned())
}

/// The host without brackets and port. `None` when either is malformed; names beyond ASCII are written in
/// their `xn--` form.
fn host_of(authority: &str) -> Option<&str> {
    let (host, port) = match authority.strip_prefix('[') {
        Some(rest) => {
            let (host, port) = rest.split_once(']')?;
            host.parse::<Ipv6Addr>().ok()?;
            (host, if port.is_empty() { None } else { Some(port.strip_prefix(':')?) })
        }
        None => {
            let (host, port) = match authority.split_once(':') {
                Some((host, port)) => (host, Some(port)),
                None => (authority, None),
            };
            let is_name = |c: char| c.is_ascii_alphanumeric() || matches!(c, '-' | '.' | '_');
            (Some(host).filter(|host| host.chars().all(is_name))?, port)
        }
    };
    let is_port = |port: &str| port.bytes().all(|byte| byte.is_ascii_digit()) && port.parse::<u16>().is_ok();
    (!host.is_empty() && port.is_none_or(is_port)).then_some(host)
}

fn is_loopback(host: &str) -> bool {
    host.eq_ignore_ascii_case("localhost")
        || host.parse::<Ipv4Addr>().is_ok_and(|address| address.is_loopback())
        || host.parse::<Ipv6Addr>().is_ok_and(|address| address.is_loopback())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn urls_that_are_safe_are_taken_without_their_trailing_slashes() {
        for (url, expected) in [
            ("https://api.example.com", "https://api.example.com"),
            ("https://example.com/staso//", "https://example.com/staso"),
            ("http://localhost:6999/", "http://localhost:6999"),
            ("http://127.0.0.9:1", "http://127.0.0.9:1"),
            ("http://[::1]:80", "http://[::1]:80"),
            (" https://example.com ", "https://example.com"),
        ] {
            assert_eq!(check(url).as_deref(), Ok(expected), "{url}");
        }
    }

    #[test]
    fn other_urls_are_refused_with_the_reason() {
        for (url, reason) in [
            ("", NOT_ABSOLUTE),
            ("example.com", NOT_ABSOLUTE),
            ("ftp://example.com", NOT_ABSOLUTE),
            ("https://", NOT_ABSOLUTE),
            ("https://:443", NOT_ABSOLUTE),
            ("https://example.com:port", NOT_ABSOLUTE),
            ("https://exa mple.com", NOT_ABSOLUTE),
            ("https://exa<mple.com", NOT_ABSOLUTE),
            ("https://m\u{fc}nchen.example", NOT_ABSOLUTE),
            ("https://example.com\\secret", NOT_ABSOLUTE),
            ("https://example.com/a b", NOT_ABSOLUTE),
            ("https://example.com/\u{fc}", NOT_ABSOLUTE),
            ("https://[::1", NOT_ABSOLUTE),
            ("https://user:secret@example.com", SECRETS),
            ("https://user:a secret@example.com", SECRETS),
            ("https://example.com/?key=secret", SECRETS),
            ("https://example.com/#x", SECRETS),
            ("http://example.com", NOT_SECURE),
            ("http://10.0.0.5", NOT_SECURE),
            ("http://0.0.0.0:80", NOT_SECURE),
            ("http://x.localhost", NOT_SECURE),
        ] {
            let error = check(url).unwrap_err();
            assert!(error.starts_with(reason), "{url}: {error}");
            assert!(!error.contains("secret"), "{url}: {error}");
        }
    }

    proptest::proptest! {
        #[test]
        fn any_text_is_judged_and_what_is_taken_is_taken_again(url in "(https?://)?([a-z0-9@:/?#\\[\\]. ]{0,30}|.{0,30})") {
            if let Ok(taken) = check(&url) {
                proptest::prop_assert_eq!(check(&taken), Ok(taken.clone()));
            }
        }
    }
}
