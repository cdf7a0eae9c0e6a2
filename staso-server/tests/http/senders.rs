//! What senders write that is not as SDKs of today write it: it is shown for what it is, and costs no batch.

use serde_json::{Value, json};

use crate::backend::{Backend, Reply, one_span};

/// Spans of one trace, each with these fields in place of the ordinary ones.
fn trace(id: &str, spans: &[Value]) -> Value {
    let mut body = one_span("default", id, "s");
    let ordinary = body["traces"][0]["spans"][0].take();
    let span = |(number, fields): (usize, &Value)| {
        let mut span = ordinary.clone();
        span["span_id"] = json!(format!("s{number}"));
        for (key, value) in fields.as_object().unwrap() {
            span[key] = value.clone();
        }
        span
    };
    body["traces"][0]["spans"] = spans.iter().enumerate().map(span).collect();
    body
}

/// Stores the spans as a trace. What a list shows of it.
pub(crate) fn stored(backend: &Backend, id: &str, spans: &[Value]) -> Value {
    let reply = backend.post("/v1/traces/ingest", "k", &trace(id, spans));
    assert_eq!(reply.status, 200, "{reply:?}");
    backend.get(&format!("/v1/traces/{id}"), "k").json()["summary"].take()
}

pub(crate) fn in_folder() -> (tempfile::TempDir, Backend) {
    let folder = tempfile::tempdir().unwrap();
    let backend = Backend::in_folder(folder.path());
    (folder, backend)
}

#[test]
fn b5_status_words() {
    let (_folder, backend) = in_folder();
    for (number, (status, error, expected)) in [
        ("failed", "boom", "error"),
        ("Cancelled", "boom", "error"),
        ("timed_out", "boom", "timeout"),
        ("EXCEPTION", "boom", "error"),
        ("failure", "", "error"),
        ("interrupted", "boom", "error"),
        ("ERROR", "boom", "error"),
        ("stopped by the user", "boom", "error"),
        ("stopped by the user", "", "other"),
        ("ok", "boom", "ok"),
    ]
    .into_iter()
    .enumerate()
    {
        let id = format!("t{number}");
        let summary = stored(&backend, &id, &[json!({ "status": status, "error_message": error })]);
        let errors = u64::from(["error", "timeout"].contains(&expected));
        assert_eq!((&summary["status"], &summary["errors"]), (&json!(expected), &json!(errors)), "{status}");
        let page = backend.get(&format!("/traces/{id}?span=s0"), "k").body;
        assert!(error.is_empty() || page.contains("boom"), "{status}: {page}");
        assert_eq!(
            page.contains(&format!("<dd>{status}</dd>")),
            !status.eq_ignore_ascii_case(expected),
            "{page}"
        );
    }
    let failed = backend.get("/v1/traces?status=failed", "k").json();
    assert_eq!(failed["items"].as_array().unwrap().len(), 8);
    assert_eq!(backend.get("/v1/traces?status=other", "k").json()["items"].as_array().unwrap().len(), 1);
    let total = backend.get("/v1/metrics", "k").json()["series"][0]["total"].take();
    assert_eq!((&total["count"], &total["errors"]), (&json!(10), &json!(8)));
}

#[test]
fn b14_half_of_a_surrogate_pair_loses_no_batch() {
    let (_folder, backend) = in_folder();
    let mut body = trace("cut", &[json!({ "name": "cut@", "user_id": "ann@", "error_message": "@" })]);
    body["traces"].as_array_mut().unwrap().push(trace("good", &[json!({})])["traces"][0].take());
    let headers = [("X-API-Key", "k"), ("Content-Type", "application/json")];
    let send = |path: &str, body: &str| -> Reply { backend.send("POST", path, &headers, body.as_bytes()) };
    let body = body.to_string().replace('@', r"\ud83d");
    assert_eq!(send("/v1/traces/ingest", &body).status, 200);
    assert_eq!(backend.traces("default").len(), 2);
    let span = backend.get("/v1/traces/cut/spans/s0", "k").json();
    assert_eq!((&span["name"], &span["record"]["user_id"]), (&json!("cut\u{fffd}"), &json!("ann\u{fffd}")));
    let found = backend.get("/v1/traces?user=ann%EF%BF%BD", "k").json();
    assert_eq!(found["items"].as_array().unwrap().len(), 1);

    let annotation = r#"{"name":"n\ud83d","value":1,"comment":"\udc00"}"#;
    assert_eq!(send("/v1/traces/good/annotations", annotation).status, 201);
    let noted = backend.get("/v1/traces/good", "k").json()["annotations"][0].take();
    assert_eq!((&noted["name"], &noted["comment"]), (&json!("n\u{fffd}"), &json!("\u{fffd}")));
}

