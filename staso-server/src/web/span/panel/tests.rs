use std::sync::Arc;

use serde_json::{json, value::RawValue};

use super::{super::sample, *};

fn rendered(record: &serde_json::Value) -> String {
    let name = record["name"].as_str().unwrap_or("step");
    let record = RawValue::from_string(record.to_string()).unwrap();
    let row = SpanRow { name: name.to_owned(), ..sample::span("s1", None, 0, 5) };
    let place = Place {
        trace_id: &TraceId::new("t"),
        trace_start: Timestamp::default(),
        trace_micros: 10,
        trace_status: TraceStatus::Ok,
        annotations: &[],
    };
    panel(&sample::context(), &place, &StoredSpan { row, record: Arc::from(record) }).into_string()
}

#[test]
fn whatever_a_span_carries_is_escaped() {
    let evil = "</pre><script>alert(1)</script><img src=x onerror=alert(1)>\"'";
    let attributes = json!({
        "tags": [evil], "code.filepath": evil, "code.function": evil, "exception.type": evil,
        "vcs.commit.sha": evil, "vcs.branch": evil, "vcs.repo_url": "javascript:alert(1)", "own": evil,
    });
    let chat = json!([{"role": evil, "content": evil, "tool_calls": [{"id": evil, "name": evil}]}]);
    let page = rendered(&json!({
        "name": evil, "input": evil, "output": chat.to_string(), "attributes": attributes.to_string(),
        "error_message": evil, "user_id": evil, "session_id": evil, "agent_version": evil,
        "provider": evil, "requested_model": evil, "reasoning_effort": evil,
        "capture": {evil: "suppressed"},
    }));
    assert!(!page.contains("<script") && !page.contains("<img"), "{page}");
    assert!(page.contains("&lt;script&gt;"));
    assert!(!page.contains("href=\"javascript"));
}

#[test]
fn a_repository_becomes_a_link_only_on_the_web() {
    for (address, is_link) in
        [("https://example.com/a", true), ("git@example.com:a", false), (" https://", false)]
    {
        let attributes = json!({"vcs.repo_url": address}).to_string();
        let page = rendered(&json!({"attributes": attributes}));
        assert_eq!(page.contains("target=\"_blank\""), is_link, "{address}");
    }
}

#[test]
fn a_chat_is_shown_as_one() {
    let input = json!({"messages": [{"role": "user", "content": "Where is it?"}]}).to_string();
    let page = rendered(&json!({"input": input}));
    assert!(page.contains("by-user") && page.contains("<pre class=\"text\">Where is it?</pre>"), "{page}");
}

#[test]
fn b13_a_long_text_is_on_the_page_once_and_not_whole() {
    let long = "A".repeat(1_000_000);
    for (field, value) in [
        ("input", long.clone()),
        ("output", json!({"messages": [{"role": "user", "content": long}]}).to_string()),
        ("output", "[".repeat(1_000_000)),
        ("attributes", json!({"a": long}).to_string()),
        ("error_message", long.clone()),
        (
            "input",
            json!({"messages": [{"role": "tool", "content": json!({"a": long}).to_string()}]}).to_string(),
        ),
    ] {
        let page = rendered(&json!({ field: value }));
        assert!(page.len() < SHOWN + 8_000, "{field}: {} bytes", page.len());
        assert!(page.contains("Show all of it") && page.contains("/text?part="), "{field}");
    }
    let twice = rendered(
        &json!({"input": json!({"messages": [{"role": "user", "content": "only here"}]}).to_string()}),
    );
    assert_eq!(twice.matches("only here").count(), 1, "{twice}");
}

#[test]
fn b13_long_names_are_cut_and_many_are_not_all_shown() {
    let long = "A".repeat(100_000);
    let attributes = json!({
        "tags": vec!["t"; 10_000], "code.filepath": long, "code.function": long, "exception.type": long,
        "vcs.commit.sha": long, "vcs.branch": long, "vcs.repo_url": long,
    });
    let page = rendered(&json!({
        "attributes": attributes.to_string(), "status": long, "user_id": long, "session_id": long,
        "agent_version": long, "provider": long, "requested_model": long, "reasoning_effort": long,
        "capture": {long: "suppressed"},
    }));
    assert!(page.len() < 60_000, "{} bytes", page.len());
    assert_eq!(page.matches("class=\"chip\"").count(), 100);
}

#[test]
fn b13_a_picture_is_shown_as_one() {
    let address = format!("data:image/png;base64,{}", "A".repeat(500_000));
    let chat = json!([{"role": "user", "content": [{"type": "image_url", "image_url": {"url": address}}]}]);
    for input in [chat.to_string(), address] {
        let page = rendered(&json!({ "input": input }));
        assert!(page.len() < 8_000 && page.contains("data-picture") && page.contains("image/png"), "{page}");
    }
}

#[test]
fn b12_a_step_beyond_its_trace_is_no_part_of_it() {
    assert_eq!(share(5_000_000, 100_000), "longer than the trace");
    assert_eq!(share(50_000, 100_000), "50% of the trace");
    assert_eq!(share(100_000, 100_000), "100% of the trace");
    let start = Timestamp::from_micros(3_600_000_000);
    assert_eq!(since(start, Timestamp::from_micros(0)), "1h 00m before the trace");
    assert_eq!(since(start, start.plus_micros(20)), "+20 µs");
}
