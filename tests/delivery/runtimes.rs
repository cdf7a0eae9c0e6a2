//! A flush inside a current-thread runtime: the sender needs none, so it does not block on it.

use std::{io, time::Duration};

use staso::Exporter;

use crate::harness::{LONG, builder, exclusive, record};

#[test]
fn a_flush_inside_a_current_thread_runtime_delivers() {
    let _exclusive = exclusive();
    let server = crate::support::server::Server::acknowledging();
    let client = builder().base_url(server.url()).init().expect("valid settings");
    let runtime = tokio::runtime::Builder::new_current_thread().build().expect("a runtime");
    let report = runtime.block_on(async {
        record(1);
        client.flush(LONG)
    });
    assert!(report.ok(), "{report}");
}

#[test]
fn a_flush_that_blocks_its_own_backend_returns_at_its_deadline() {
    let _exclusive = exclusive();
    let runtime = tokio::runtime::Builder::new_current_thread().enable_io().build().expect("a runtime");
    runtime.block_on(async {
        // It listens, and nothing answers while this thread is in `flush`.
        let listener = tokio::net::TcpListener::bind("127.0.0.1:0").await.expect("a free port");
        let url = format!("http://{}", listener.local_addr().expect("bound"));
        let client = builder().base_url(url).init().expect("valid settings");
        record(1);
        let report = client.flush(Duration::from_millis(50));
        assert!(report.timed_out());
        assert_eq!(report.pending(), 1);
        let _ = client.shutdown(Duration::ZERO);
    });
}

/// Answers one request as Staso does, without ever blocking the thread.
async fn answer_one(listener: &tokio::net::TcpListener) -> io::Result<()> {
    let (stream, _) = listener.accept().await?;
    let mut read = Vec::new();
    let key = loop {
        stream.readable().await?;
        let mut buffer = [0; 4096];
        match stream.try_read(&mut buffer) {
            Ok(count) => read.extend_from_slice(&buffer[..count]),
            Err(error) if error.kind() == io::ErrorKind::WouldBlock => continue,
            Err(error) => return Err(error),
        }
        let text = String::from_utf8_lossy(&read).to_ascii_lowercase();
        let header = |name: &str| {
            text.lines().find_map(|line| line.strip_prefix(name).map(str::trim).map(str::to_owned))
        };
        let (Some(length), Some(key)) = (header("content-length:"), header("idempotency-key:")) else {
            continue;
        };
        if text.split_once("\r\n\r\n").is_some_and(|(_, body)| body.len().to_string() == length) {
            break key;
        }
    };
    let body = format!(r#"{{"accepted":1,"rejected":0,"spans_dropped":0,"receipt_id":"{key}"}}"#);
    stream.writable().await?;
    let answer = format!("HTTP/1.1 200 OK\r\nContent-Length: {}\r\n\r\n{body}", body.len());
    stream.try_write(answer.as_bytes()).map(drop)
}

#[test]
fn an_awaited_flush_and_shutdown_deliver_to_a_backend_on_the_same_thread() {
    let _exclusive = exclusive();
    let runtime = tokio::runtime::Builder::new_current_thread().enable_io().build().expect("a runtime");
    runtime.block_on(async {
        let listener = tokio::net::TcpListener::bind("127.0.0.1:0").await.expect("a free port");
        let url = format!("http://{}", listener.local_addr().expect("bound"));
        let client = builder().base_url(url).init().expect("valid settings");
        record(1);
        let (report, answered) = tokio::join!(client.flush_async(LONG), answer_one(&listener));
        answered.expect("a request");
        assert_eq!((report.delivered(), report.ok()), (1, true), "{report}");
        record(1);
        // The first connection is closed, so that this request comes by another.
        let (report, answered) = tokio::join!(staso::shutdown_async(LONG), answer_one(&listener));
        answered.expect("a request");
        assert_eq!((report.delivered(), report.ok()), (2, true), "{report}");
    });
}

#[test]
fn dropping_the_client_inside_a_runtime_delivers() {
    let _exclusive = exclusive();
    let memory = Exporter::memory();
    let runtime = tokio::runtime::Builder::new_current_thread().build().expect("a runtime");
    runtime.block_on(async {
        let _staso = builder().exporter(memory.clone()).init().expect("valid settings");
        record(2);
    });
    assert_eq!(memory.spans().len(), 2);
}
