use std::net::IpAddr;

use ureq::{
    Agent, Proxy, ProxyProtocol,
    config::Config,
    http::Uri,
    tls::{PemItem, RootCerts, TlsConfig, parse_pem},
    unversioned::{
        resolver::DefaultResolver,
        transport::{ConnectProxyConnector, Connector as _, RustlsConnector},
    },
};

use super::{
    connection::{CutShort, TcpConnector},
    settings::{HttpSettings, ProxyChoice, TlsRoots},
};

/// The client, with every setting that matters: its own defaults have no deadline, follow redirects
/// and take 4xx for failures of the transport.
pub(super) fn new(settings: &HttpSettings, cut_short: CutShort) -> Result<Agent, String> {
    let config = Config::builder()
        .timeout_global(Some(settings.timeout))
        .max_redirects(0)
        .http_status_as_error(false)
        .user_agent(concat!("staso-rust/", env!("CARGO_PKG_VERSION")))
        .accept_encoding("identity")
        .proxy(proxy(settings)?)
        .tls_config(TlsConfig::builder().root_certs(root_certificates(&settings.tls_roots)?).build())
        .build();
    // The client's own connector, but for the connections themselves.
    let connector =
        ().chain(ConnectProxyConnector::default())
            .chain(TcpConnector { cut_short })
            .chain(RustlsConnector::default());
    Ok(Agent::with_parts(config, connector, DefaultResolver::default()))
}

fn proxy(settings: &HttpSettings) -> Result<Option<Proxy>, String> {
    if is_loopback(&host(&settings.base_url)?) {
        return Ok(None);
    }
    match &settings.proxy {
        ProxyChoice::Off => Ok(None),
        ProxyChoice::Environment => Ok(Proxy::try_from_env().filter(is_supported)),
        ProxyChoice::Url(url) => match Proxy::new(url) {
            Ok(proxy) if is_supported(&proxy) => Ok(Some(proxy)),
            _ => Err("the proxy must be an http:// or https:// URL with a host".to_owned()),
        },
    }
}

fn host(base_url: &str) -> Result<String, String> {
    let url: Option<Uri> = base_url.parse().ok();
    url.filter(|url| matches!(url.scheme_str(), Some("http" | "https")))
        .and_then(|url| url.host().map(str::to_owned))
        .filter(|host| !host.is_empty())
        .ok_or_else(|| "base_url must be an absolute HTTP(S) URL".to_owned())
}

fn is_supported(proxy: &Proxy) -> bool {
    matches!(proxy.protocol(), ProxyProtocol::Http | ProxyProtocol::Https)
}

fn is_loopback(host: &str) -> bool {
    let address = host.trim_start_matches('[').trim_end_matches(']');
    host.eq_ignore_ascii_case("localhost")
        || address.parse::<IpAddr>().is_ok_and(|address| address.is_loopback())
}

fn root_certificates(roots: &TlsRoots) -> Result<RootCerts, String> {
    let TlsRoots::Only(pems) = roots else { return Ok(RootCerts::WebPki) };
    let mut certificates = Vec::new();
    for (index, pem) in pems.iter().enumerate() {
        let before = certificates.len();
        for item in parse_pem(pem) {
            match item {
                Ok(PemItem::Certificate(certificate)) => certificates.push(certificate),
                Ok(_) => {}
                Err(_) => return Err(format!("root certificate {}: the PEM text is damaged", index + 1)),
            }
        }
        if certificates.len() == before {
            return Err(format!("root certificate {}: the PEM text holds no certificate", index + 1));
        }
    }
    if certificates.is_empty() {
        return Err("no root certificate is left to trust: give one, or keep the bundled ones".to_owned());
    }
    Ok(certificates.into())
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::export::http::ApiKey;

    fn settings(base_url: &str, proxy: &str) -> HttpSettings {
        let mut settings = HttpSettings::new(base_url, ApiKey::new("ak"));
        settings.proxy = ProxyChoice::Url(proxy.to_owned());
        settings
    }

    #[test]
    fn loopback_backends_are_reached_without_the_proxy() {
        for (base_url, direct) in [
            ("http://localhost:8080", true),
            ("http://LOCALHOST", true),
            ("http://127.0.0.1:1", true),
            ("http://127.1.2.3/prefix", true),
            ("http://[::1]:8080", true),
            ("https://x.localhost", false),
            ("https://api.staso.ai", false),
            ("https://10.0.0.5", false),
        ] {
            let proxy = proxy(&settings(base_url, "http://user:pass@proxy:3128")).unwrap();
            assert_eq!(proxy.is_none(), direct, "{base_url}");
        }
    }

    #[test]
    fn a_proxy_that_cannot_be_used_is_refused_without_its_credentials() {
        for url in ["socks5://user:canary@proxy", "", "http://user:canary@", "ftp://canary@proxy"] {
            let message = proxy(&settings("https://api.staso.ai", url)).unwrap_err();
            assert_eq!(message, "the proxy must be an http:// or https:// URL with a host", "{url}");
        }
    }

    #[test]
    fn root_certificates_that_are_none_are_refused() {
        for (pems, message) in [
            (vec![], "no root certificate is left to trust: give one, or keep the bundled ones"),
            (vec![b"hello".to_vec()], "root certificate 1: the PEM text holds no certificate"),
            (
                vec![b"-----BEGIN CERTIFICATE-----\n!\n-----END CERTIFICATE-----\n".to_vec()],
                "root certificate 1: the PEM text is damaged",
            ),
        ] {
            assert_eq!(root_certificates(&TlsRoots::Only(pems)).unwrap_err(), message);
        }
    }
}
