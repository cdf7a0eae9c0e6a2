//! The vendor's Python SDK against `staso dev`: what its program did is found again, field by field.
//!
//! Needs Python with the package `staso`: the interpreter in `STASO_TEST_PYTHON`, else `python3`. Without it the
//! test says that it is skipped.

#![allow(missing_docs)]

#[path = "../support/mod.rs"]
mod support;

use std::{
    env,
    io::{BufRead as _, BufReader, Write as _},
    path::PathBuf,
    process::{Command, Stdio},
};

use serde_json::{Value, json};
use support::{
    backend::Backend,
    skip::{program, skip},
};

#[test]
fn everything_that_the_python_sdk_sends_is_found_again() {
    let Some(python) = python() else {
        skip("there is no Python with the package `staso`");
        return;
    };
    let backend = Backend::start();
    let mut child = Command::new(python)
        .arg(concat!(env!("CARGO_MANIFEST_DIR"), "/tests/interop/agents.py"))
        .env("STASO_BASE_URL", &backend.url)
        .env("STASO_API_KEY", "ak_test_interop")
        .env("STASO_AGENT_NAME", "demo-agent")
        .env_remove("STASO_WORKSPACE_SLUG")
        .env("PYTHONIOENCODING", "utf-8")
        .stdin(Stdio::piped())
        .stdout(Stdio::piped())
        .spawn()
        .expect("Python starts");
    let mut lines = BufReader::new(child.stdout.take().expect("its output")).lines();
    let mut line = || lines.next().expect("a line").expect("text");

    assert_eq!(line(), "running");
    a_root_that_runs_is_shown_as_running(&backend);
    child.stdin.take().expect("its input").write_all(b"\n").expect("it goes on");
    let report: Value = serde_json::from_str(&line()).expect("its report");
    assert!(child.wait().expect("it ends").success());
    assert_eq!(report["ok"], json!(true), "{report}");
    assert_eq!((&report["failed"], &report["accepted"]), (&json!(0), &report["delivered"]), "{report}");

    the_finished_root_took_the_place_of_the_running_one(&backend);
    a_conversation_has_its_turns(&backend);
    the_agent_and_its_tool(&backend);
    the_llm_span(&backend);
    the_error(&backend);
    the_timeout(&backend);
    the_asynchronous_agent(&backend);
    what_is_counted(&backend);
}

fn a_root_that_runs_is_shown_as_running(backend: &Backend) {
    let running = traces(backend, "status=running");
    assert_eq!(names(&running), ["long_agent"]);
}

fn the_finished_root_took_the_place_of_the_running_one(backend: &Backend) {
    let trace = only(backend, "text=job");
    assert_eq!(
        (&trace["name"], &trace["status"], &trace["spans"]),
        (&json!("long_agent"), &json!("ok"), &json!(2))
    );
    let root = span(backend, &trace, "long_agent");
    assert_eq!(inner(&root["output"]), json!({"result": "finished"}));
    assert_eq!(inner(&root["attributes"])["staso.provisional_root"], Value::Null);
    assert_eq!(traces(backend, "status=running")["items"], json!([]));
}

fn a_conversation_has_its_turns(backend: &Backend) {
    let conversation = backend.get("/v1/conversations/conv-42");
    let summary = &conversation["summary"];
    assert_eq!((&summary["traces"], &summary["failed_traces"]), (&json!(2), &json!(1)), "{summary:#}");
    assert_eq!(summary["users"], json!(["user-alice"]));
    let turns = conversation["turns"]["items"].as_array().expect("turns");
    let names: Vec<&Value> = turns.iter().map(|turn| &turn["trace"]["name"]).collect();
    assert_eq!(names, ["support_agent", "refund-worker"]);
    assert_eq!(turns[1]["error_message"], "the card expired: 42");
}

fn the_agent_and_its_tool(backend: &Backend) {
    let trace = only(backend, "model=gpt-4o-mini");
    assert_eq!((&trace["environment"], &trace["user_id"]), (&json!("staging"), &json!("user-alice")));
    let root = span(backend, &trace, "support_agent");
    assert_eq!(inner(&root["input"]), json!({"agent_name": "support_agent", "message": "reset password"}));
    assert_eq!(inner(&root["output"]), json!({"result": {"answer": "reset your password"}}));
    let expected = [
        ("kind", json!("agent")),
        ("parent_span_id", Value::Null),
        ("status", json!("ok")),
        ("error_message", Value::Null),
        ("session_id", json!("conv-42")),
        ("agent_name", json!("support_agent")),
        ("agent_version", json!("v2.3")),
        ("agent_id", json!("0cf2c2fe-e545-5eaa-b378-d7b106699088")),
    ];
    has(&root, &expected);

    let tool = span(backend, &trace, "search_kb");
    assert_eq!(tool["parent_span_id"], root["span_id"]);
    assert_eq!(inner(&tool["input"]), json!({"query": "reset", "limit": 2}));
    assert_eq!(inner(&tool["output"]), json!({"result": ["reset your password", "сброс 🚀"]}));
    let attributes = inner(&tool["attributes"]);
    assert_eq!(
        (&attributes["tool_name"], &attributes["code.function"]),
        (&json!("search_kb"), &json!("search_kb"))
    );
    assert!(attributes["code.lineno"].is_u64() && tool["duration_ms"].is_number(), "{tool:#}");
}

