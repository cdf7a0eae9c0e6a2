//! What a span, the queue and a request may weigh, whatever is in them.

use std::sync::mpsc;

use serde_json::Value;
use staso::{
    Annotation, Builder, Conversation, Export, Exporter, Span, SpanKind, SpanStatus,
    export::{Batch, ExportError, FailureKind},
};

use crate::{
    harness::{LONG, Scripted, Turn, builder, counts, exclusive},
    support::server::{Server, spans},
};

const MIB: usize = 1024 * 1024;

/// What identifiers and names are cut to.
const SHORT: usize = 1024;

/// Texts that stay as they are, or grow once or twice where JSON escapes them.
const TEXTS: [&str; 5] = ["x", "é", "\"", "\\", "\u{1}"];

/// A way to put a text into a span.
struct Place {
    name: &'static str,
    fill: fn(&str),
    /// Where it is on the wire, for those that are cut like names.
    short: Option<fn(&Value) -> Value>,
}

fn field(span: &Value, field: &str) -> Value {
    span[field].clone()
}

fn attributes(span: &Value) -> Value {
    serde_json::from_str(span["attributes"].as_str().expect("a text")).expect("JSON")
}

const PLACES: [Place; 17] = [
    Place {
        name: "span name",
        fill: |text| Span::builder(text).in_scope(|_| ()),
        short: Some(|span| field(span, "name")),
    },
    Place {
        name: "name expression",
        fill: |text| staso::span!(text, |span| { span.add_tag("t") }),
        short: Some(|span| field(span, "name")),
    },
    Place {
        name: "agent name",
        fill: |text| Span::builder(text).kind(SpanKind::Agent).in_scope(|_| ()),
        short: Some(|span| field(span, "agent_name")),
    },
    Place {
        name: "conversation id",
        fill: |text| staso::conversation!(text, { Span::builder("s").in_scope(|_| ()) }),
        short: Some(|span| field(span, "session_id")),
    },
    Place {
        name: "user id",
        fill: |text| Conversation::new("c").user_id(text).scope(|| Span::builder("s").in_scope(|_| ())),
        short: Some(|span| field(span, "user_id")),
    },
    Place {
        name: "tag",
        fill: |text| Span::builder("s").in_scope(|span| span.add_tag(text)),
        short: Some(|span| attributes(span)["tags"][0].clone()),
    },
    Place {
        name: "builder's tag",
        fill: |text| Span::builder("s").tag(text).in_scope(|_| ()),
        short: Some(|span| attributes(span)["tags"][0].clone()),
    },
    Place {
        name: "metadata key",
        fill: |text| Span::builder("s").in_scope(|span| span.set_metadata(text, &1)),
        short: Some(|span| {
            attributes(span).as_object().expect("an object").keys().next().expect("a key").clone().into()
        }),
    },
    Place {
        name: "model",
        fill: |text| Span::builder("s").in_scope(|span| span.set_model(text)),
        short: Some(|span| field(span, "model")),
    },
    Place {
        name: "requested model",
        fill: |text| Span::builder("s").in_scope(|span| span.set_requested_model(text)),
        short: Some(|span| field(span, "requested_model")),
    },
    Place {
        name: "provider",
        fill: |text| Span::builder("s").in_scope(|span| span.set_provider(text)),
        short: Some(|span| field(span, "provider")),
    },
    Place {
        name: "provider by metadata",
        fill: |text| Span::builder("s").in_scope(|span| span.set_metadata("provider", text)),
        short: Some(|span| field(span, "provider")),
    },
    Place {
        name: "reasoning effort",
        fill: |text| Span::builder("s").in_scope(|span| span.set_reasoning_effort(text)),
        short: Some(|span| field(span, "reasoning_effort")),
    },
    Place {
        name: "input and output",
        fill: |text| {
            Span::builder("s").in_scope(|span| {
                span.set_input(text);
                span.set_output(text);
            });
        },
        short: None,
    },
    Place {
        name: "status",
        fill: |text| Span::builder("s").in_scope(|span| span.set_status(SpanStatus::Timeout, text)),
        short: None,
    },
    Place {
        name: "error",
        fill: |text| Span::builder("s").in_scope(|span| span.record_error(text)),
        short: None,
    },
    Place {
        name: "panic",
        fill: |text| {
            let panics =
                || Span::builder("s").in_scope(|_| std::panic::resume_unwind(Box::new(text.to_owned())));
            std::panic::catch_unwind(panics).expect_err("it panics");
        },
        short: None,
    },
];

