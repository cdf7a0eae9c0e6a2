//! Certificates that a backend or whoever stands in front of it may show.

use std::{
    io::{Read as _, Write as _},
    net::TcpListener,
    sync::{Arc, mpsc},
    thread,
};

use rcgen::{BasicConstraints, CertificateParams, DnType, IsCa, Issuer, KeyPair, date_time_ymd};
use rustls::{
    ServerConfig, ServerConnection, StreamOwned,
    crypto::ring,
    pki_types::{CertificateDer, PrivateKeyDer, PrivatePkcs8KeyDer},
};

use super::{super::*, answer, batch};

/// An authority that signs what it is asked to.
struct Authority {
    issuer: Issuer<'static, KeyPair>,
    pem: String,
}

impl Authority {
    fn new(name: &str) -> Self {
        let mut params = CertificateParams::new(Vec::new()).unwrap();
        params.distinguished_name.push(DnType::CommonName, name);
        params.is_ca = IsCa::Ca(BasicConstraints::Unconstrained);
        let key = KeyPair::generate().unwrap();
        let pem = params.self_signed(&key).unwrap().pem();
        Self { issuer: Issuer::new(params, key), pem }
    }

    /// A server on the loopback interface that shows a certificate of this host, and answers once it has
    /// read the head of a request, of which it gives the first line.
    fn server(&self, host: &str, expired: bool, answer: String) -> (String, mpsc::Receiver<String>) {
        let mut params = CertificateParams::new([host.to_owned()]).unwrap();
        if expired {
            params.not_after = date_time_ymd(2020, 1, 1);
        }
        let key = KeyPair::generate().unwrap();
        let certificate: CertificateDer<'static> = params.signed_by(&key, &self.issuer).unwrap().into();
        let key = PrivateKeyDer::Pkcs8(PrivatePkcs8KeyDer::from(key.serialize_der()));
        let config = ServerConfig::builder_with_provider(Arc::new(ring::default_provider()))
            .with_safe_default_protocol_versions()
            .unwrap()
            .with_no_client_auth()
            .with_single_cert(vec![certificate], key)
            .unwrap();
        let listener = TcpListener::bind("127.0.0.1:0").unwrap();
        let base_url = format!("https://localhost:{}", listener.local_addr().unwrap().port());
        let (sender, requests) = mpsc::channel();
        thread::spawn(move || {
            let (stream, _) = listener.accept().unwrap();
            // What waits for an acknowledgement when the connection is reset is never sent.
            stream.set_nodelay(true).unwrap();
            let mut stream = StreamOwned::new(ServerConnection::new(Arc::new(config)).unwrap(), stream);
            let mut head = Vec::new();
            while !head.ends_with(b"\r\n\r\n") {
                let mut byte = [0];
                if stream.read_exact(&mut byte).is_err() {
                    return;
                }
                head.extend_from_slice(&byte);
            }
            stream.write_all(answer.as_bytes()).unwrap();
            stream.conn.send_close_notify();
            let _ = stream.flush();
            let head = String::from_utf8(head).unwrap();
            sender.send(head.lines().next().unwrap_or_default().to_owned()).unwrap();
        });
        (base_url, requests)
    }

    /// An exporter that trusts this authority and no other.
    fn trusted_by(&self, base_url: String) -> HttpExporter {
        let mut settings = HttpSettings::new(base_url, ApiKey::new("ak_canary"));
        settings.tls_roots = TlsRoots::Only(vec![self.pem.clone().into_bytes()]);
        HttpExporter::new(settings).unwrap()
    }
}

#[test]
fn a_certificate_that_is_not_the_backends_is_a_matter_of_the_network_and_nothing_is_sent() {
    let (authority, stranger) = (Authority::new("ours"), Authority::new("a stranger"));
    for (case, (base_url, requests), cause) in [
        ("another host", authority.server("example.org", false, ack_of_nothing()), "not valid for name"),
        ("expired", authority.server("localhost", true, ack_of_nothing()), "expired"),
        ("another authority", stranger.server("localhost", false, ack_of_nothing()), "UnknownIssuer"),
    ] {
        let error = authority.trusted_by(base_url).export(&batch()).unwrap_err();
        assert_eq!(
            (error.kind(), error.retry_advice()),
            (FailureKind::NetworkUnavailable, Retry::Backoff),
            "{case}: {error}"
        );
        assert!(error.message().contains(cause), "{case}: {error}");
        assert!(requests.recv().is_err(), "{case}: no request");
    }
}

fn ack_of_nothing() -> String {
    answer("200 OK", "", "{}")
}

#[test]
fn an_authority_of_ones_own_is_trusted() {
    let authority = Authority::new("ours");
    let (base_url, requests) = authority.server("localhost", false, answer("401 Unauthorized", "", ""));
    let error = authority.trusted_by(base_url).export(&batch()).unwrap_err();
    assert_eq!(error.kind(), FailureKind::InvalidKey, "{error}");
    assert_eq!(requests.recv().unwrap(), "POST /v1/traces/ingest HTTP/1.1");
}

#[test]
fn a_refusal_that_comes_early_is_heard_under_tls() {
    let authority = Authority::new("ours");
    let (base_url, _requests) = authority.server("localhost", false, answer("413 Too Large", "", ""));
    let trace_id = "f6c65ef3-dc57-cfe1-80e6-8c077f765068".parse().unwrap();
    let annotation = Annotation::new("quality", 0.9).comment("c".repeat(12 << 20)).on(trace_id, None);
    let error = authority.trusted_by(base_url).annotate(&annotation).unwrap_err();
    assert_eq!(error.kind(), FailureKind::MalformedResponse, "{error}");
}