fn the_llm_span(backend: &Backend) {
    let trace = only(backend, "model=gpt-4o-mini");
    let chat = span(backend, &trace, "chat");
    let expected = [
        ("kind", json!("llm")),
        ("model", json!("gpt-4o-mini")),
        ("provider", json!("openai")),
        ("requested_model", json!("gpt-4o-mini")),
        ("usage_available", json!(true)),
        ("reasoning_effort", json!("low")),
        ("input_tokens", json!(12)),
        ("output_tokens", json!(34)),
        ("total_tokens", json!(46)),
    ];
    has(&chat, &expected);
    assert_eq!(inner(&chat["input"]), json!([{"role": "user", "content": "reset password"}]));
    assert_eq!(inner(&chat["output"]), json!({"role": "assistant", "content": "done <b>&amp;"}));
    assert_eq!(inner(&chat["attributes"])["temperature"], json!(0.5));
    assert_eq!(trace["tokens"], json!({"input": 12, "output": 34, "total": 46}));
    assert_eq!(trace["cost"]["complete"], json!(true));
    assert!(trace["cost"]["usd"].as_f64().is_some_and(|usd| usd > 0.0), "{}", trace["cost"]);
}

fn the_error(backend: &Backend) {
    let trace = only(backend, "status=error");
    assert_eq!(
        (&trace["name"], &trace["errors"], &trace["tags"]),
        (&json!("refund-worker"), &json!(2), &json!(["payments"]))
    );
    let tool = span(backend, &trace, "refund");
    has(
        &tool,
        &[
            ("status", json!("error")),
            ("error_message", json!("the card expired: 42")),
            ("output", json!("")),
        ],
    );
    let attributes = inner(&tool["attributes"]);
    assert_eq!(
        (&attributes["exception.type"], &attributes["team"]),
        (&json!("ValueError"), &json!("billing"))
    );
    assert_eq!(inner(&tool["input"]), json!({"order": 1017, "amount": 89.5}));
    assert_eq!(tool["agent_name"], "refund-worker");
}

fn the_timeout(backend: &Backend) {
    let trace = only(backend, "kind=retriever");
    assert_eq!(trace["status"], "timeout");
    let root = span(backend, &trace, "embed-query");
    has(
        &root,
        &[
            ("kind", json!("retriever")),
            ("status", json!("timeout")),
            ("error_message", json!("took too long")),
        ],
    );
    assert_eq!(inner(&root["input"]), json!({"text": "hello"}));
}

fn the_asynchronous_agent(backend: &Backend) {
    let trace = only(backend, "agent=async_agent");
    assert_eq!(trace["spans"], 3);
    let spans = backend.get(&format!("/v1/traces/{}/spans", trace["trace_id"].as_str().expect("an id")));
    let mut results: Vec<Value> = spans["items"]
        .as_array()
        .expect("spans")
        .iter()
        .map(|span| inner(&span["record"]["output"]))
        .collect();
    results.sort_by_key(Value::to_string);
    assert_eq!(results, [json!({"result": 2}), json!({"result": 4}), json!({"result": [2, 4]})]);
}

fn what_is_counted(backend: &Backend) {
    let agents = backend.get("/v1/agents?since=1h");
    let runs = |name: &str| {
        let items = agents["items"].as_array().expect("agents");
        let agent = items.iter().find(|agent| agent["agent"] == name || agent["key"] == name);
        agent.unwrap_or_else(|| panic!("no {name} in {agents:#}"))["count"].clone()
    };
    assert_eq!((runs("support_agent"), runs("refund-worker")), (json!(1), json!(1)));
    let metrics = backend.get("/v1/metrics?since=1h");
    assert_eq!(metrics["series"][0]["total"]["count"], json!(5), "{metrics:#}");
}

fn traces(backend: &Backend, filter: &str) -> Value {
    backend.get(&format!("/v1/traces?{filter}"))
}

fn names(page: &Value) -> Vec<&str> {
    page["items"]
        .as_array()
        .expect("items")
        .iter()
        .map(|trace| trace["name"].as_str().expect("a name"))
        .collect()
}

/// The one trace that matches.
fn only(backend: &Backend, filter: &str) -> Value {
    let page = traces(backend, filter);
    assert_eq!(page["items"].as_array().map(Vec::len), Some(1), "{filter}: {:?}", names(&page));
    page["items"][0].clone()
}

/// The record of the trace's span with this name, as the SDK wrote it.
fn span(backend: &Backend, trace: &Value, name: &str) -> Value {
    let spans = backend.get(&format!("/v1/traces/{}/spans", trace["trace_id"].as_str().expect("an id")));
    let items = spans["items"].as_array().expect("spans");
    let found = items.iter().find(|span| span["record"]["name"] == name);
    found.unwrap_or_else(|| panic!("no span {name} in {spans:#}"))["record"].clone()
}

fn has(span: &Value, expected: &[(&str, Value)]) {
    for (key, value) in expected {
        assert_eq!(&span[*key], value, "{key} of {span:#}");
    }
}

/// The document inside a text.
fn inner(text: &Value) -> Value {
    serde_json::from_str(text.as_str().expect("text")).unwrap_or_else(|error| panic!("{error} in {text}"))
}

fn python() -> Option<PathBuf> {
    let chosen = env::var("STASO_TEST_PYTHON").unwrap_or_else(|_| "python3".to_owned());
    let python = program(&chosen)?;
    let found = Command::new(&python).args(["-c", "import staso"]).stderr(Stdio::null()).status();
    found.is_ok_and(|status| status.success()).then_some(python)
}