#[test]
fn a_request_is_bounded_in_bytes_whatever_is_in_it() {
    let _exclusive = exclusive();
    for text in TEXTS {
        let text = text.repeat(MIB / 4 / text.len());
        let server = Server::acknowledging();
        let client = builder().base_url(server.url()).mask_credentials(false).init().expect("valid settings");
        for place in &PLACES {
            for _ in 0..3 {
                (place.fill)(&text);
            }
        }
        let report = client.shutdown(LONG);
        assert_eq!((report.delivered(), report.ok()), (51, true), "{}", counts(&report));
        let arrivals = server.arrivals();
        for arrival in &arrivals {
            assert!(arrival.body.len() <= 4 * MIB, "{} bytes", arrival.body.len());
        }
        for (span, place) in spans(&arrivals).iter().step_by(3).zip(&PLACES) {
            let Some(short) = place.short else { continue };
            let short = short(span);
            let short = short.as_str().unwrap_or_else(|| panic!("{}: {span}", place.name));
            assert!(short.ends_with("… [cut]"), "{}: {short}", place.name);
            assert!((SHORT - 3..=SHORT).contains(&short.len()), "{}: {} bytes", place.name, short.len());
        }
    }
}

#[test]
fn what_every_span_repeats_is_cut() {
    let _exclusive = exclusive();
    let long = "n".repeat(MIB);
    let server = Server::acknowledging();
    let client = builder()
        .base_url(server.url())
        .agent_name(&long)
        .agent_version(&long)
        .environment(&long)
        .workspace(&long)
        .init()
        .expect("valid settings");
    for _ in 0..100 {
        Span::builder("step").in_scope(|_| ());
    }
    assert!(client.shutdown(LONG).ok());
    let arrivals = server.arrivals();
    assert!(arrivals.iter().all(|arrival| arrival.body.len() < 600 * SHORT), "{}", arrivals[0].body.len());
    let trace = &arrivals[0].json()["traces"][0];
    let cut = [&trace["environment"], &trace["workspace_slug"], &trace["spans"][0]["agent_version"]];
    for text in cut.into_iter().chain([&trace["spans"][0]["agent_name"]]) {
        assert!(text.as_str().is_some_and(|text| text.len() == SHORT && text.ends_with("… [cut]")), "{text}");
    }
}

/// A client whose exporter holds the first span, and the queue everything after it.
fn holding(settings: Builder) -> (staso::Client, mpsc::Sender<()>) {
    let (entered, blocked) = mpsc::channel();
    let (go_on, gate) = mpsc::channel();
    let (exporter, _batches) = Scripted::new([Turn::Block(entered, gate)]);
    let client = settings.exporter(Exporter::custom(exporter)).batch_size(1).init().expect("valid settings");
    Span::builder("first").in_scope(|_| ());
    blocked.recv().expect("the exporter has the first span");
    (client, go_on)
}

