use std::{
    collections::HashSet,
    fmt,
    num::{NonZeroU64, NonZeroU128},
    sync::Arc,
    time::Duration,
};

use proptest::prelude::*;
use serde::de::{Deserialize, Deserializer, MapAccess, SeqAccess, Visitor};
use serde_json::{Value, json};

use super::*;
use crate::{
    capture::{Capture, Category, Policy},
    record::{
        CallSite, Conversation, Entry, EntryBuf, Finished, GitFacts, Name, Resource, SpanId, SpanKind,
        SpanStatus, TraceId, Usage, clock::WallTime,
    },
};

/// 2026-11-22T23:49:45.166692Z
const START: u64 = 1_795_391_385_166_692_000;

static AGENT: CallSite = CallSite::function("support_agent", SpanKind::Agent, "run").at("src/app.rs", 33);
static TOOL: CallSite =
    CallSite::function("search_kb", SpanKind::Tool, "search_kb").at("src/app.rs", 25).with_tags(&["kb"]);
static BLOCK: CallSite = CallSite::manual("embed", SpanKind::Retriever);
static BUILT_TOOL: CallSite = CallSite::manual("by hand", SpanKind::Tool);
static LLM: CallSite = CallSite::manual("chat", SpanKind::Llm);

fn trace_id(bits: u128) -> TraceId {
    TraceId::new(NonZeroU128::new(bits).unwrap())
}

fn span_id(bits: u64) -> SpanId {
    SpanId::new(NonZeroU64::new(bits).unwrap())
}

fn resource() -> Resource {
    Resource {
        agent_name: "demo-agent".to_owned(),
        agent_version: "v2.3".to_owned(),
        environment: "prod".to_owned(),
        workspace: "support".to_owned(),
        session_id: "3794d49e-3c4b-4a12-b7ff-52d1d41d3d93".to_owned(),
        git: Default::default(),
    }
}

fn log(entries: &[Entry<'_>]) -> Box<[u8]> {
    let mut log = EntryBuf::default();
    for entry in entries {
        log.push(entry);
    }
    log.as_bytes().into()
}

fn finished(site: &'static CallSite, entries: &[Entry<'_>]) -> Finished {
    Finished {
        site,
        trace_id: trace_id(0xc931_d6ba_7556_d4da_590b_8427_5368_5e5a),
        span_id: span_id(0x27a3_51b3_e450_c2c9),
        parent: None,
        started: WallTime(START),
        duration: Duration::from_micros(590).into(),
        agent: None,
        conversation: None,
        log: log(entries),
        provisional: false,
        announced: false,
        remote_parent: false,
    }
}

fn record(finished: Finished) -> SpanRecord {
    SpanRecord::new(finished, Arc::new(resource()), Policy::default())
}

fn body(spans: Vec<SpanRecord>) -> String {
    let mut out = Vec::new();
    write_body(&Batch::new("key".to_owned(), spans), usize::MAX, &mut out).unwrap();
    let body = String::from_utf8(out).unwrap();
    assert_keys_are_unique(&body);
    body
}

