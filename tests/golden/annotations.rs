//! Scores and labels.

use serde_json::json;
use staso::{Annotation, Span, TraceId};

use crate::{
    compare::{Golden, data},
    harness::{Run, builder},
    support::server::{Server, Step},
};

#[test]
fn annotations_are_sent_by_type_and_before_their_span() {
    const UNKNOWN: &str = "00000000-0000-0000-0000-000000000404";
    let golden = Golden::load("annotate")
        .goes_to(6, &format!("/v1/traces/{UNKNOWN}/annotations"), "an identifier that is none does not parse")
        .reports("ok", json!(false), "annotations that fail are counted too");
    let refused = data("annotate")["server_plan"]["annotation"][5].take();
    let refused = Step::reply(404, refused["body"].to_string());
    let steps = (0..5).map(|_| Step::Ack).chain([refused]);
    let run = Run::against(Server::script_then_ack(steps), builder());
    Span::builder("work").in_scope(|span| {
        let trace = span.trace_id().expect("it is recorded");
        staso::annotate(trace, "quality", 0.9);
        span.annotate_with(Annotation::new("label", "good").comment("looks fine"));
        staso::annotate(trace, "passed", true);
        span.annotate_with(Annotation::new("top_score", 3).comment("c"));
        staso::annotate(trace, "n", 7);
        let unknown: TraceId = UNKNOWN.parse().expect("an identifier");
        staso::annotate(unknown, "n", 1.5);
        // What the other SDK refuses with an error while it runs does not compile here, but for this one.
        span.annotate("", 1);
    });
    let outcome = run.finish();
    let counts = outcome.report.annotations();
    assert_eq!((counts.accepted, counts.delivered, counts.failed, counts.rejected), (6, 5, 1, 1));
    golden.check(&outcome);
}
