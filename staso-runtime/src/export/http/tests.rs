mod tls;

use std::{
    io::{Read, Write},
    net::{TcpListener, TcpStream},
    sync::mpsc,
    thread,
    time::Duration,
};

use super::*;
use crate::record::{
    CallSite, Conversation, Finished, Resource, SpanKind, SpanRecord, TraceId, clock::WallTime,
};

static SITE: CallSite = CallSite::manual("step", SpanKind::Chain);

fn batch() -> Batch {
    let finished = Finished {
        site: &SITE,
        trace_id: "c931d6ba-7556-d4da-590b-842753685e5a".parse().unwrap(),
        span_id: "00000000-0000-0000-27a3-51b3e450c2c9".parse().unwrap(),
        parent: None,
        started: WallTime(1),
        duration: Duration::ZERO.into(),
        agent: None,
        conversation: None::<Arc<Conversation>>,
        log: Box::default(),
        provisional: false,
        announced: false,
        remote_parent: false,
    };
    let resource = Resource {
        agent_name: "a".to_owned(),
        agent_version: String::new(),
        environment: "default".to_owned(),
        workspace: "default".to_owned(),
        session_id: "s".to_owned(),
        git: Default::default(),
    };
    let span = SpanRecord::new(finished, Arc::new(resource), Default::default());
    Batch::new("13cf7899-6347-41ab-bff8-ff2aae6a639e".to_owned(), vec![span])
}

fn exporter(base_url: String) -> HttpExporter {
    let mut settings = HttpSettings::new(base_url, ApiKey::new("ak_canary"));
    // Far away: where a test needs a deadline to pass, it says so.
    settings.timeout = Duration::from_secs(60);
    HttpExporter::new(settings).unwrap()
}

fn read_request(stream: &mut TcpStream) -> String {
    let mut text = Vec::new();
    let mut chunk = [0; 4096];
    loop {
        let read = stream.read(&mut chunk).unwrap();
        text.extend_from_slice(&chunk[..read]);
        let text = String::from_utf8_lossy(&text);
        if let Some((head, body)) = text.split_once("\r\n\r\n") {
            let length = head
                .to_lowercase()
                .split_once("content-length: ")
                .map_or(0, |(_, rest)| rest.lines().next().unwrap().trim().parse::<usize>().unwrap());
            if body.len() >= length {
                return text.into_owned();
            }
        }
        assert!(read > 0, "the request breaks off: {text}");
    }
}

/// Answers one request on each connection, and hands the requests over.
fn server(answers: Vec<String>) -> (String, mpsc::Receiver<String>) {
    let listener = TcpListener::bind("127.0.0.1:0").unwrap();
    let base_url = format!("http://{}/prefix/", listener.local_addr().unwrap());
    let (sender, requests) = mpsc::channel();
    thread::spawn(move || {
        for answer in answers {
            let (mut stream, _) = listener.accept().unwrap();
            let request = read_request(&mut stream);
            // Who asks may not wait for the end of the answer.
            let _ = stream.write_all(answer.as_bytes());
            sender.send(request).unwrap();
        }
    });
    (base_url, requests)
}

fn answer(status: &str, headers: &str, body: &str) -> String {
    let length = body.len();
    format!("HTTP/1.1 {status}\r\nConnection: close\r\nContent-Length: {length}\r\n{headers}\r\n{body}")
}

fn ack() -> String {
    let body = format!(
        r#"{{"accepted":1,"rejected":0,"spans_dropped":0,"receipt_id":"{}"}}"#,
        batch().idempotency_key()
    );
    answer("202 Accepted", "", &body)
}

#[test]
fn every_attempt_sends_the_same_bytes_with_the_headers_of_the_contract() {
    let (base_url, requests) = server(vec![answer("503 Busy", "Retry-After: 9\r\n", "later"), ack()]);
    let mut exporter = exporter(base_url);
    let mut batch = batch();
    let error = exporter.export(&batch).unwrap_err();
    assert_eq!((error.kind(), error.retry_advice()), (FailureKind::BackendUnavailable, Retry::Backoff));
    batch.next_attempt();
    assert_eq!(exporter.export(&batch), Ok(()));

    let first = requests.recv().unwrap();
    assert_eq!(first, requests.recv().unwrap());
    assert!(first.starts_with("POST /prefix/v1/traces/ingest HTTP/1.1\r\n"), "{first}");
    for header in [
        "x-api-key: ak_canary",
        "content-type: application/json",
        "idempotency-key: 13cf7899-6347-41ab-bff8-ff2aae6a639e",
        concat!("user-agent: staso-rust/", env!("CARGO_PKG_VERSION")),
    ] {
        assert!(first.lines().any(|line| line.eq_ignore_ascii_case(header)), "{header} in {first}");
    }
}

