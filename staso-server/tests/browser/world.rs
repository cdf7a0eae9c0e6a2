use serde_json::{Value, json};
use staso_server::model::Timestamp;

/// What the span objects of the tests have in common. A test sets what it is about.
pub(crate) fn span(id: u64, parent: Option<u64>, name: &str, kind: &str) -> Value {
    json!({
        "span_id": span_id(id),
        "parent_span_id": parent.map(span_id),
        "name": name,
        "kind": kind,
        "timestamp": at(id),
        "duration_ms": 40.0,
        "status": "ok",
        "model": "",
        "provider": "",
        "requested_model": "",
        "usage_available": null,
        "reasoning_effort": "",
        "input_tokens": 0,
        "output_tokens": 0,
        "total_tokens": 0,
        "input": "",
        "output": "",
        "attributes": "{}",
        "error_message": null,
        "session_id": "conv-2031",
        "agent_name": "support-bot",
        "agent_id": "00000000-0000-0000-0000-000000000000",
        "agent_version": "v2.3",
        "user_id": "customer-alice",
        "capture": {"request": "captured", "system_prompt": "captured", "tool_schema": "captured",
            "tool_arguments": "captured", "output": "captured"},
    })
}

/// The span with some fields changed.
pub(crate) fn with(mut span: Value, fields: Value) -> Value {
    if let (Value::Object(span), Value::Object(fields)) = (&mut span, fields) {
        span.extend(fields);
    }
    span
}

/// A request body with one trace.
pub(crate) fn body(trace: u64, spans: Vec<Value>) -> Value {
    json!({"traces": [{
        "trace_id": trace_id(trace),
        "timestamp": at(0),
        "environment": "prod",
        "workspace_slug": "default",
        "spans": spans,
    }]})
}

pub(crate) fn trace_id(trace: u64) -> String {
    format!("97aaac76-45d6-1f11-b80c-{trace:012x}")
}

pub(crate) fn span_id(id: u64) -> String {
    format!("00000000-0000-0000-0000-{id:012x}")
}

/// A minute ago, and so many milliseconds.
fn at(millis: u64) -> String {
    let minute_ago = Timestamp::now().before(std::time::Duration::from_secs(60));
    minute_ago.plus_micros(i64::try_from(millis).expect("small") * 1_000).to_string()
}

/// A conversation of three turns: the second looks an order up, the third fails as the order's card expired.
pub(crate) fn conversation() -> Vec<Value> {
    let turn = |number: u64, question: &str, failed: bool, tool: Value| {
        let root = number * 100;
        let status = if failed { "error" } else { "ok" };
        body(
            number,
            vec![
                with(
                    span(root, None, "support-bot", "agent"),
                    json!({
                        "duration_ms": 900.0, "status": status,
                        "input": json!({"question": question}).to_string(),
                        "output": if failed { String::new() } else { json!({"result": "It is on its way."}).to_string() },
                        "error_message": failed.then_some("the bank refused the refund"),
                    }),
                ),
                with(
                    span(root + 1, Some(root), "chat", "llm"),
                    json!({
                        "model": "gpt-4o-mini", "provider": "openai", "usage_available": true, "input_tokens": 304,
                        "output_tokens": 31, "total_tokens": 335,
                        "input": json!([{"role": "user", "content": question}]).to_string(),
                        "output": json!({"role": "assistant", "content": "Let me see."}).to_string(),
                    }),
                ),
                with(tool, json!({"span_id": span_id(root + 2), "parent_span_id": span_id(root)})),
            ],
        )
    };
    let search = with(
        span(0, None, "search_docs", "retriever"),
        json!({
            "input": json!({"question": "shipping"}).to_string(),
            "output": json!({"result": ["shipping.md"]}).to_string(),
        }),
    );
    let order = with(
        span(0, None, "look_up_order", "tool"),
        json!({
            "input": json!({"order_id": 1017}).to_string(),
            "output": json!({"result": {"order_id": 1017, "card": "expired-9903"}}).to_string(),
        }),
    );
    let refund = with(
        span(0, None, "payments.credit", "tool"),
        json!({
            "status": "error", "error_message": "the card expired-9903 has expired",
            "input": json!({"order_id": 1017, "card": "expired-9903"}).to_string(),
            "attributes": json!({"exception.type": "OrderError", "code.filepath": "src/orders.rs", "code.lineno": 42,
                "tags": ["payments"]}).to_string(),
        }),
    );
    vec![
        turn(1, "How long does shipping take?", false, search),
        turn(2, "Where is order 1017?", false, order),
        turn(3, "Please refund it.", true, refund),
    ]
}

/// A trace of so many steps, one in a thousand failed.
pub(crate) fn long_trace(trace: u64, steps: u64) -> Vec<Value> {
    let steps: Vec<Value> = (1..steps)
        .map(|id| {
            let parent = if id % 100 == 1 { 0 } else { id - id % 100 + 1 };
            let parent = if parent >= id { 0 } else { parent };
            let status = if id % 1000 == 999 { "error" } else { "ok" };
            with(span(id, Some(parent), &format!("step {id}"), "tool"), json!({"status": status}))
        })
        .collect();
    let root = with(span(0, None, "long run", "agent"), json!({"duration_ms": 20_000.0}));
    let mut bodies: Vec<Value> = steps.chunks(500).map(|chunk| body(trace, chunk.to_vec())).collect();
    bodies.push(body(trace, vec![root]));
    bodies
}
