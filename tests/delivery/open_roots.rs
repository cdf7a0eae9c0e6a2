//! Announcements of roots that run: bounded like every request, and never the concern of spans that ended.

use std::{
    future,
    pin::Pin,
    sync::mpsc,
    task::{Context, Waker},
    thread,
    time::Duration,
};

use staso::{
    Exporter,
    export::{Batch, Export, ExportError, FailureKind, Retry},
    testing::ManualClock,
};

use crate::{
    harness::{LONG, Scripted, Turn, builder, client_at, counts, exclusive, record},
    support::server::{Arrival, Server, Step, spans},
};

/// An agent's run that does not end by itself.
struct OpenRun(Option<Pin<Box<dyn Future<Output = ()>>>>);

impl OpenRun {
    fn start(prompt: String) -> Self {
        let mut run: Pin<Box<dyn Future<Output = ()>>> = Box::pin(run(prompt));
        assert!(run.as_mut().poll(&mut Context::from_waker(Waker::noop())).is_pending());
        Self(Some(run))
    }

    fn end(mut self) {
        self.0 = None;
    }
}

#[staso::agent]
async fn run(prompt: String) {
    future::pending::<()>().await;
    drop(prompt);
}

fn is_announcement(span: &serde_json::Value) -> bool {
    span["attributes"].as_str().is_some_and(|attributes| attributes.contains("staso.provisional_root"))
}

/// How many announcements and how many spans that ended each request holds.
fn pictures(arrivals: &[Arrival]) -> Vec<(usize, usize)> {
    arrivals
        .iter()
        .map(|arrival| spans(std::slice::from_ref(arrival)))
        .map(|spans| (spans.iter().filter(|span| is_announcement(span)).count(), spans))
        .map(|(announcements, spans)| (announcements, spans.len() - announcements))
        .collect()
}

const MIB: usize = 1024 * 1024;

#[test]
fn open_roots() {
    let _exclusive = exclusive();
    let server = Server::with_limit(32 * MIB);
    // Looking for credentials in 36 MB is slow without optimization.
    let settings = builder().base_url(server.url()).mask_credentials(false);
    let client = settings.init().expect("valid settings");
    let runs: Vec<OpenRun> = (0..600).map(|_| OpenRun::start("p".repeat(60_000))).collect();
    record(50);
    let report = client.flush(LONG);
    assert_eq!((report.delivered(), report.ok()), (50, true), "{}", counts(&report));
    let arrivals = server.arrivals();
    let pictures = pictures(&arrivals);
    assert_eq!(pictures.iter().map(|(announcements, _)| announcements).sum::<usize>(), 600);
    for ((announcements, ended), arrival) in pictures.iter().zip(&arrivals) {
        assert!(*announcements == 0 || *ended == 0, "{pictures:?}");
        assert!(announcements + ended <= 100, "{pictures:?}");
        assert!(arrival.body.len() <= 4 * MIB + 64 * 1024, "{} bytes", arrival.body.len());
    }
    drop(runs);
    let report = client.flush(LONG);
    assert_eq!((report.delivered(), report.ok()), (650, true), "{}", counts(&report));
}

#[test]
fn announcements_obey_the_batch_size() {
    let _exclusive = exclusive();
    let (exporter, batches) = Scripted::new([]);
    let client =
        builder().exporter(Exporter::custom(exporter)).batch_size(10).init().expect("valid settings");
    let runs: Vec<OpenRun> = (0..25).map(|_| OpenRun::start(String::new())).collect();
    assert!(client.flush(LONG).ok());
    assert_eq!(batches.try_iter().map(|batch| batch.len()).collect::<Vec<_>>(), [10, 10, 5]);
    assert!(client.flush(LONG).ok());
    assert!(batches.try_recv().is_err(), "each is announced once");
    drop(runs);
}

#[test]
fn an_announcement_that_fails_fails_no_span_is_not_counted_and_is_tried_again() {
    let _exclusive = exclusive();
    let clock = ManualClock::new();
    let (exporter, batches) = Failing::new(|batch, earlier| {
        let outage = ExportError::new(FailureKind::BackendUnavailable, "an outage").retry(Retry::Backoff);
        if is_running(batch) && earlier == 0 { Err(outage) } else { Ok(()) }
    });
    let client =
        builder().exporter(Exporter::custom(exporter)).clock(clock.clone()).init().expect("valid settings");
    let interval = clock.wait_for_wait(1);
    let open = OpenRun::start(String::new());
    record(1);
    clock.advance(interval);
    let _ = clock.wait_for_wait(2);
    assert_eq!(batches.try_iter().collect::<Vec<_>>(), ["step", "run"], "one attempt, behind what ended");
    let report = client.report();
    assert_eq!((report.delivered(), report.failed()), (1, 0), "{}", counts(&report));
    record(1);
    clock.advance(interval);
    let _ = clock.wait_for_wait(3);
    assert_eq!(batches.try_iter().collect::<Vec<_>>(), ["step"], "what ended does not cool down with it");
    clock.advance(interval);
    let _ = clock.wait_for_wait(4);
    assert_eq!(batches.try_iter().collect::<Vec<_>>(), ["run"], "the outage is over");
    open.end();
    let report = client.flush(LONG);
    assert_eq!((report.accepted(), report.delivered()), (3, 3), "{}", counts(&report));
}

