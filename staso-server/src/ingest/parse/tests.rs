use serde_json::{Value, json};

use super::*;
use crate::model::{MAX_COUNT, SpanKind, SpanStatus, Tokens};

const AT: &str = "2026-01-02T03:04:05.678901+00:00";

fn request(span: Value) -> String {
    let trace = json!({ "trace_id": "t", "timestamp": AT, "spans": [span] });
    json!({ "traces": [trace] }).to_string()
}

fn parse(body: &str) -> Result<Vec<ParsedTrace>, ParseError> {
    parse_request(body, &Prices::embedded())
}

fn one(span: Value) -> IncomingSpan {
    let mut traces = parse(&request(span)).unwrap();
    traces.remove(0).spans.remove(0)
}

/// The error of a body, as `path: message`.
fn fault(body: &str) -> String {
    parse(body).unwrap_err().to_string()
}

#[test]
fn what_is_left_out_has_its_default() {
    let mut traces = parse(&request(json!({ "span_id": "s", "timestamp": AT }))).unwrap();
    let trace = traces.remove(0);
    assert_eq!((trace.workspace_slug, &*trace.environment), (None, "default"));
    let head = &trace.spans[0].head;
    assert_eq!((head.kind, head.status, head.tokens), (SpanKind::Chain, SpanStatus::Ok, None));
    assert!(head.is_root() && head.name.is_empty() && !head.provisional);
}

