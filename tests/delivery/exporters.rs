//! Exporters that panic, are traced themselves, or call back into Staso.

use std::sync::{
    Arc,
    atomic::{AtomicUsize, Ordering},
};

use staso::{
    Annotation, DeliveryReport, Export, Exporter, Span,
    export::{Batch, ExportError, FailureKind},
};

use crate::harness::{LONG, Scripted, Turn, builder, counts, exclusive, record};

#[test]
fn an_exporter_that_panics_loses_its_batch_and_not_the_next() {
    let _exclusive = exclusive();
    let (exporter, _batches) = Scripted::new([Turn::Panic, Turn::Fail(FailureKind::Forbidden)]);
    let client = builder().exporter(Exporter::custom(exporter)).init().expect("valid settings");
    record(1);
    assert_eq!(client.flush(LONG).last_failure(), Some(FailureKind::Exporter));
    record(1);
    assert_eq!(client.flush(LONG).last_failure(), Some(FailureKind::Forbidden));
    record(1);
    let report = client.flush(LONG);
    assert_eq!((report.delivered(), report.failed()), (1, 2), "{}", counts(&report));
}

#[test]
fn an_exporter_is_told_which_spans_are_the_outermost_of_this_process() {
    let _exclusive = exclusive();
    let memory = Exporter::memory();
    let client = builder().exporter(memory.clone()).init().expect("valid settings");
    let caller = staso::Context::extract_with(|name| {
        let header = "00-0af7651916cd43dd8448eb211c80319c-b7ad6b7169203331-01";
        (name == "traceparent").then(|| header.to_owned())
    });
    caller.scope(|| Span::builder("served").in_scope(|_| Span::builder("inner").in_scope(|_| ())));
    Span::builder("root").in_scope(|_| ());
    assert!(client.flush(LONG).ok());
    let spans = memory.spans();
    let outermost: Vec<_> = spans.iter().map(|span| (span.name(), span.is_local_root())).collect();
    assert_eq!(outermost, [("inner", false), ("served", true), ("root", true)]);
    assert!(spans[1].parent_span_id().is_some(), "its parent is a span of the caller");
}

#[test]
fn an_exporter_that_is_traced_makes_no_spans_of_its_own() {
    #[staso::tool]
    fn send() {
        Span::builder("inside the exporter").in_scope(|_| ());
    }
    struct Traced(Arc<AtomicUsize>);
    impl Export for Traced {
        fn export(&mut self, batch: &Batch) -> Result<(), ExportError> {
            send();
            self.0.fetch_add(batch.spans().len(), Ordering::Relaxed);
            Ok(())
        }
    }
    let _exclusive = exclusive();
    let sent = Arc::new(AtomicUsize::new(0));
    let client =
        builder().exporter(Exporter::custom(Traced(Arc::clone(&sent)))).init().expect("valid settings");
    record(1);
    for _ in 0..100 {
        assert_eq!(client.flush(LONG).accepted(), 1);
    }
    assert_eq!(sent.load(Ordering::Relaxed), 1);
}

#[test]
fn annotations_that_time_out_one_by_one_do_not_keep_spans_waiting() {
    struct Silent(Vec<&'static str>, std::sync::mpsc::Sender<Vec<&'static str>>);
    impl Export for Silent {
        fn export(&mut self, _: &Batch) -> Result<(), ExportError> {
            self.0.push("spans");
            let _ = self.1.send(std::mem::take(&mut self.0));
            Ok(())
        }
        fn annotate(&mut self, _: &Annotation) -> Result<(), ExportError> {
            self.0.push("annotation");
            Err(ExportError::new(FailureKind::Timeout, "no answer"))
        }
    }
    let _exclusive = exclusive();
    let (calls, called) = std::sync::mpsc::channel();
    let exporter = Exporter::custom(Silent(Vec::new(), calls));
    let client = builder().exporter(exporter).flush_interval(LONG * 100).init().expect("valid settings");
    Span::builder("rated").in_scope(|span| (0..5).for_each(|n| span.annotate("score", n)));
    let report = client.flush(LONG);
    assert_eq!(called.recv_timeout(LONG).expect("exported"), ["annotation", "spans"]);
    let annotations = report.annotations();
    assert_eq!((report.delivered(), annotations.failed, annotations.pending()), (1, 1, 4), "{report}");
}

#[test]
fn a_flush_from_the_sender_returns_at_once() {
    struct Flushes(std::sync::mpsc::Sender<DeliveryReport>);
    impl Export for Flushes {
        fn export(&mut self, _: &Batch) -> Result<(), ExportError> {
            let _ = self.0.send(staso::flush(LONG));
            Ok(())
        }
    }
    let _exclusive = exclusive();
    let (reports, report) = std::sync::mpsc::channel();
    let client = builder().exporter(Exporter::custom(Flushes(reports))).init().expect("valid settings");
    record(1);
    assert!(client.flush(LONG).ok());
    assert!(report.recv_timeout(LONG).expect("exported").timed_out());
}

#[test]
fn a_logger_that_is_traced_makes_no_spans_of_the_sdks_own_records() {
    struct Traced;
    impl log::Log for Traced {
        fn enabled(&self, _: &log::Metadata<'_>) -> bool {
            true
        }
        fn log(&self, record: &log::Record<'_>) {
            assert!(!record.args().to_string().contains(crate::harness::CANARY_KEY));
            Span::builder("logging").in_scope(|_| ());
        }
        fn flush(&self) {}
    }
    let _exclusive = exclusive();
    log::set_logger(&Traced).expect("the only logger of this process");
    log::set_max_level(log::LevelFilter::Trace);
    let (exporter, _batches) = Scripted::new([Turn::Fail(FailureKind::Forbidden)]);
    let client = builder().exporter(Exporter::custom(exporter)).init().expect("valid settings");
    record(1);
    let report = client.flush(LONG);
    log::set_max_level(log::LevelFilter::Off);
    assert_eq!((report.accepted(), report.failed()), (1, 1));
}
