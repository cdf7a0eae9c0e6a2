//! A flush inside a current-thread runtime: the sender needs none, so it does not block on it.

use std::time::Duration;

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