#[test]
fn the_record_stays_as_it_came() {
    let span = format!(
        r#"{{ "timestamp" : "{AT}",  "span_id":"odd id", "own":[1.50, {{}}], "kind":"THOUGHT", "status":"meh", "input":"{{\"a\": NaN}}" }}"#
    );
    let body = format!(r#"{{"traces":[{{"timestamp":"{AT}","spans":[{span}]}}]}}"#);
    let parsed = parse(&body).unwrap().remove(0).spans.remove(0);
    assert_eq!(parsed.record.get(), span);
    assert_eq!((parsed.head.kind, parsed.head.status), (SpanKind::Custom, SpanStatus::Other));
}

#[test]
fn identifiers_that_are_missing_are_made() {
    let body = format!(
        r#"{{"traces":[{{"trace_id":null,"timestamp":"{AT}","spans":[{{"timestamp":"{AT}"}},{{"span_id":null,"timestamp":"{AT}"}}]}}]}}"#
    );
    let trace = parse(&body).unwrap().remove(0);
    let ids: Vec<&str> = trace.spans.iter().map(|span| span.head.span_id.as_str()).collect();
    assert_eq!([trace.trace_id.as_str(), ids[0], ids[1]].map(str::len), [36; 3]);
    assert_ne!(ids[0], ids[1]);
    for span in &trace.spans {
        let record: Value = serde_json::from_str(span.record.get()).unwrap();
        assert_eq!(record, json!({ "span_id": span.head.span_id.as_str(), "timestamp": AT }));
    }
}

#[test]
fn tokens_are_known_when_the_sender_says_so_or_counts_some() {
    let tokens = |usage: Value, input: u64| {
        let span = json!({ "timestamp": AT, "usage_available": usage, "input_tokens": input });
        one(span).head.tokens.map(|tokens| tokens.total)
    };
    assert_eq!(tokens(json!(true), 0), Some(0));
    assert_eq!(tokens(json!(null), 0), None);
    assert_eq!(tokens(json!(null), 3), Some(3));
    assert_eq!(tokens(json!(false), 3), None);
}

#[test]
fn a_call_has_a_price_where_model_and_tokens_are_known() {
    let cost = |model: &str, usage: Value| {
        let span = json!({
            "timestamp": AT, "kind": "llm", "model": model, "usage_available": usage,
            "input_tokens": 1_000_000, "output_tokens": 0, "total_tokens": 1_000_000,
            "attributes": r#"{"cache_read_input_tokens": 1000000}"#,
        });
        one(span).head.cost
    };
    assert_eq!(cost("gpt-4o", json!(true)).usd(), Some(1.25));
    assert_eq!((cost("gpt-4o", json!(false)).usd(), cost("gpt-4o", json!(false)).unpriced), (None, 1));
    assert_eq!(cost("mystery", json!(true)).usd(), None);
    assert_eq!(one(json!({ "timestamp": AT, "kind": "tool" })).head.cost.usd(), Some(0.0));
}

#[test]
fn odd_numbers_are_held_to_their_range() {
    let head = one(json!({
        "timestamp": AT, "duration_ms": -5.0, "input_tokens": -3, "output_tokens": 2.9, "total_tokens": 1e300,
    }))
    .head;
    assert_eq!(head.duration_micros, 0);
    assert_eq!(one(json!({ "timestamp": AT, "duration_ms": 1e300 })).head.duration_micros, MAX_COUNT);
    assert_eq!(head.tokens, Some(Tokens { input: 0, output: 2, total: MAX_COUNT }));
}

#[test]
fn a_fault_of_structure_names_its_path() {
    for (body, expected) in [
        ("[]", "$: invalid type: sequence, expected an object with the key `traces`"),
        ("{}", "traces: expected an array, found nothing"),
        (r#"{"traces":{}}"#, "traces: invalid type: map, expected an array"),
        (r#"{"traces":[[]]}"#, "traces[0]: invalid type: sequence, expected a trace object"),
        (r#"{"traces":[{}]}"#, "traces[0].timestamp: expected a time such as"),
        (r#"{"traces":[],"traces":[]}"#, "traces: the key `traces` occurs twice"),
    ] {
        assert!(fault(body).starts_with(expected), "{body}: {}", fault(body));
    }
    let body = json!({ "traces": [{ "timestamp": AT, "spans": [] }] }).to_string();
    assert_eq!(fault(&body), "traces[0].spans: expected at least one span");
}

#[test]
fn a_request_has_a_limited_number_of_traces_and_spans() {
    let traces = format!(r#"{{"traces":[{}{{}}]}}"#, "{},".repeat(MAX_TRACES));
    assert!(fault(&traces).starts_with("traces: a request has at most 10000 traces; send several"));
    let spans = format!(r#"{{"spans":[{}0]}}"#, "0,".repeat(MAX_SPANS / 2));
    let spans = format!(r#"{{"traces":[{spans},{spans}]}}"#);
    assert!(fault(&spans).starts_with("traces[1].spans[25000]: a request has at most 50000 spans"));
}

#[test]
fn long_names_are_shortened_and_long_identifiers_refused() {
    let long = "é".repeat(1_000);
    let span = one(json!({ "timestamp": AT, "name": long, "user_id": long }));
    assert_eq!([span.head.name.len(), span.head.user_id.len()], [1_024; 2]);
    assert!(span.record.get().contains(&long));
    let fault = fault(&request(json!({ "timestamp": AT, "parent_span_id": long })));
    assert!(fault.starts_with("traces[0].spans[0].parent_span_id: an identifier has at most 1024 bytes"));
}

#[test]
fn a_fault_in_a_span_names_its_path() {
    for (span, expected) in [
        (json!([]), ": invalid type: sequence, expected a span object"),
        (json!({}), ".timestamp: expected a time such as `2026-01-02T03:04:05.678+00:00`, found nothing"),
        (json!({ "timestamp": 5 }), ".timestamp: expected a time such as"),
        (json!({ "timestamp": "yesterday" }), ".timestamp: `yesterday` is not a time in RFC 3339"),
        (json!({ "timestamp": AT, "name": 1 }), ".name: expected a string, found a number"),
        (json!({ "timestamp": AT, "span_id": 1 }), ".span_id: expected a string, found a number"),
        (json!({ "timestamp": AT, "attributes": {} }), ".attributes: expected a string, found an object"),
        (json!({ "timestamp": AT, "duration_ms": "1" }), ".duration_ms: expected a number, found a string"),
        (json!({ "timestamp": AT, "usage_available": 1 }), ".usage_available: expected a boolean"),
    ] {
        let fault = fault(&request(span));
        let rest = fault.strip_prefix("traces[0].spans[0]").unwrap();
        assert!(rest.starts_with(expected), "{fault}");
    }
}

#[test]
fn text_that_is_not_json_is_malformed_where_it_breaks() {
    let body = format!(r#"{{"traces":[{{"timestamp":"{AT}","spans":[{{"a":1}},{{"b":tru}}]}}]}}"#);
    let error = parse(&body).unwrap_err();
    assert!(
        matches!(&error, ParseError::Malformed { path, .. } if path == "traces[0].spans[1].b"),
        "{error}"
    );
}

#[test]
fn text_that_nothing_can_mend_is_refused_even_where_nobody_reads() {
    let body = |input| {
        let span = format!(r#"{{"timestamp":"{AT}","input":"{input}"}}"#);
        format!(r#"{{"traces":[{{"timestamp":"{AT}","spans":[{span}]}}]}}"#)
    };
    assert!(parse(&body(r"\\ud83d \ud83d\ude00 \u00e9")).is_ok());
    for broken in [r"\x", r"\u12", r"\u12\ud83d"] {
        assert!(fault(&body(broken)).starts_with("traces[0].spans[0]"), "{broken}");
    }
}

#[test]
fn b14_a_lone_surrogate_is_replaced_in_any_text() {
    let lone = |key: &str| format!(r#"{{"timestamp":"{AT}","{key}":"cut \ud83d"}}"#);
    for key in
        ["span_id", "parent_span_id", "name", "kind", "status", "model", "input", "output", "attributes"]
            .into_iter()
            .chain(["error_message", "session_id", "agent_name", "user_id", "agent_id", "own", r"\udc00"])
    {
        let body = format!(r#"{{"traces":[{{"timestamp":"{AT}","spans":[{}]}}]}}"#, lone(key));
        let record =
            parse(&body).unwrap_or_else(|error| panic!("{key}: {error}")).remove(0).spans.remove(0).record;
        let record: Value = serde_json::from_str(record.get()).unwrap();
        assert_eq!(record[key.replace(r"\udc00", "\u{fffd}")], "cut \u{fffd}", "{key}");
    }
    for key in ["trace_id", "environment", "own"] {
        let spans = format!(r#"{{"timestamp":"{AT}","spans":[{}],"{key}":"cut \ude00"}}"#, lone("name"));
        assert!(parse(&format!(r#"{{"traces":[{spans}]}}"#)).is_ok(), "{key}");
    }
}

#[test]
fn what_serializers_write_beyond_json_costs_no_batch() {
    let span = format!(
        r#"{{"timestamp":"{AT}","duration_ms":1e400,"input_tokens":NaN,"output_tokens":-1e400,"own":[Infinity]}}"#
    );
    let body = format!("\u{feff}{{\"traces\":[{{\"timestamp\":\"{AT}\",\"spans\":[{span}]}}]}}");
    let span = parse(&body).unwrap().remove(0).spans.remove(0);
    assert_eq!((span.head.duration_micros, span.head.tokens), (MAX_COUNT, None));
    serde_json::from_str::<Value>(span.record.get()).unwrap();
}

#[test]
fn a_trace_that_is_called_ok_hides_no_error_of_its_root() {
    let status = |of_trace: &str, error: &str| {
        let span = json!({ "timestamp": AT, "error_message": error });
        let trace = json!({ "timestamp": AT, "status": of_trace, "spans": [span] });
        parse(&json!({ "traces": [trace] }).to_string()).unwrap().remove(0).spans.remove(0).head.status
    };
    assert_eq!([status("ok", ""), status("ok", "boom")], [SpanStatus::Ok, SpanStatus::Error]);
    assert_eq!([status("timed_out", ""), status("", "boom")], [SpanStatus::Timeout, SpanStatus::Error]);
}

#[test]
fn a_key_that_a_span_has_twice_is_refused() {
    for key in ["name", "input", "timestamp", "attributes"] {
        let span = format!(r#"{{"timestamp":"{AT}","{key}":"a","{key}":"b"}}"#);
        let body = format!(r#"{{"traces":[{{"timestamp":"{AT}","spans":[{span}]}}]}}"#);
        let expected = format!("traces[0].spans[0].{key}: the key `{key}` occurs twice");
        assert!(fault(&body).starts_with(&expected), "{}", fault(&body));
    }
}

#[test]
fn a_time_without_an_offset_is_in_utc() {
    let at = |text: &str| one(json!({ "timestamp": text })).head.started_at.to_string();
    assert_eq!(at("2026-01-02T03:04:05.5"), "2026-01-02T03:04:05.500000Z");
    assert_eq!(at("2026-01-02 03:04:05"), "2026-01-02T03:04:05.000000Z");
    for text in ["2026-01-02", "2026-01-02T03", "2026-01-02T03:04:05.", "03:04:05"] {
        assert!(
            fault(&request(json!({ "timestamp": text }))).contains("is not a time in RFC 3339"),
            "{text}"
        );
    }
}

#[test]
fn an_error_text_without_a_word_that_says_otherwise_is_that_of_a_failure() {
    let status = |status: Value, error: Value| {
        one(json!({ "timestamp": AT, "status": status, "error_message": error })).head.status
    };
    assert_eq!(status(json!("meh"), json!("boom")), SpanStatus::Error);
    assert_eq!(status(json!("meh"), json!(" ")), SpanStatus::Other);
    assert_eq!(status(json!(null), json!("boom")), SpanStatus::Error);
    assert_eq!(status(json!("ok"), json!("boom")), SpanStatus::Ok);
    assert_eq!(status(json!("failed"), json!(null)), SpanStatus::Error);
}

#[test]
fn depth_is_limited_even_where_nobody_reads() {
    let deep = |levels| format!("{}1{}", "[".repeat(levels), "]".repeat(levels));
    let body = |levels| {
        format!(
            r#"{{"traces":[{{"timestamp":"{AT}","spans":[{{"timestamp":"{AT}","x":{}}}]}}]}}"#,
            deep(levels)
        )
    };
    assert!(parse(&body(100)).is_ok());
    assert!(fault(&body(1_000)).contains("recursion limit exceeded"));
    assert!(fault(&deep(100_000)).starts_with('$'));
}

#[test]
fn what_spans_get_of_their_trace_has_an_end() {
    let span = json!({ "timestamp": AT });
    let body = |name: &str, spans: usize| {
        let trace = json!({ "timestamp": AT, "user_id": name, "spans": vec![&span; spans] });
        json!({ "traces": [trace] }).to_string()
    };
    let long = "u".repeat(100_000);
    let traces = parse(&body(&long, 10)).unwrap();
    assert!(traces[0].spans.iter().all(|span| span.record.get().len() < 2_000));
    let message = fault(&body(&long, 40_000));
    assert!(message.starts_with("traces[0].spans: too many"), "{message}");
    parse(&body("u", 40_000)).unwrap();
}