#[test]
fn a_redirect_is_not_followed() {
    let elsewhere = TcpListener::bind("127.0.0.1:0").unwrap();
    elsewhere.set_nonblocking(true).unwrap();
    let location = format!("Location: http://{}/\r\n", elsewhere.local_addr().unwrap());
    for status in ["301 Moved", "302 Found", "307 Temporary", "308 Permanent"] {
        let (base_url, _requests) = server(vec![answer(status, &location, "")]);
        let error = exporter(base_url).export(&batch()).unwrap_err();
        assert_eq!((error.kind(), error.retry_advice()), (FailureKind::MalformedResponse, Retry::Never));
    }
    assert_eq!(elsewhere.accept().unwrap_err().kind(), std::io::ErrorKind::WouldBlock);
}

#[test]
fn an_answer_without_an_end_is_cut_at_its_limit() {
    let body = " ".repeat(ANSWER_LIMIT as usize + 1);
    let (base_url, _requests) = server(vec![answer("200 OK", "", &body)]);
    let error = exporter(base_url).export(&batch()).unwrap_err();
    assert_eq!((error.kind(), error.retry_advice()), (FailureKind::MalformedResponse, Retry::Never));
    assert!(error.message().contains("longer than 65536 bytes"), "{error}");
}

#[test]
fn a_backend_that_is_down_or_speaks_no_tls_is_a_matter_of_the_network() {
    let port = TcpListener::bind("127.0.0.1:0").unwrap().local_addr().unwrap();
    let error = exporter(format!("http://{port}")).export(&batch()).unwrap_err();
    assert_eq!((error.kind(), error.retry_advice()), (FailureKind::NetworkUnavailable, Retry::Backoff));

    let listener = TcpListener::bind("127.0.0.1:0").unwrap();
    let base_url = format!("https://{}", listener.local_addr().unwrap());
    thread::spawn(move || {
        let (mut stream, _) = listener.accept().unwrap();
        let _ = stream.read(&mut [0; 64]);
        let _ = stream.write_all(answer("400 Plain", "", "no TLS here").as_bytes());
    });
    let error = exporter(base_url).export(&batch()).unwrap_err();
    assert_eq!((error.kind(), error.retry_advice()), (FailureKind::NetworkUnavailable, Retry::Backoff));
    assert!(!error.to_string().contains("canary"), "{error}");
}

#[test]
fn a_host_that_nobody_knows_is_a_matter_of_the_network() {
    let error = exporter("https://backend.invalid".to_owned()).export(&batch()).unwrap_err();
    assert_eq!((error.kind(), error.retry_advice()), (FailureKind::NetworkUnavailable, Retry::Backoff));
    assert!(error.message().contains("https://backend.invalid"), "{error}");
}

#[test]
fn a_proxy_that_wants_a_password_says_so_and_never_sees_the_request() {
    let listener = TcpListener::bind("127.0.0.1:0").unwrap();
    let mut settings = HttpSettings::new("https://backend.invalid", ApiKey::new("ak_canary"));
    settings.proxy = ProxyChoice::Url(format!("http://{}", listener.local_addr().unwrap()));
    let (sender, requests) = mpsc::channel();
    thread::spawn(move || {
        let (mut stream, _) = listener.accept().unwrap();
        sender.send(read_request(&mut stream)).unwrap();
        let challenge = "Proxy-Authenticate: Basic\r\n";
        stream.write_all(answer("407 Proxy Authentication Required", challenge, "").as_bytes()).unwrap();
    });
    let error = HttpExporter::new(settings).unwrap().export(&batch()).unwrap_err();
    assert_eq!((error.kind(), error.retry_advice()), (FailureKind::NetworkUnavailable, Retry::Backoff));
    assert!(
        error.message().ends_with("the proxy asks for a user and password: put them into its URL"),
        "{error}"
    );
    let request = requests.recv().unwrap();
    assert!(request.starts_with("CONNECT backend.invalid:443 HTTP/1.1\r\n"), "{request}");
    assert!(!request.contains("canary"), "{request}");
}

#[test]
fn an_answer_that_breaks_off_is_a_matter_of_the_network() {
    for half in ["HTTP/1.1 20", "HTTP/1.1 200 OK\r\nContent-Length: 99\r\n\r\n{"] {
        let (base_url, _requests) = server(vec![half.to_owned()]);
        let error = exporter(base_url).export(&batch()).unwrap_err();
        assert_eq!(error.kind(), FailureKind::NetworkUnavailable, "{half:?}: {error}");
    }
}