#[test]
fn a_root_that_ends_before_its_announcement_is_sent_costs_one_record() {
    let _exclusive = exclusive();
    let (exporter, batches) = Failing::new(|batch, _| {
        let outage = ExportError::new(FailureKind::Timeout, "an outage").retry(Retry::Backoff);
        if is_running(batch) { Err(outage) } else { Ok(()) }
    });
    let client = builder().exporter(Exporter::custom(exporter)).init().expect("valid settings");
    let open = OpenRun::start(String::new());
    assert!(client.flush(LONG).ok());
    open.end();
    assert!(client.flush(LONG).ok());
    assert_eq!(batches.try_iter().collect::<Vec<_>>(), ["run", "run"], "tried once, then ended");
}

#[test]
fn an_announcement_that_is_refused_for_good_is_not_tried_again() {
    let _exclusive = exclusive();
    let (exporter, batches) = Failing::new(|batch, _| {
        let refusal = ExportError::new(FailureKind::Forbidden, "as the script says");
        if is_running(batch) { Err(refusal) } else { Ok(()) }
    });
    let client = builder().exporter(Exporter::custom(exporter)).init().expect("valid settings");
    let open = OpenRun::start(String::new());
    for _ in 0..3 {
        assert!(client.flush(LONG).ok());
    }
    assert_eq!(batches.try_iter().collect::<Vec<_>>(), ["run"]);
    open.end();
}

#[test]
fn a_wait_that_the_backend_asks_for_puts_announcements_off_and_no_flush() {
    let _exclusive = exclusive();
    let server = Server::script_then_ack([Step::reply_with(429, "Retry-After", "30", "")]);
    let clock = ManualClock::new();
    let client = client_at(&server.url(), &clock);
    let open = OpenRun::start(String::new());
    assert!(client.flush(LONG).ok(), "one attempt and no wait");
    record(1);
    assert!(client.flush(LONG).ok());
    assert_eq!(pictures(&server.arrivals()), [(1, 0), (0, 1)], "the announcement waits");
    clock.advance(Duration::from_secs(30));
    assert!(client.flush(LONG).ok());
    assert_eq!(pictures(&server.arrivals()), [(1, 0), (0, 1), (1, 0)]);
    open.end();
}

#[test]
fn announcements_after_an_outage_wait_for_its_end() {
    let _exclusive = exclusive();
    let (exporter, batches) = Scripted::new([Turn::Fail(FailureKind::NetworkUnavailable)]);
    let client = builder().exporter(Exporter::custom(exporter)).init().expect("valid settings");
    let open = OpenRun::start(String::new());
    record(1);
    assert_eq!(client.flush(LONG).failed(), 1);
    assert_eq!(batches.try_iter().collect::<Vec<_>>(), [["step"]], "the backend is away");
    assert!(client.flush(LONG).failed() == 1);
    assert_eq!(batches.try_iter().collect::<Vec<_>>(), [["run"]]);
    open.end();
}

#[test]
fn spans_that_ended_go_before_announcements_at_a_shutdown_that_has_little_time() {
    let _exclusive = exclusive();
    let (entered, announcing) = mpsc::channel();
    let (go_on, gate) = mpsc::channel();
    let (exporter, batches) = Scripted::new([Turn::Block(entered, gate)]);
    let client = builder().exporter(Exporter::custom(exporter)).init().expect("valid settings");
    let open = OpenRun::start(String::new());
    // The announcement is under way when spans end and the shutdown comes.
    let report = thread::scope(|threads| {
        let flush = threads.spawn(|| client.flush(LONG));
        announcing.recv().expect("the exporter has the announcement");
        record(3);
        drop(go_on);
        assert!(!flush.join().expect("flush returns").timed_out());
        client.shutdown(LONG)
    });
    assert_eq!((report.delivered(), report.pending()), (4, 0), "{}", counts(&report));
    // The run itself comes last, unfinished.
    assert_eq!(batches.try_iter().map(|batch| batch.len()).collect::<Vec<_>>(), [1, 3, 1]);
    open.end();
}

#[test]
fn full_batches_without_a_pause_do_not_keep_runs_from_being_announced() {
    let _exclusive = exclusive();
    let clock = ManualClock::new();
    let (exporter, batches) = Scripted::new([]);
    let client = builder()
        .exporter(Exporter::custom(exporter))
        .clock(clock.clone())
        .batch_size(2)
        .init()
        .expect("valid settings");
    let _ = clock.wait_for_wait(1);
    let open = OpenRun::start(String::new());
    for round in 1..=6 {
        // Never a whole interval without a full batch.
        clock.advance(Duration::from_millis(100));
        record(2);
        let _ = clock.wait_for_wait(round + 1);
    }
    let sent: Vec<_> = batches.try_iter().flatten().collect();
    assert!(sent.contains(&"run".to_owned()), "{sent:?}");
    open.end();
    assert!(client.flush(LONG).ok());
}

fn is_running(batch: &Batch) -> bool {
    batch.spans().iter().any(|span| span.is_provisional())
}

/// An exporter that decides by the batch, and by how many that it failed before.
struct Failing<F> {
    decide: F,
    failed: usize,
    seen: mpsc::Sender<String>,
}

impl<F: FnMut(&Batch, usize) -> Result<(), ExportError> + Send + 'static> Failing<F> {
    /// The exporter, and the names of the spans that it is given.
    fn new(decide: F) -> (Self, mpsc::Receiver<String>) {
        let (seen, names) = mpsc::channel();
        (Self { decide, failed: 0, seen }, names)
    }
}

impl<F: FnMut(&Batch, usize) -> Result<(), ExportError> + Send + 'static> Export for Failing<F> {
    fn export(&mut self, batch: &Batch) -> Result<(), ExportError> {
        for span in batch.spans() {
            let _ = self.seen.send(span.name().to_owned());
        }
        let outcome = (self.decide)(batch, self.failed);
        self.failed += usize::from(outcome.is_err());
        outcome
    }
}
