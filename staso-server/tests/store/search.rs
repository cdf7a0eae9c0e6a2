//! Text search: what is found, in every script and at any depth, is the same before a trace is settled and after it.

use std::path::Path;

use serde_json::{Value, json};
use staso_server::{
    ingest::parse_trace,
    model::{Batch, IncomingTrace, PageRequest, TextField, Timestamp, TraceFilter, TraceSort, WorkspaceId},
    pricing::Prices,
    store::{Store, memory::MemoryStore, sqlite::SqliteStore},
};

use crate::world::{SOON, default_workspace, open, runtime};

/// A trace of one span with these fields in place of the ordinary ones.
fn trace(id: &str, fields: &Value) -> Value {
    let mut span = json!({
        "span_id": "s", "name": "step", "kind": "llm", "timestamp": "2026-01-02T03:04:05Z", "duration_ms": 1.0,
        "status": "ok", "input": "", "output": "", "attributes": "{}", "error_message": null,
    });
    for (key, value) in fields.as_object().unwrap() {
        span[key] = value.clone();
    }
    json!({ "trace_id": id, "timestamp": "2026-01-02T03:04:05Z", "environment": "prod", "spans": [span] })
}

fn batch(workspace: WorkspaceId, trace: &Value, received_at: Timestamp) -> Batch {
    let parsed = parse_trace(&trace.to_string(), &Prices::embedded()).unwrap();
    let key = parsed.trace_id.to_string();
    let (trace_id, environment, spans) = (parsed.trace_id, parsed.environment, parsed.spans);
    let traces = vec![IncomingTrace { workspace, trace_id, environment, spans }];
    Batch { sender: None, idempotency_key: key, digest: [0; 32], accepted: 1, received_at, traces }
}

/// The same traces, twice settled, once not settled, and in memory.
struct Stores {
    stores: Vec<(&'static str, Box<dyn Store>)>,
    workspace: WorkspaceId,
    runtime: tokio::runtime::Runtime,
    _folders: [tempfile::TempDir; 2],
}

impl Stores {
    fn of(traces: &[Value]) -> Self {
        let folders = [(); 2].map(|()| tempfile::tempdir().unwrap());
        let runtime = runtime();
        let (stores, workspace) = runtime.block_on(async {
            let settled = filled(open(folders[0].path()), traces, Timestamp::from_micros(1)).await;
            settled.settle().await.unwrap();
            // So late that it is not quiet while the test runs.
            let late = Timestamp::from_micros(1 << 60);
            let fresh = filled(open(folders[1].path()), traces, late).await;
            let memory = filled(MemoryStore::new(), traces, late).await;
            let workspace = default_workspace(&memory).await;
            let stores: Vec<(&str, Box<dyn Store>)> = vec![
                ("settled", Box::new(settled)),
                ("fresh", Box::new(fresh)),
                ("memory", Box::new(memory)),
            ];
            (stores, workspace)
        });
        Self { stores, workspace, runtime, _folders: folders }
    }