#[test]
fn text_that_is_not_utf_8_is_stored_with_a_sign_in_its_place() {
    let (_folder, backend) = in_folder();
    let body = trace("t", &[json!({ "name": "caf@" })]).to_string();
    let body: Vec<u8> = body.bytes().map(|byte| if byte == b'@' { 0xE9 } else { byte }).collect();
    let headers = [("X-API-Key", "k"), ("Content-Type", "application/json")];
    assert_eq!(backend.send("POST", "/v1/traces/ingest", &headers, &body).status, 200);
    assert_eq!(backend.traces("default")[0].name, "caf\u{fffd}");
    assert_eq!(backend.send("POST", "/v1/traces/ingest", &headers, b"\x1f\x8b\x08").status, 400);
}

#[test]
fn b6_a_trace_without_a_root_stands_as_its_topmost_spans_do() {
    let (_folder, backend) = in_folder();
    let elsewhere = json!({ "parent_span_id": "elsewhere", "duration_ms": 40 });
    let below = |parent: &str, status: &str| json!({ "parent_span_id": parent, "status": status });
    let stands = |id: &str, spans: &[Value]| {
        let summary = stored(&backend, id, spans);
        (summary["status"].as_str().unwrap().to_owned(), summary["duration_micros"].as_u64().unwrap())
    };
    assert_eq!(stands("remote", &[below("s1", "error"), elsewhere.clone()]), ("ok".to_owned(), 40_000));
    assert_eq!(stands("failed", &[elsewhere, below("elsewhere", "error")]).0, "error");
    assert_eq!(stands("self", &[below("s0", "timeout")]), ("timeout".to_owned(), 1_500));
    assert_eq!(stands("ring", &[below("s1", "ok"), below("s0", "error")]), ("ok".to_owned(), 1_500));
    let latency = backend.get("/v1/metrics", "k").json()["series"][0]["total"]["p99_micros"].take();
    assert!(latency.as_u64() > Some(1_000), "{latency}");
    for id in ["self", "ring"] {
        let page = backend.get(&format!("/traces/{id}"), "k").body;
        assert!(!page.contains("has not arrived"), "{page}");
    }
}

#[test]
fn b12_start_and_duration_are_of_the_same_span() {
    let (_folder, backend) = in_folder();
    let at =
        |time: &str, lasts: u64| json!({ "timestamp": format!("2026-01-02T{time}Z"), "duration_ms": lasts });
    let under = |parent: &str, mut span: Value| {
        span["parent_span_id"] = json!(parent);
        span
    };
    let stands = |id: &str, spans: &[Value]| {
        let summary = stored(&backend, id, spans);
        let started_at = summary["started_at"].as_str().unwrap().to_owned();
        (started_at, summary["duration_micros"].as_u64().unwrap())
    };
    let root = at("03:00:00", 1_000);
    let early = under("s0", at("02:00:00", 50));
    assert_eq!(stands("early", &[root, early]), ("2026-01-02T03:00:00.000000Z".to_owned(), 1_000_000));
    let late = under("s0", at("03:00:00", 5_000));
    assert_eq!(stands("late", &[at("03:00:00", 100), late]).1, 100_000);
    let roots = [at("03:00:01", 10), at("03:00:00", 10)];
    assert_eq!(stands("roots", &roots), ("2026-01-02T03:00:00.000000Z".to_owned(), 1_010_000));
    let earlier = backend.get("/v1/traces?until=2026-01-02T02:30:00Z", "k").json();
    assert_eq!(earlier["items"], json!([]));
}