#[test]
fn identifiers_and_names_count_against_the_queue() {
    let _exclusive = exclusive();
    let long = "n".repeat(10 * SHORT);
    for fill in [
        (|name| Span::builder(name).in_scope(|_| ())) as fn(&str),
        |name| Conversation::new(name).scope(|| Span::builder("s").in_scope(|_| ())),
        |name| Conversation::new("c").user_id(name).scope(|| Span::builder("s").in_scope(|_| ())),
        |name| Span::builder("s").in_scope(|span| span.add_tag(name)),
        |name| Span::builder("s").in_scope(|span| span.set_model(name)),
        |name| Span::builder(name).kind(SpanKind::Agent).in_scope(|_| Span::builder("s").in_scope(|_| ())),
    ] {
        let (client, go_on) = holding(builder().max_queue_bytes(100 * SHORT));
        for _ in 0..200 {
            fill(&long);
        }
        let report = client.report();
        assert!((30..=100).contains(&report.accepted()), "{}", counts(&report));
        assert_eq!(report.last_rejection(), Some(FailureKind::QueueFull));
        drop(go_on);
        assert!(client.shutdown(LONG).pending() == 0);
    }
}

/// Says how many bytes of input each batch holds.
struct Weighs(mpsc::Sender<Vec<usize>>);

impl Export for Weighs {
    fn export(&mut self, batch: &Batch) -> Result<(), ExportError> {
        let inputs = batch.spans().iter().map(|span| span.input().map_or(0, |input| input.len()));
        let _ = self.0.send(inputs.collect());
        Ok(())
    }
}

#[test]
fn a_batch_is_cut_by_bytes_as_well_as_by_count_and_one_span_alone_always_goes() {
    let _exclusive = exclusive();
    let (seen, batches) = mpsc::channel();
    let client = builder()
        .exporter(Exporter::custom(Weighs(seen)))
        .field_limit(10 * MIB)
        .mask_credentials(false)
        .batch_size(500)
        .flush_interval(std::time::Duration::from_secs(3_600))
        .init()
        .expect("valid settings");
    let weights = [MIB, MIB, MIB, MIB, MIB, 9 * MIB, 10, 10, 2 * MIB, 3 * MIB];
    for weight in weights {
        Span::builder("step").in_scope(|span| span.set_input(&"x".repeat(weight - 2)));
    }
    let report = client.flush(LONG);
    assert_eq!((report.delivered(), report.ok()), (10, true), "{}", counts(&report));
    let batches: Vec<Vec<usize>> = batches.try_iter().collect();
    assert_eq!(batches.concat(), weights, "each once, in order");
    for batch in &batches {
        assert!(batch.len() == 1 || batch.iter().sum::<usize>() <= 4 * MIB, "{batches:?}");
    }
    assert!(batches.contains(&vec![9 * MIB]), "{batches:?}");
}

#[test]
fn what_handles_set_on_one_span_is_bounded() {
    let _exclusive = exclusive();
    let server = Server::acknowledging();
    let client = builder().base_url(server.url()).field_limit(1_000).init().expect("valid settings");
    Span::builder("step").tag("t".repeat(30_000)).in_scope(|span| {
        for index in 0..100 {
            span.set_metadata(&index.to_string(), &"v".repeat(900));
        }
    });
    assert!(client.shutdown(LONG).ok());
    let arrivals = server.arrivals();
    let kept = attributes(&spans(&arrivals)[0]).as_object().expect("an object").len() - 1;
    assert!((16..=17).contains(&kept), "{kept} of 100 values, which is 16 times the limit of a field");
}

#[test]
fn annotations_are_cut_like_spans() {
    let _exclusive = exclusive();
    let server = Server::acknowledging();
    let client = builder().base_url(server.url()).init().expect("valid settings");
    let long = "a".repeat(MIB);
    Span::builder("step").in_scope(|span| {
        span.annotate_with(Annotation::new(&*long, &*long).comment(&*long));
    });
    assert!(client.shutdown(LONG).ok());
    let arrivals = server.arrivals();
    let annotation = arrivals.iter().find(|arrival| arrival.path.ends_with("/annotations")).expect("sent");
    let body = annotation.json();
    for (field, most) in [("name", SHORT), ("value", SHORT), ("comment", 64 * 1024)] {
        let text = body[field].as_str().expect("a text");
        assert!(text.len() == most && text.ends_with("… [cut]"), "{field}: {} bytes", text.len());
    }
}