#[test]
fn a_deadline_ends_a_request_that_nobody_answers() {
    let listener = TcpListener::bind("127.0.0.1:0").unwrap();
    let base_url = format!("http://{}", listener.local_addr().unwrap());
    let mut settings = HttpSettings::new(base_url, ApiKey::new("ak"));
    settings.timeout = Duration::from_millis(50);
    let error = HttpExporter::new(settings).unwrap().export(&batch()).unwrap_err();
    assert_eq!((error.kind(), error.retry_advice()), (FailureKind::Timeout, Retry::Backoff));
}

#[test]
fn an_interrupt_ends_the_request_under_way_and_all_that_follow() {
    let listener = TcpListener::bind("127.0.0.1:0").unwrap();
    let mut exporter = exporter(format!("http://{}", listener.local_addr().unwrap()));
    let interrupt = exporter.interrupt().unwrap();
    let (done, outcome) = mpsc::channel();
    thread::spawn(move || {
        for _ in 0..2 {
            done.send(exporter.export(&batch())).unwrap();
        }
    });
    let (mut stream, _) = listener.accept().unwrap();
    read_request(&mut stream);
    interrupt();
    for _ in 0..2 {
        let error = outcome.recv_timeout(Duration::from_secs(20)).unwrap().unwrap_err();
        assert_eq!(error.kind(), FailureKind::NetworkUnavailable, "{error}");
    }
}

#[test]
fn an_annotation_is_stored_whatever_a_status_below_400_says() {
    let trace_id: TraceId = "f6c65ef3-dc57-cfe1-80e6-8c077f765068".parse().unwrap();
    let annotation = Annotation::new("quality", 0.9).on(trace_id, None);
    let (base_url, requests) =
        server(vec![answer("201 Created", "", "<html>"), answer("404 Not Found", "", "")]);
    let mut exporter = exporter(base_url);
    assert_eq!(exporter.annotate(&annotation), Ok(()));
    let request = requests.recv().unwrap();
    assert!(
        request
            .starts_with("POST /prefix/v1/traces/f6c65ef3-dc57-cfe1-80e6-8c077f765068/annotations HTTP/1.1"),
        "{request}"
    );
    assert!(request.ends_with(r#"{"name":"quality","value":0.9,"data_type":"numeric"}"#), "{request}");
    assert!(!request.to_lowercase().contains("idempotency-key"), "{request}");
    assert_eq!(exporter.annotate(&annotation).unwrap_err().kind(), FailureKind::MalformedResponse);
}

/// Answers when it has read the head, then closes, with the body unread.
fn hasty_server(answer: String) -> String {
    let listener = TcpListener::bind("127.0.0.1:0").unwrap();
    let base_url = format!("http://{}", listener.local_addr().unwrap());
    thread::spawn(move || {
        let (mut stream, _) = listener.accept().unwrap();
        let mut head = Vec::new();
        while !head.ends_with(b"\r\n\r\n") {
            let mut byte = [0];
            stream.read_exact(&mut byte).unwrap();
            head.extend_from_slice(&byte);
        }
        stream.write_all(answer.as_bytes()).unwrap();
    });
    base_url
}

#[test]
fn the_refusal_of_an_annotation_that_was_not_read_is_heard_and_a_yes_is_none() {
    let trace_id: TraceId = "f6c65ef3-dc57-cfe1-80e6-8c077f765068".parse().unwrap();
    let annotation = Annotation::new("quality", 0.9).comment("c".repeat(12 << 20)).on(trace_id, None);
    for (status, kind) in [
        ("413 Too Large", FailureKind::MalformedResponse),
        ("401 Unauthorized", FailureKind::InvalidKey),
        ("503 Busy", FailureKind::BackendUnavailable),
        ("201 Created", FailureKind::NetworkUnavailable),
    ] {
        let error = exporter(hasty_server(answer(status, "", "hasty"))).annotate(&annotation).unwrap_err();
        assert_eq!(error.kind(), kind, "{status}: {error}");
    }
}

#[test]
fn a_single_span_that_is_too_large_says_what_to_do() {
    let (base_url, _requests) = server(vec![answer("413 Too Large", "", "")]);
    let error = exporter(base_url).export(&batch()).unwrap_err();
    assert_eq!((error.kind(), error.retry_advice()), (FailureKind::MalformedResponse, Retry::Never));
    assert!(error.message().contains("lower `field_limit`"), "{error}");
}

#[test]
fn a_base_url_that_is_none_is_refused() {
    for base_url in ["", "api.staso.ai", "localhost:80", "api.staso.ai/v1", "/v1", "http://", "ftp://host"] {
        assert!(HttpExporter::new(HttpSettings::new(base_url, ApiKey::new("ak"))).is_err(), "{base_url:?}");
    }
}