#[test]
fn b19_the_limit_of_turns_is_the_one_that_is_documented() {
    let backend = Backend::local();
    for turn in 0..60 {
        let at = format!("2026-01-02T03:04:{turn:02}Z");
        stored(&backend, &format!("t{turn}"), &[json!({ "timestamp": at })]);
    }
    let turns = |query: &str| backend.get(&format!("/v1/conversations/talk{query}"), "k");
    let count = |query: &str| turns(query).json()["turns"]["items"].as_array().unwrap().len();
    assert_eq!([count(""), count("?limit=50"), count("?limit=7")], [50, 50, 7]);
    let reply = turns("?limit=51");
    assert_eq!((reply.status, reply.error().1.as_str()), (400, "limit"));
    assert!(reply.body.contains("1 to 50"), "{reply:?}");
    let document = backend.get("/openapi.json", "k").json();
    let parameters =
        document["paths"]["/v1/conversations/{conversation_id}"]["get"]["parameters"].to_string();
    assert!(parameters.contains("from 1 to 50"), "{parameters}");
}

#[test]
fn b20_a_long_identifier_is_found_by_all_of_it() {
    let (_folder, backend) = in_folder();
    for long in
        ["x".repeat(1_500), "é".repeat(700), format!("{} end", "y".repeat(1_023)), " spaces ".to_owned()]
    {
        let fields = json!({
            "session_id": long, "user_id": long, "agent_name": long, "model": long,
            "attributes": json!({ "tags": [long] }).to_string(),
        });
        stored(&backend, "t", &[fields]);
        let encoded: String = long.bytes().map(|byte| format!("%{byte:02X}")).collect();
        for filter in ["conversation", "user", "agent", "model", "tag"] {
            let found = backend.get(&format!("/v1/traces?{filter}={encoded}"), "k").json();
            assert_eq!(found["items"].as_array().unwrap().len(), 1, "{filter} {long}");
        }
        for path in [format!("/v1/conversations/{encoded}"), format!("/conversations/{encoded}")] {
            assert_eq!(backend.get(&path, "k").status, 200, "{long}");
        }
        let agent = backend.get(&format!("/agents/{encoded}?since=all"), "k").body;
        assert!(agent.contains("<dt>Runs</dt><dd>1</dd>"), "{agent}");
    }
}

