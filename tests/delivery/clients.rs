//! One client after another, and the ends of each.

use std::cell::RefCell;
use std::sync::Barrier;
use std::thread;
use std::time::Duration;

use staso::{Exporter, Span, export::FailureKind};

use crate::{
    harness::{LONG, builder, counts, exclusive, record},
    support::server::{Server, Step, gate},
};

#[test]
fn after_a_shutdown_every_report_is_empty_and_ok() {
    let _exclusive = exclusive();
    let client = builder().exporter(Exporter::none()).init().expect("valid settings");
    record(1);
    assert_eq!(client.shutdown(LONG).delivered(), 1);
    for report in [client.shutdown(LONG), client.flush(LONG), staso::flush(LONG), staso::shutdown(LONG)] {
        assert_eq!((report.accepted(), report.last_failure()), (0, Some(FailureKind::Disabled)));
        assert!(report.ok());
    }
    assert_eq!(client.report().delivered(), 1, "the counts stay readable");
}

#[test]
fn a_second_client_retires_the_first_and_keeps_its_report() {
    let _exclusive = exclusive();
    let first_memory = Exporter::memory();
    let second_memory = Exporter::memory();
    let first = builder().exporter(first_memory.clone()).init().expect("valid settings");
    record(2);
    let second = Span::builder("open").in_scope(|_| {
        let second = builder().exporter(second_memory.clone()).init().expect("valid settings");
        record(1);
        second
    });
    let last = second.previous_shutdown_report().map(|report| report.delivered());
    assert_eq!(last, Some(3), "the open span is delivered unfinished");
    assert!(second.flush(LONG).ok());
    assert_eq!(second_memory.spans().len(), 1);
    assert_eq!(first_memory.spans().len(), 3);
    let report = first.report();
    assert_eq!(report.rejected(), 1, "the open span ended on the client it began on: {}", counts(&report));
    drop(first);
    record(1);
    assert_eq!(second.flush(LONG).delivered(), 2, "dropping a retired client leaves its successor alone");
}

#[test]
fn clients_that_start_at_once_lose_nothing_between_them() {
    let _exclusive = exclusive();
    let barrier = Barrier::new(8);
    let clients: Vec<_> = thread::scope(|threads| {
        let starts: Vec<_> = (0..8)
            .map(|_| {
                threads.spawn(|| {
                    barrier.wait();
                    let client = builder().exporter(Exporter::none()).init().expect("valid settings");
                    record(50);
                    client
                })
            })
            .collect();
        starts.into_iter().map(|start| start.join().expect("started")).collect()
    });
    let _ = staso::flush(LONG);
    let reports: Vec<_> = clients.iter().map(staso::Client::report).collect();
    let ended: u64 = reports.iter().map(|report| report.accepted() + report.rejected()).sum();
    assert_eq!(ended, 400);
    for report in &reports {
        let _ = counts(report);
        assert_eq!(report.pending(), 0);
    }
}

#[test]
fn a_client_in_a_thread_local_delivers_when_its_thread_ends() {
    thread_local! {
        static KEPT: RefCell<Option<staso::Client>> = const { RefCell::new(None) };
    }
    let _exclusive = exclusive();
    for uses_staso_first in [true, false] {
        let memory = Exporter::memory();
        let exporter = memory.clone();
        let thread = thread::spawn(move || {
            if !uses_staso_first {
                KEPT.with_borrow_mut(|kept| *kept = None);
            }
            record(1);
            let client = builder().exporter(exporter).init().expect("valid settings");
            KEPT.with_borrow_mut(|kept| *kept = Some(client));
            record(2);
        });
        thread.join().expect("the thread ends");
        assert_eq!(memory.spans().len(), 2, "{uses_staso_first}");
    }
}

#[test]
fn a_client_that_is_not_kept_shuts_down_at_once() {
    let _exclusive = exclusive();
    let _ = builder().exporter(Exporter::none()).init().expect("valid settings");
    record(1);
    assert_eq!(staso::flush(LONG).last_failure(), Some(FailureKind::Disabled));
}

#[test]
fn a_disabled_client_needs_nothing_and_records_nothing() {
    let _exclusive = exclusive();
    let client = staso::builder().api_key("change-me").enabled(false).init().expect("cannot fail");
    record(1);
    let report = client.flush(LONG);
    assert_eq!(
        (report.accepted(), report.last_failure(), report.ok()),
        (0, Some(FailureKind::Disabled), true)
    );
}

#[test]
fn a_shutdown_out_of_time_cuts_a_request_short_and_leaves_its_spans_pending() {
    let _exclusive = exclusive();
    let (gate, opener) = gate();
    let server = Server::script([Step::Park(gate)]);
    let client = builder().base_url(server.url()).init().expect("valid settings");
    record(3);
    let report = client.shutdown(Duration::from_millis(100));
    assert_eq!(report.pending(), 3, "{}", counts(&report));
    assert_eq!((report.timed_out(), report.last_failure()), (true, Some(FailureKind::Timeout)));
    opener.open();
}

#[test]
fn a_shutdown_does_not_sit_out_a_retry_wait_that_is_longer_than_it_may_take() {
    let _exclusive = exclusive();
    let server = Server::script([Step::reply_with(429, "Retry-After", "60", "")]);
    let client = builder().base_url(server.url()).init().expect("valid settings");
    record(1);
    let report = client.shutdown(LONG);
    assert_eq!(report.pending(), 1, "{}", counts(&report));
    assert!(report.timed_out());
}

#[test]
fn a_flush_out_of_time_loses_nothing() {
    let _exclusive = exclusive();
    let (gate, opener) = gate();
    let server = Server::script([Step::Hold(gate)]);
    let client = builder().base_url(server.url()).init().expect("valid settings");
    record(1);
    let report = client.flush(Duration::from_millis(50));
    assert_eq!((report.timed_out(), report.pending()), (true, 1), "{}", counts(&report));
    opener.open();
    let report = client.flush(LONG);
    assert_eq!((report.delivered(), report.ok()), (1, true));
}
