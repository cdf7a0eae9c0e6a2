//! Scores and labels: one request each, counted beside the spans.

use serde_json::json;
use staso::{Annotation, Span};

use crate::{
    harness::{LONG, builder, exclusive},
    support::server::{Server, Step},
};

#[test]
fn annotations_of_spans_and_traces_are_sent_by_type() {
    let _exclusive = exclusive();
    let server = Server::acknowledging();
    let client = builder().base_url(server.url()).init().expect("valid settings");
    let (trace_id, span_id) = Span::builder("work").in_scope(|span| {
        span.annotate("helpfulness", 0.9);
        span.annotate_with(Annotation::new("label", "good").comment("looks fine"));
        (span.trace_id().expect("recorded"), span.span_id().expect("recorded"))
    });
    staso::annotate(trace_id, "passed", true);
    staso::annotate(trace_id, "n", 7);
    assert!(client.flush(LONG).ok());
    let arrivals = server.arrivals();
    let bodies: Vec<_> = arrivals
        .iter()
        .filter(|arrival| arrival.path == format!("/v1/traces/{trace_id}/annotations"))
        .map(|arrival| arrival.json())
        .collect();
    let span_id = span_id.to_string();
    assert_eq!(
        bodies,
        [
            json!({"name": "helpfulness", "value": 0.9, "data_type": "numeric", "span_id": span_id}),
            json!({"name": "label", "value": "good", "data_type": "categorical", "span_id": span_id,
                   "comment": "looks fine"}),
            json!({"name": "passed", "value": true, "data_type": "boolean"}),
            json!({"name": "n", "value": 7, "data_type": "numeric"}),
        ]
    );
    assert_eq!(client.report().annotations().delivered, 4);
}

#[test]
fn an_annotation_that_fails_is_counted_and_not_tried_again() {
    let _exclusive = exclusive();
    let server = Server::script([Step::reply(404, r#"{"detail":"trace not found"}"#)]);
    let client = builder().base_url(server.url()).init().expect("valid settings");
    staso::annotate("c931d6ba-7556-d4da-590b-842753685e5a".parse().expect("an id"), "n", 1.5);
    staso::annotate("c931d6ba-7556-d4da-590b-842753685e5a".parse().expect("an id"), "n", f64::NAN);
    let report = client.flush(LONG);
    let annotations = report.annotations();
    assert_eq!((annotations.accepted, annotations.failed, annotations.rejected), (1, 1, 1));
    assert!(!report.ok());
    assert_eq!(report.failed(), 0, "spans are counted apart");
}