#[test]
fn what_a_trace_object_says_fills_what_its_spans_leave_out() {
    let (_folder, backend) = in_folder();
    let mut body =
        trace("t", &[json!({}), json!({ "parent_span_id": "s0", "kind": "llm", "session_id": "own" })]);
    let all = body["traces"][0].as_object_mut().unwrap();
    for (key, value) in [
        ("session_id", json!("talk of the trace")),
        ("user_id", json!("bo")),
        ("agent_name", json!("desk")),
        ("root_span_name", json!("answer")),
        ("status", json!("failed")),
        ("duration_ms", json!(2_500)),
        ("model", json!("gpt-4o")),
        ("input_tokens", json!(1_000)),
        ("total_tokens", json!(1_200)),
        ("attributes", json!(r#"{"tags": ["late"], "plan": "pro"}"#)),
    ] {
        all.insert(key.to_owned(), value);
    }
    for key in ["session_id", "user_id", "agent_name", "name", "status", "duration_ms"] {
        let root = all["spans"][0].as_object_mut().unwrap();
        root.remove(key);
    }
    for key in ["user_id", "agent_name"] {
        all["spans"][1][key] = json!("");
    }
    all["spans"][0]["attributes"] = json!(r#"{"plan": "basic"}"#);
    assert_eq!(backend.post("/v1/traces/ingest", "k", &body).status, 200);
    let found = backend.get("/v1/traces/t", "k").json();
    let summary = &found["summary"];
    for (key, expected) in [
        ("name", json!("answer")),
        ("status", json!("error")),
        ("duration_micros", json!(2_500_000)),
        ("agents", json!(["desk"])),
        ("conversation_id", json!("talk of the trace")),
        ("user_id", json!("bo")),
        ("models", json!(["gpt-4o"])),
        ("tags", json!(["late"])),
    ] {
        assert_eq!(summary[key], expected, "{key}");
    }
    assert_eq!(summary["tokens"]["total"], json!(1_200));
    assert_eq!(backend.get("/v1/traces?conversation=own", "k").json()["items"].as_array().unwrap().len(), 1);
    let root = backend.get("/v1/traces/t/spans/s0", "k").json()["record"].take();
    let attributes: Value = serde_json::from_str(root["attributes"].as_str().unwrap()).unwrap();
    assert_eq!((&root["user_id"], attributes), (&json!("bo"), json!({ "plan": "basic", "tags": ["late"] })));

    body["traces"][0]["session_id"] = json!(["no text"]);
    let reply = backend.post("/v1/traces/ingest", "k", &body);
    assert_eq!((reply.status, reply.error().1), (422, "traces[0].session_id".to_owned()));
}

#[test]
fn the_first_sdks_name_their_agents_too() {
    let (_folder, backend) = in_folder();
    let without = |mut span: Value, keys: &[&str]| {
        let fields = span.as_object_mut().unwrap();
        keys.iter().for_each(|key| drop(fields.remove(*key)));
        span
    };
    let send = |id: &str, root: Value, child: Value, left_out: &[&str]| {
        let mut body = trace(id, &[root, child]);
        for span in body["traces"][0]["spans"].as_array_mut().unwrap() {
            *span = without(span.take(), left_out);
        }
        assert_eq!(backend.post("/v1/traces/ingest", "k", &body).status, 200);
        backend.get(&format!("/v1/traces/{id}"), "k").json()["summary"]["agents"].take()
    };
    let call = json!({
        "parent_span_id": "s0", "kind": "llm", "model": "gpt-4o", "input_tokens": 1_000, "total_tokens": 1_000,
    });
    // 0.1.20
    let root = json!({ "name": "answer", "agent_id": "support-bot" });
    let mut child = call.clone();
    child["agent_id"] = json!("support-bot");
    assert_eq!(send("0.1.20", root, child, &["agent_name", "session_id"]), json!(["support-bot"]));
    // 0.1.2
    let left_out = ["agent_name", "agent_id", "session_id", "user_id"];
    assert_eq!(send("0.1.2", json!({ "name": "clerk" }), call.clone(), &left_out), json!(["clerk"]));
    // An identifier is no name.
    let root = json!({ "name": "planner", "agent_id": "0cf2c2fe-e545-5eaa-b378-d7b106699088" });
    assert_eq!(send("uuid", root, call, &["agent_name"]), json!(["planner"]));
    let agents = backend.get("/v1/agents", "k").json();
    let clerk = agents["items"].as_array().unwrap().iter().find(|agent| agent["agent"] == "clerk").unwrap();
    assert_eq!((&clerk["count"], &clerk["tokens"]["total"]), (&json!(1), &json!(1_000)), "{agents}");
}

#[test]
fn a_filter_by_model_keeps_runs_runs() {
    let (_folder, backend) = in_folder();
    let call = |model: &str| {
        json!({
            "parent_span_id": "s0", "kind": "llm", "model": model, "input_tokens": 100, "total_tokens": 100,
        })
    };
    stored(&backend, "two", &[json!({}), call("gpt-4o"), call("gpt-4o"), call("gpt-4o-mini")]);
    stored(&backend, "other", &[json!({}), call("gpt-4o-mini")]);
    let total = |query: &str| {
        let total = backend.get(&format!("/v1/metrics?{query}"), "k").json()["series"][0]["total"].take();
        (total["count"].as_u64().unwrap(), total["tokens"]["total"].as_u64().unwrap())
    };
    assert_eq!(total(""), (2, 400));
    assert_eq!(total("model=gpt-4o"), (1, 200));
    assert_eq!(total("model=gpt-4o&agent=planner"), (1, 200));
    assert_eq!(total("model=gpt-4o&by=agent"), (1, 200));
    assert_eq!(total("model=gpt-4o&by=user"), (1, 200));
    assert_eq!(total("model=gpt-4o&by=model"), (2, 200));
    assert_eq!(backend.get("/v1/users?model=gpt-4o", "k").json()["items"][0]["count"], json!(1));
    let runs = |query: &str| {
        let page = backend.get(&format!("/?since=all{query}"), "k").body;
        let (_, tile) = page.split_once("<dt>Runs</dt><dd>").unwrap();
        tile.split_once('<').unwrap().0.to_owned()
    };
    assert_eq!([runs(""), runs("&model=gpt-4o")], ["2", "1"]);
}

#[test]
fn a_span_beside_any_run_is_no_run_of_its_agent() {
    let (_folder, backend) = in_folder();
    let tool = json!({ "kind": "tool", "agent_name": "default", "duration_ms": 3 });
    stored(&backend, "stray", std::slice::from_ref(&tool));
    let mut mcp = tool;
    mcp["parent_span_id"] = json!("s0");
    mcp["status"] = json!("error");
    stored(&backend, "joined", &[json!({}), mcp]);
    stored(&backend, "run", &[json!({ "agent_name": "default", "duration_ms": 900 })]);
    let agents = backend.get("/v1/agents", "k").json();
    let default =
        agents["items"].as_array().unwrap().iter().find(|agent| agent["agent"] == "default").unwrap();
    assert_eq!((&default["count"], &default["errors"]), (&json!(1), &json!(0)));
    assert!(default["p50_micros"].as_u64() > Some(800_000), "{default}");
    let found = backend.get("/v1/traces?agent=default", "k").json();
    assert_eq!(found["items"].as_array().unwrap().len(), 3);
}

#[test]
fn a_trace_has_one_number_of_errors() {
    let (_folder, backend) = in_folder();
    let failed =
        |parent: Value| json!({ "parent_span_id": parent, "status": "error", "error_message": "boom" });
    let spans =
        [failed(json!(null)), failed(json!("s0")), json!({ "parent_span_id": "s0" }), failed(json!("gone"))];
    assert_eq!(stored(&backend, "t", &spans)["errors"], json!(3));
    let listed = backend.get("/v1/traces", "k").json()["items"][0]["errors"].take();
    let turn =
        backend.get("/v1/conversations/talk", "k").json()["turns"]["items"][0]["trace"]["errors"].take();
    assert_eq!([listed, turn], [json!(3), json!(3)]);
    for (path, expected) in [
        ("/traces", "title=\"3 spans failed\""),
        ("/traces/t", "3 failed"),
        ("/traces/t", "✗ 3</span> Next error"),
        ("/conversations/talk", "3 failed"),
    ] {
        let page = backend.get(path, "k").body;
        assert!(page.contains(expected), "{path}: {page}");
    }
}

#[test]
fn a_workspace_is_made_for_a_slug_and_a_slug_is_proposed_for_another_name() {
    let (_folder, backend) = in_folder();
    let mut body = one_span("My Team", "t", "s");
    let reply = backend.post("/v1/traces/ingest", "k", &body);
    assert_eq!((reply.status, reply.error().1.as_str()), (422, "traces[0].workspace_slug"));
    assert!(reply.body.contains("`my-team`") && reply.body.contains("letters from a to z"), "{reply:?}");
    body["traces"][0]["workspace_slug"] = json!("my-team");
    assert_eq!(backend.post("/v1/traces/ingest", "k", &body).status, 200);
    assert_eq!(backend.traces("my-team").len(), 1);
}