/// No object of a request has a key twice, nor has the document in `attributes`: readers differ in which
/// they take.
fn assert_keys_are_unique(json: &str) {
    struct Unique;
    impl<'de> Deserialize<'de> for Unique {
        fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
            deserializer.deserialize_any(Self)
        }
    }
    impl<'de> Visitor<'de> for Unique {
        type Value = Self;

        fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
            f.write_str("JSON without a key twice")
        }
        fn visit_bool<E>(self, _: bool) -> Result<Self, E> {
            Ok(self)
        }
        fn visit_u64<E>(self, _: u64) -> Result<Self, E> {
            Ok(self)
        }
        fn visit_i64<E>(self, _: i64) -> Result<Self, E> {
            Ok(self)
        }
        fn visit_f64<E>(self, _: f64) -> Result<Self, E> {
            Ok(self)
        }
        fn visit_str<E>(self, _: &str) -> Result<Self, E> {
            Ok(self)
        }
        fn visit_unit<E>(self) -> Result<Self, E> {
            Ok(self)
        }
        fn visit_seq<A: SeqAccess<'de>>(self, mut items: A) -> Result<Self, A::Error> {
            while items.next_element::<Self>()?.is_some() {}
            Ok(self)
        }
        fn visit_map<A: MapAccess<'de>>(self, mut entries: A) -> Result<Self, A::Error> {
            let mut keys = HashSet::new();
            while let Some(key) = entries.next_key::<String>()? {
                if key == "attributes" {
                    assert_keys_are_unique(&entries.next_value::<String>()?);
                } else {
                    entries.next_value::<Self>()?;
                }
                assert!(keys.insert(key.clone()), "{key} comes twice");
            }
            Ok(self)
        }
    }
    if let Err(error) = serde_json::from_str::<Unique>(json) {
        panic!("{error} in {json}");
    }
}

#[test]
fn a_span_whose_metadata_has_the_names_of_our_own_attributes_has_each_once() {
    let entries: Vec<Entry<'_>> =
        ["tool_name", "tags", "exception.type", "code.filepath", "code.lineno", "vcs.branch"]
            .into_iter()
            .flat_map(|key| [Entry::Metadata { key, json: "1" }, Entry::Metadata { key, json: "2" }])
            .chain([Entry::Label("t"), Entry::Error { type_name: "E", message: None }])
            .collect();
    let resource = resource();
    resource.git.set(GitFacts { branch: "main".to_owned(), ..GitFacts::default() }).unwrap();
    let span = SpanRecord::new(finished(&TOOL, &entries), Arc::new(resource), Policy::default());
    assert!(attributes(span).contains("\"tags\":2"));
}

fn only_span(span: SpanRecord) -> Value {
    let body: Value = serde_json::from_str(&body(vec![span])).unwrap();
    body["traces"][0]["spans"][0].clone()
}

fn attributes(span: SpanRecord) -> String {
    only_span(span)["attributes"].as_str().unwrap().to_owned()
}