    /// Asserts which traces a text finds, in every store.
    fn assert_finds(&self, text: &str, text_in: Option<TextField>, expected: &[&str]) {
        for (name, store) in &self.stores {
            let filter = TraceFilter { text: Some(text.to_owned()), text_in, ..TraceFilter::default() };
            let page = PageRequest::first(100);
            let found = store.traces(self.workspace, filter, TraceSort::Newest, page);
            let found = self.runtime.block_on(found).unwrap().items;
            let mut ids: Vec<&str> = found.iter().map(|trace| trace.trace_id.as_str()).collect();
            ids.sort_unstable();
            assert_eq!(ids, expected, "`{text}` in {text_in:?}, {name}");
        }
    }
}

impl Drop for Stores {
    fn drop(&mut self) {
        self.runtime.block_on(async {
            for (_, store) in &self.stores {
                store.close(SOON).await;
            }
        });
    }
}

async fn filled<S: Store>(store: S, traces: &[Value], received_at: Timestamp) -> S {
    let workspace = default_workspace(&store).await;
    for trace in traces {
        store.ingest(batch(workspace, trace, received_at)).await.unwrap();
    }
    store
}

fn inputs<const N: usize>(inputs: [(&str, Value); N]) -> Stores {
    Stores::of(&inputs.map(|(id, input)| trace(id, &json!({ "input": input.to_string() }))))
}

#[test]
fn b1_words_inside_scripts_without_spaces_are_found() {
    let stores = inputs([
        ("refund", json!({"q": "请帮我退款订单一千零一十七"})),
        ("weather", json!({"q": "今天的天气怎么样"})),
        ("tower", json!({"q": "東京タワーへの行き方"})),
        ("thai", json!({"q": "ขอคืนเงินหน่อยครับ"})),
        ("khmer", json!({"q": "ខ្ញុំចង់បានប្រាក់សងវិញ"})),
        ("korean", json!({"q": "주문을환불해주세요"})),
        ("arabic", json!({"q": "أريد استرداد المبلغ"})),
        ("hebrew", json!({"q": "אני רוצה החזר"})),
        ("russian", json!({"q": "Верните деньги"})),
        ("mixed", json!({"q": "GPT模型v2很好"})),
    ]);
    for (text, expected) in [
        ("退款", "refund"),
        ("订单", "refund"),
        ("款", "refund"),
        ("我退款订单一千", "refund"),
        ("天气", "weather"),
        ("東京", "tower"),
        ("タワー", "tower"),
        ("ﾀﾜｰ", "tower"),
        ("行き方", "tower"),
        ("คืนเงิน", "thai"),
        ("ប្រាក់", "khmer"),
        ("환불", "korean"),
        ("ترداد", "arabic"),
        ("אני", "hebrew"),
        ("ньг", "russian"),
        ("t模", "mixed"),
        ("型v2很", "mixed"),
    ] {
        stores.assert_finds(text, None, &[expected]);
    }
    for text in ["款退", "退款天气", "型v3"] {
        stores.assert_finds(text, None, &[]);
    }
}

#[test]
fn b2_a_query_without_a_letter_is_a_condition() {
    let stores = inputs([
        ("party", json!("well done 🎉")),
        ("rocket", json!("off we go 👩‍🚀")),
        ("cpp", json!("I write C++, not C")),
        ("csharp", json!("I write C#")),
        ("path", json!(r"C:\Users\new")),
        ("percent", json!("100% sure???")),
    ]);
    for (text, expected) in [
        ("🎉", &["party"][..]),
        ("🚀", &["rocket"]),
        ("👩‍🚀", &["rocket"]),
        ("🔥", &[]),
        ("C++", &["cpp"]),
        ("c#", &["csharp"]),
        ("%", &["percent"]),
        ("???", &["percent"]),
        ("*", &[]),
        (r"C:\Users", &["path"]),
        ("c:", &["path"]),
        ("\0", &[]),
        ("write", &["cpp", "csharp"]),
        ("🎉 🚀", &[]),
    ] {
        stores.assert_finds(text, None, expected);
    }
}

#[test]
fn b3_text_in_json_that_is_inside_json() {
    let arguments = r#"{"city": "Reykjav\u00edk", "memo": "firstline\nsecondline", "name": "M\u00fcller"}"#;
    let call = json!({"id": "c", "type": "function", "function": {"name": "pay", "arguments": arguments}});
    let messages = json!({"messages": [{"role": "assistant", "tool_calls": [call.clone()]}]});
    let tool = json!({"messages": [{"role": "tool", "content": arguments}]});
    let deeper = json!({ "log": json!({ "line": messages.to_string() }).to_string() });
    let cut = messages.to_string();
    let cut = cut.get(..cut.find("secondline").unwrap() + 10).unwrap().to_owned();
    let traces = [
        trace("call", &json!({ "input": messages.to_string() })),
        trace("tool", &json!({ "input": tool.to_string() })),
        trace("deeper", &json!({ "output": deeper.to_string(), "kind": "custom" })),
        trace("cut", &json!({ "input": cut })),
        trace("error", &json!({ "error_message": format!("refused: {call} (400)") })),
    ];
    let stores = Stores::of(&traces);
    let all = ["call", "cut", "deeper", "error", "tool"];
    for text in ["Reykjavík", "secondline", "\"firstline secondline\"", "\"city\": \"reykjavik\""] {
        stores.assert_finds(text, None, &all);
    }
    stores.assert_finds("Müller", None, &["call", "deeper", "error", "tool"]);
    for text in ["nsecondline", "u00edk", "u00fc", "\\u00"] {
        stores.assert_finds(text, None, &[]);
    }
}

#[test]
fn b22_accents_case_and_width_make_no_difference() {
    let stores = inputs([
        ("dessert", json!("Crème brûlée")),
        ("city", json!("ZÜRICH, Straße 7")),
        ("wide", json!("Ｔｏｋｙｏ　２０２６")),
        ("decomposed", json!("cafe\u{301}")),
    ]);
    for (text, expected) in [
        ("creme", "dessert"),
        ("brulee", "dessert"),
        ("\"CRÈME BRULÉE\"", "dessert"),
        ("zurich", "city"),
        ("Zürich", "city"),
        ("strasse", "city"),
        ("tokyo", "wide"),
        ("\"tokyo 2026\"", "wide"),
        ("café", "decomposed"),
    ] {
        stores.assert_finds(text, None, &[expected]);
    }
}

#[test]
fn a_text_is_looked_for_where_it_is_asked_for() {
    let messages =
        json!([{"role": "user", "content": "where is my parcel"}, {"role": "tool", "content": "lost"}]);
    let stores = Stores::of(&[
        trace("agent", &json!({"kind": "agent", "input": "a refund", "output": "a parcel"})),
        trace("tool", &json!({"kind": "tool", "input": "refund", "error_message": "no parcel"})),
        trace(
            "llm",
            &json!({"kind": "llm", "parent_span_id": "p", "input": messages.to_string(), "output": "sorry"}),
        ),
        trace("name", &json!({"name": "parcel service"})),
    ]);
    for (text, field, expected) in [
        ("refund", TextField::User, &["agent"][..]),
        ("refund", TextField::Tools, &["tool"]),
        ("parcel", TextField::User, &["llm"]),
        ("parcel", TextField::Answers, &["agent"]),
        ("arce", TextField::Errors, &["tool"]),
        ("parcel", TextField::Rest, &["name"]),
        ("lost", TextField::Tools, &["llm"]),
        ("refund parcel", TextField::User, &[]),
    ] {
        stores.assert_finds(text, Some(field), expected);
    }
    stores.assert_finds("parcel", None, &["agent", "llm", "name", "tool"]);
}

#[test]
fn words_without_an_end_and_parts_of_them_are_found() {
    let digits: String = (0..2_000).map(|number| format!("{number:x}")).collect();
    let stores = inputs([
        ("long", json!(digits)),
        ("zeros", json!("0".repeat(100_000))),
        ("short", json!("7a77a87a9")),
    ]);
    stores.assert_finds("7a77a87a9", None, &["long", "short"]);
    let part = digits.get(3_000..3_200).unwrap();
    stores.assert_finds(part, None, &["long"]);
    stores.assert_finds(&format!("{part}g"), None, &[]);
    stores.assert_finds(&"0".repeat(5_000), None, &["zeros"]);
}

#[test]
fn b2_a_part_of_very_many_words_is_a_condition_beside_others() {
    let many: Vec<String> = (0..1_100).map(|number| format!("z{number}")).collect();
    let stores = inputs([
        ("many", json!(many.join(" "))),
        ("one", json!("order")),
        ("both", json!("order in a zone")),
    ]);
    stores.assert_finds("z", None, &["both", "many"]);
    stores.assert_finds("z order", None, &["both"]);
    stores.assert_finds("order z", None, &["both"]);
}

#[test]
fn what_is_pruned_is_not_in_the_vocabulary_any_more() {
    let folder = tempfile::tempdir().unwrap();
    let words = |folder: &Path| -> Vec<u8> {
        let connection = rusqlite::Connection::open(folder.join("staso.db")).unwrap();
        let mut select = connection.prepare("SELECT words FROM vocabulary").unwrap();
        let rows = select.query_map([], |row| row.get::<_, Vec<u8>>(0)).unwrap();
        rows.flat_map(Result::unwrap).collect()
    };
    let has = |words: &[u8], word: &str| words.windows(word.len()).any(|window| window == word.as_bytes());
    runtime().block_on(async {
        let store: SqliteStore = open(folder.path());
        let workspace = default_workspace(&store).await;
        let mut old = trace("old", &json!({ "input": "secretword shared" }));
        old["spans"][0]["timestamp"] = json!("2020-01-01T00:00:00Z");
        for trace in [old, trace("new", &json!({ "input": "shared kept" }))] {
            store.ingest(batch(workspace, &trace, Timestamp::from_micros(1))).await.unwrap();
        }
        store.settle().await.unwrap();
        assert!(has(&words(folder.path()), "secretword"));
        store.prune("2021-01-01T00:00:00Z".parse().unwrap()).await.unwrap();
        let left = words(folder.path());
        assert!(!has(&left, "secretword") && has(&left, "shared") && has(&left, "kept"));
        // A word that comes again is found again.
        let again = trace("again", &json!({ "input": "secretwords" }));
        store.ingest(batch(workspace, &again, Timestamp::from_micros(2))).await.unwrap();
        store.settle().await.unwrap();
        assert!(has(&words(folder.path()), "secretwords"));
        store.close(SOON).await;
    });
}
