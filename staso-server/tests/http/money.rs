//! What calls cost, as senders report them.

use serde_json::{Value, json};

use crate::{
    backend::Backend,
    senders::{in_folder, stored},
};

/// A call of a model with so many tokens in, and these fields in place of the ordinary ones.
fn call(model: &str, input: u64, fields: Value) -> Value {
    let mut span = json!({
        "kind": "llm", "model": model, "provider": "", "requested_model": "", "usage_available": true,
        "input_tokens": input, "output_tokens": 0, "total_tokens": input, "attributes": "{}",
    });
    for (key, value) in fields.as_object().unwrap() {
        span[key] = if value.is_object() { json!(value.to_string()) } else { value.clone() };
    }
    span
}

fn cost(backend: &Backend, id: &str, span: Value) -> Value {
    stored(backend, id, &[span])["cost"].take()
}

#[test]
fn b7_cost_is_by_who_counted() {
    let (_folder, backend) = in_folder();
    let through_gateway =
        json!({ "provider": "openrouter", "attributes": { "cached_input_tokens": 900_000 } });
    let span = call("anthropic/claude-sonnet-4-5", 1_000_000, through_gateway);
    assert_eq!(cost(&backend, "t", span), json!({ "usd": 0.57, "complete": true }));
}

#[test]
fn b8_known_models_have_a_price_under_the_names_of_gateways() {
    let (_folder, backend) = in_folder();
    let deployed = json!({ "provider": "azure", "requested_model": "gpt-4o" });
    for (number, (model, fields, usd)) in [
        ("anthropic/claude-sonnet-4.5", json!({}), 0.3),
        ("openai:gpt-4o", json!({}), 0.25),
        ("my-azure-deployment", deployed, 0.25),
        ("", json!({ "requested_model": "gpt-4o" }), 0.25),
        ("command-a-03-2025", json!({}), 0.25),
    ]
    .into_iter()
    .enumerate()
    {
        let found = cost(&backend, &format!("t{number}"), call(model, 100_000, fields));
        assert_eq!(found, json!({ "usd": usd, "complete": true }), "{model}");
    }
}

#[test]
fn b9_a_tier_has_its_price_or_none() {
    let (_folder, backend) = in_folder();
    let tier = |tier: &str| json!({ "attributes": { "service_tier": tier } });
    let batch = cost(&backend, "batch", call("gpt-4o", 1_000_000, tier("batch")));
    assert_eq!(batch, json!({ "usd": 1.25, "complete": true }));
    let unheard_of = cost(&backend, "other", call("gpt-4o", 1_000_000, tier("golden")));
    assert_eq!(unheard_of, json!({ "usd": null, "complete": false }));
}

#[test]
fn b10_a_wrapper_and_its_call_are_one_call() {
    let (_folder, backend) = in_folder();
    let usage = json!({ "input_tokens": 1_000, "output_tokens": 10, "total_tokens": 1_010 });
    let mut root = call("gpt-4o", 1_000, usage.clone());
    root["kind"] = json!("agent");
    let mut inner = call("gpt-4o", 1_000, usage);
    inner["parent_span_id"] = json!("s0");
    let summary = stored(&backend, "t", &[root, inner]);
    assert_eq!(summary["tokens"], json!({ "input": 1_000, "output": 10, "total": 1_010 }));
    assert_eq!(summary["cost"], json!({ "usd": 0.0026, "complete": true }));
    let metrics = backend.get("/v1/metrics?by=model", "k").json();
    assert_eq!(metrics["series"][0]["total"]["tokens"]["total"], 1_010, "{metrics}");
}

#[test]
fn counts_of_the_cache_may_be_texts_and_have_the_names_of_a_convention() {
    let (_folder, backend) = in_folder();
    for (number, attributes) in [
        json!({ "cache_read_input_tokens": "400000" }),
        json!({ "gen_ai.usage.cache_read.input_tokens": 400_000 }),
    ]
    .into_iter()
    .enumerate()
    {
        let fields = json!({ "provider": "openai", "attributes": attributes });
        let found = cost(&backend, &format!("t{number}"), call("gpt-4o", 1_000_000, fields));
        assert_eq!(found["usd"], 2.0, "{attributes}");
    }
}