#[test]
fn a_request_is_that_of_the_wire_byte_for_byte() {
    let root =
        finished(&AGENT, &[Entry::Arguments(r#"{"message":"reset \"it\""}"#), Entry::Returned("\"ok\"")]);
    let tool = Finished {
        site: &TOOL,
        span_id: span_id(0xd0cc_1772_686c_a427),
        parent: Some(root.span_id),
        started: WallTime(START + 322_000),
        duration: Duration::from_nanos(44_999).into(),
        agent: Some("support_agent".into()),
        ..finished(&TOOL, &[Entry::Error { type_name: "Refused", message: Some("") }])
    };
    let body = body(vec![record(Finished { agent: Some("support_agent".into()), ..root }), record(tool)]);
    let rest = concat!(
        r#""model":"","provider":"","requested_model":"","usage_available":null,"reasoning_effort":"","#,
        r#""input_tokens":0,"output_tokens":0,"total_tokens":0,"#
    );
    let capture = concat!(
        r#""session_id":"3794d49e-3c4b-4a12-b7ff-52d1d41d3d93","agent_name":"support_agent","#,
        r#""agent_id":"4aff8e83-a594-5f39-8f85-61f589376274","agent_version":"v2.3","user_id":"","#,
        r#""capture":{"request":"captured","system_prompt":"captured","tool_schema":"captured","#,
        r#""tool_arguments":"captured","output":"captured"}}"#
    );
    let expected = [
        r#"{"traces":[{"trace_id":"c931d6ba-7556-d4da-590b-842753685e5a","#,
        r#""timestamp":"2026-11-22T23:49:45.166692+00:00","environment":"prod","workspace_slug":"support","#,
        r#""spans":[{"span_id":"00000000-0000-0000-27a3-51b3e450c2c9","parent_span_id":null,"#,
        r#""name":"support_agent","kind":"agent","timestamp":"2026-11-22T23:49:45.166692+00:00","#,
        r#""duration_ms":0.59,"status":"ok","#,
        rest,
        r#""input":"{\"agent_name\":\"support_agent\",\"message\":\"reset \\\"it\\\"\"}","#,
        r#""output":"{\"result\":\"ok\"}","#,
        r#""attributes":"{\"code.filepath\":\"src/app.rs\",\"code.lineno\":33,\"code.function\":\"run\"}","#,
        r#""error_message":null,"#,
        capture,
        r#",{"span_id":"00000000-0000-0000-d0cc-1772686ca427","#,
        r#""parent_span_id":"00000000-0000-0000-27a3-51b3e450c2c9","#,
        r#""name":"search_kb","kind":"tool","timestamp":"2026-11-22T23:49:45.167014+00:00","#,
        r#""duration_ms":0.04,"status":"error","#,
        rest,
        r#""input":"","output":"","#,
        r#""attributes":"{\"tool_name\":\"search_kb\",\"code.filepath\":\"src/app.rs\",\"code.lineno\":25,"#,
        r#"\"code.function\":\"search_kb\",\"tags\":[\"kb\"],\"exception.type\":\"Refused\"}","#,
        r#""error_message":"","#,
        capture,
        r#"]}]}"#,
    ]
    .concat();
    assert_eq!(body, expected);
}

#[test]
fn traces_are_separate_and_say_when_their_earliest_span_began() {
    let other = Finished { trace_id: trace_id(7), started: WallTime(START + 5_000), ..finished(&BLOCK, &[]) };
    let late = Finished { started: WallTime(START + 9_000), ..finished(&BLOCK, &[]) };
    let spans = [late, other, finished(&BLOCK, &[])].map(record);
    let mut out = Vec::new();
    assert_eq!(write_body(&Batch::new("key".to_owned(), spans.to_vec()), usize::MAX, &mut out), Some(2));
    let body: Value = serde_json::from_slice(&out).unwrap();
    let seen: Vec<_> = body["traces"]
        .as_array()
        .unwrap()
        .iter()
        .map(|trace| (trace["timestamp"].as_str().unwrap(), trace["spans"].as_array().unwrap().len()))
        .collect();
    assert_eq!(seen, [("2026-11-22T23:49:45.166692+00:00", 2), ("2026-11-22T23:49:45.166697+00:00", 1)]);
}

#[test]
fn usage_is_real_unknown_or_not_expected() {
    let usage = Entry::Usage(Usage::new(12, 34));
    let available = |finished| only_span(record(finished))["usage_available"].clone();
    assert_eq!(available(finished(&LLM, &[usage])), json!(true));
    assert_eq!(available(finished(&LLM, &[])), json!(false));
    assert_eq!(available(finished(&BLOCK, &[])), Value::Null);
    assert_eq!(available(Finished { provisional: true, ..finished(&LLM, &[usage]) }), json!(false));
}

#[test]
fn values_that_say_nothing_are_sent_as_no_text() {
    for json in ["{}", "[]", "null", "0", "-0.0", "false", "\"\""] {
        let span = only_span(record(finished(&BLOCK, &[Entry::Input(json), Entry::Output(json)])));
        assert_eq!((&span["input"], &span["output"]), (&json!(""), &json!("")), "{json}");
    }
    let span = only_span(record(finished(&BLOCK, &[Entry::Input("\"text\""), Entry::Returned("null")])));
    assert_eq!((&span["input"], &span["output"]), (&json!("\"text\""), &json!("{\"result\":null}")));
}

#[test]
fn only_an_attribute_on_a_function_makes_a_tool_name() {
    assert_eq!(attributes(record(finished(&BUILT_TOOL, &[]))), "{}");
    let renamed = finished(&TOOL, &[Entry::Name("given")]);
    assert!(attributes(record(renamed)).starts_with("{\"tool_name\":\"given\","));
}

#[test]
fn the_callers_metadata_takes_the_place_of_what_stands_before_it() {
    let json = |key, json| Entry::Metadata { key, json };
    let span = finished(
        &TOOL,
        &[json("team", "\"core\""), json("tags", "7"), json("tool_name", "\"mine\""), Entry::Label("added")],
    );
    assert_eq!(
        attributes(record(span)),
        concat!(
            r#"{"tool_name":"mine","code.filepath":"src/app.rs","code.lineno":25,"#,
            r#""code.function":"search_kb","tags":7,"team":"core"}"#
        )
    );
}

#[test]
fn the_type_of_an_error_takes_the_place_of_the_callers() {
    let span = finished(
        &BLOCK,
        &[
            Entry::Metadata { key: "exception.type", json: "\"mine\"" },
            Entry::Metadata { key: "k", json: "1" },
            Entry::Error { type_name: "Refused", message: None },
            Entry::Label("t"),
        ],
    );
    assert_eq!(attributes(record(span)), r#"{"tags":["t"],"exception.type":"Refused","k":1}"#);
}

#[test]
fn an_announcement_is_marked_and_nothing_else_can_be() {
    let mark = Entry::Metadata { key: "staso.provisional_root", json: "\"mine\"" };
    assert_eq!(attributes(record(finished(&BLOCK, &[mark]))), "{}");
    let announcement = Finished { provisional: true, ..finished(&BLOCK, &[mark]) };
    assert_eq!(attributes(record(announcement)), r#"{"staso.provisional_root":true}"#);
}

#[test]
fn the_commit_is_on_roots_only() {
    let resource = Arc::new(resource());
    let facts = GitFacts {
        commit_sha: "2efb".to_owned(),
        branch: "main".to_owned(),
        repo_url: "acme/demo".to_owned(),
        is_dirty: true,
    };
    resource.git.set(facts).unwrap();
    let child = Finished { parent: Some(span_id(1)), ..finished(&BLOCK, &[]) };
    let [root, child] = [finished(&BLOCK, &[]), child]
        .map(|finished| attributes(SpanRecord::new(finished, resource.clone(), Policy::default())));
    assert_eq!(
        root,
        r#"{"vcs.commit.sha":"2efb","vcs.branch":"main","vcs.repo_url":"acme/demo","vcs.is_dirty":true}"#
    );
    assert_eq!(child, "{}");
}

#[test]
fn suppressed_categories_are_named() {
    let policy = Policy::new(Capture::all().without(Category::ToolSchema));
    let span = only_span(SpanRecord::new(finished(&BLOCK, &[]), Arc::new(resource()), policy));
    let mut capture = json!({
        "request": "captured", "system_prompt": "captured", "tool_schema": "captured",
        "tool_arguments": "captured", "output": "captured"
    });
    capture["tool_schema"] = json!("suppressed");
    assert_eq!(span["capture"], capture);
}

fn any_text() -> impl Strategy<Value = String> {
    "(?s).{0,24}"
}

#[test]
fn several_spans_beyond_the_limit_are_no_request_and_one_span_always_is() {
    let span =
        |id| record(Finished { span_id: span_id(id), ..finished(&BLOCK, &[Entry::Input(r#"{"a":1}"#)]) });
    let whole = body(vec![span(1), span(2)]).len();
    let written = |spans: Vec<SpanRecord>, most| {
        let mut out = Vec::new();
        write_body(&Batch::new("key".to_owned(), spans), most, &mut out)
    };
    assert_eq!(written(vec![span(1), span(2)], whole), Some(1));
    assert_eq!(written(vec![span(1), span(2)], whole - 1), None);
    assert_eq!(written(vec![span(1)], 10), Some(1));
}

fn any_json() -> impl Strategy<Value = Value> {
    let leaf = prop_oneof![
        any::<Option<i64>>().prop_map(Value::from),
        any::<bool>().prop_map(Value::from),
        any_text().prop_map(Value::from),
    ];
    leaf.prop_recursive(3, 16, 4, |inner| {
        prop_oneof![
            prop::collection::vec(inner.clone(), 0..4).prop_map(Value::from),
            prop::collection::btree_map(any_text(), inner, 0..4)
                .prop_map(|map| Value::Object(map.into_iter().collect())),
        ]
    })
}

proptest! {
    #[test]
    fn whatever_a_span_carries_reads_back_as_it_was(
        texts in prop::array::uniform14(any_text()),
        [input, output, metadata] in prop::array::uniform3(any_json()),
        tags in prop::collection::vec(any_text(), 1..4),
        usage: [u64; 3],
        micros in 0..4_000_000_000_000_000_u64,
    ) {
        let [
            name, message, exception, model, requested, provider, effort, agent, version, environment, workspace,
            session, user, key,
        ] = &texts;
        prop_assume!(!["tags", "exception.type", PROVISIONAL].contains(&key.as_str()));
        let usage = Usage::new(usage[0], usage[1]).with_total(usage[2]);
        // An object is never one of the values that are sent as no text.
        let (input, output) = (json!({"v": input}), json!({"v": output}));
        let [input_json, output_json, metadata_json] = [&input, &output, &metadata].map(Value::to_string);
        let mut entries = vec![
            Entry::Name(name), Entry::Model(model), Entry::RequestedModel(requested), Entry::Provider(provider),
            Entry::ReasoningEffort(effort), Entry::Usage(usage), Entry::Input(&input_json),
            Entry::Output(&output_json), Entry::Metadata { key, json: &metadata_json },
            Entry::Error { type_name: exception, message: Some(message) },
        ];
        entries.extend(tags.iter().map(|tag| Entry::Label(tag)));
        let conversation = Conversation { id: session.as_str().into(), user_id: Some(user.as_str().into()) };
        let finished = Finished {
            started: WallTime(micros * 1_000),
            agent: Some(Name::Shared(agent.as_str().into())),
            conversation: Some(Arc::new(conversation)),
            ..finished(&BLOCK, &entries)
        };
        let resource = Resource {
            agent_version: version.clone(), environment: environment.clone(), workspace: workspace.clone(),
            ..resource()
        };
        let span = SpanRecord::new(finished, Arc::new(resource), Policy::default());

        let body: Value = serde_json::from_str(&body(vec![span])).unwrap();
        let trace = &body["traces"][0];
        prop_assert_eq!(&trace["environment"], environment);
        prop_assert_eq!(&trace["workspace_slug"], workspace);
        let span = &trace["spans"][0];
        for (field, text) in [
            ("name", name), ("error_message", message), ("model", model), ("requested_model", requested),
            ("provider", provider), ("reasoning_effort", effort), ("agent_name", agent),
            ("agent_version", version), ("session_id", session), ("user_id", user),
        ] {
            prop_assert_eq!(&span[field], text, "{}", field);
        }
        let tokens = ["input_tokens", "output_tokens", "total_tokens"].map(|field| span[field].as_u64().unwrap());
        prop_assert_eq!(tokens, [usage.input_tokens, usage.output_tokens, usage.total_tokens]);

        let inner = |field: &str| serde_json::from_str::<Value>(span[field].as_str().unwrap()).unwrap();
        prop_assert_eq!(inner("input"), input);
        prop_assert_eq!(inner("output"), output);
        let mut tags = tags;
        let mut seen = HashSet::new();
        tags.retain(|tag| seen.insert(tag.clone()));
        let mut attributes = json!({"tags": tags, "exception.type": exception});
        attributes[key] = metadata;
        prop_assert_eq!(inner("attributes"), attributes);
        prop_assert_eq!(&span["status"], SpanStatus::Error.as_str());
    }
}

const PROVISIONAL: &str = "staso.provisional_root";
