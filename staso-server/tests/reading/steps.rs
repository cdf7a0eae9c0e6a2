//! The pages of a trace and of a conversation.

use axum::http::StatusCode;
use serde_json::{Value, json};
use staso_server::{http::Mode, model::Timestamp, store::Store as _};

use crate::{
    client::Client,
    sample::{Span, Trace},
};

/// Whatever can stand in a value and must not become markup.
const EVIL: &str = "\"'><script>hit()</script><img src=x onerror=hit()>{{1}}";

/// `EVIL` as a part of an address.
fn encoded(text: &str) -> String {
    text.bytes().map(|byte| format!("%{byte:02X}")).collect()
}

async fn store(client: &Client, traces: impl IntoIterator<Item = Trace>) {
    for (index, trace) in traces.into_iter().enumerate() {
        client.store.ingest(trace.batch(client.default, index)).await.unwrap();
    }
}

/// A client with turns of one conversation; the second finds out a card that the last fails on.
async fn with_turns(count: usize) -> Client {
    let client = Client::empty(Mode::Local).await;
    let start = Timestamp::now().plus_micros(-86_400_000_000);
    let turn = |index: usize| {
        let at = start.plus_micros(i64::try_from(index).unwrap() * 60_000_000);
        let failed = (index + 1 == count).then_some("the card 9903 has expired");
        let card = if index == 1 { "9903" } else { "1111" };
        Trace::new(&format!("turn-{index}"), "prod", "desk", at)
            .of("talk", "ada")
            .with(Span {
                name: "desk",
                kind: "agent",
                lasts: 2_000_000,
                input: json!({"agent_name": "desk", "question": format!("Question {index}?")}),
                output: if failed.is_some() {
                    Value::Null
                } else {
                    json!({"result": format!("Answer {index}.")})
                },
                error: failed,
                ..Span::default()
            })
            .with(Span {
                name: "look_up",
                kind: "tool",
                parent: Some(0),
                at: 10_000,
                lasts: 40_000,
                output: json!({"result": {"card": card}}),
                ..Span::default()
            })
            .with(Span {
                name: "refund",
                kind: "tool",
                parent: Some(0),
                at: 60_000,
                lasts: 40_000,
                error: failed,
                ..Span::default()
            })
    };
    store(&client, (0..count).map(turn)).await;
    client
}

#[tokio::test]
async fn a_trace_is_a_tree_of_rows_and_the_selected_span() {
    let client = with_turns(3).await;
    let (status, page) = client.page("/traces/turn-2?span=00000000-0000-0000-0000-000000000003").await;
    assert_eq!(status, StatusCode::OK);
    assert_eq!(page.matches("role=\"treeitem\"").count(), 3);
    assert_eq!(page.matches("aria-selected=\"true\"").count(), 1);
    assert!(page.contains("<h2>refund</h2>") && page.contains("the card 9903 has expired"));
    let (_, page) = client.page("/traces/turn-2?span=unknown").await;
    assert!(page.contains("<h2>desk</h2>"));
    for missing in ["/traces/none", "/traces/none/rows", "/traces/turn-2/spans/none", "/conversations/none"] {
        assert_eq!(client.page(missing).await.0, StatusCode::NOT_FOUND, "{missing}");
    }
}

#[tokio::test]
async fn the_rows_for_the_script_say_where_bars_and_critical_path_are() {
    let client = with_turns(1).await;
    let id = |last: u8| format!("00000000-0000-0000-0000-{last:012}");
    let expected = json!({
        "status": "error",
        "length": 2_000_000,
        "rows": [
            [id(1), 0, 3, "agent", "error", 0, 2_000_000, "desk", "",
                [[0, 10_000], [50_000, 10_000], [100_000, 1_900_000]]],
            [id(2), 1, 1, "tool", "ok", 10_000, 40_000, "look_up", "", [[10_000, 40_000]]],
            [id(3), 1, 1, "tool", "error", 60_000, 40_000, "refund", "", [[60_000, 40_000]]],
        ],
    });
    assert_eq!(client.json("/traces/turn-0/rows").await, expected);
}

#[tokio::test]
async fn a_panel_comes_without_a_page_around_it() {
    let client = with_turns(2).await;
    let (status, panel) = client.page("/traces/turn-1/spans/00000000-0000-0000-0000-000000000002").await;
    assert_eq!(status, StatusCode::OK);
    assert!(panel.starts_with("<article class=\"span\""), "{panel}");
    assert!(panel.contains("9903"));
}

#[tokio::test]
async fn a_value_is_found_in_every_step_that_carries_it() {
    let client = with_turns(7).await;
    let (_, page) = client.page("/conversations/talk?find=9903").await;
    assert!(page.contains("3 steps carry"), "{page}");
    let results = page.split("id=\"results\"").nth(1).unwrap().split("</section>").next().unwrap();
    let places: Vec<&str> =
        results.split("data-turn=\"").skip(1).map(|rest| rest.split('"').next().unwrap()).collect();
    assert_eq!(places, ["2", "7", "7"]);
    assert_eq!(page.matches(">found</span>").count(), 3);
    let (_, page) = client.page("/conversations/talk?find=nowhere").await;
    assert!(page.contains("No step carries"));
}

#[tokio::test]
async fn a_failed_turn_points_at_the_step_where_it_failed() {
    let client = with_turns(7).await;
    let (_, page) = client.page("/conversations/talk").await;
    assert_eq!(page.matches(" open>").count(), 1, "the steps of the failed turn");
    let cause = page.split("<li class=\"step").find(|step| step.contains("is-cause")).unwrap();
    assert!(cause.contains("refund"), "{cause}");
    assert_eq!(page.matches("is-cause").count(), 1);
}

#[tokio::test]
async fn turns_are_numbered_on_over_pages() {
    let client = with_turns(60).await;
    let mut path = "/conversations/talk".to_owned();
    let mut numbers = Vec::new();
    loop {
        let (status, page) = client.page(&path).await;
        assert_eq!(status, StatusCode::OK, "{path}");
        let ids = page.split("id=\"turn-").skip(1).map(|rest| rest.split('"').next().unwrap());
        numbers.extend(ids.map(|number| number.parse::<usize>().unwrap()));
        let Some(more) = page.split("id=\"more\"").nth(1) else { break };
        let href = more.split("href=\"").nth(1).unwrap().split('"').next().unwrap();
        path = href.replace("&amp;", "&");
    }
    assert_eq!(numbers, (1..=60).collect::<Vec<_>>());
}

#[tokio::test]
async fn every_turn_is_one_link_away() {
    let client = with_turns(60).await;
    for (asked, expected) in [(3, 1..=25), (26, 26..=50), (30, 26..=50), (60, 51..=60), (999, 51..=60)] {
        let (status, page) = client.page(&format!("/conversations/talk?turn={asked}")).await;
        assert_eq!(status, StatusCode::OK, "{asked}");
        let ids = page.split("id=\"turn-").skip(1).map(|rest| rest.split('"').next().unwrap());
        let numbers: Vec<usize> = ids.map(|number| number.parse().unwrap()).collect();
        assert_eq!(numbers, expected.collect::<Vec<_>>(), "{asked}");
    }
    let (_, first) = client.page("/conversations/talk").await;
    assert!(first.contains("turn=60#turn-60"), "the last turn, and bars of the timeline");
}

#[tokio::test]
async fn whatever_spans_carry_is_text() {
    let client = Client::empty(Mode::Local).await;
    let chat = json!([{"role": EVIL, "content": EVIL, "tool_calls": [{"id": EVIL, "name": EVIL, "arguments": EVIL}]}]);
    let trace = Trace::new(EVIL, "prod", "desk", Timestamp::now())
        .of(EVIL, EVIL)
        .with(Span {
            name: EVIL,
            kind: "agent",
            lasts: 9_000,
            input: chat,
            error: Some(EVIL),
            tags: &[EVIL],
            ..Span::default()
        })
        .with(Span {
            name: EVIL,
            kind: "llm",
            parent: Some(0),
            lasts: 500,
            input: json!({ EVIL: EVIL }),
            output: json!(EVIL),
            model: EVIL,
            ..Span::default()
        });
    store(&client, [trace]).await;
    let (id, span) = (encoded(EVIL), "00000000-0000-0000-0000-000000000002");
    for path in [
        format!("/traces/{id}"),
        format!("/traces/{id}?span={span}"),
        format!("/traces/{id}/spans/{span}"),
        format!("/conversations/{id}?find={}", encoded("hit")),
    ] {
        let (status, page) = client.page(&path).await;
        assert_eq!(status, StatusCode::OK, "{path}");
        assert!(page.contains("&lt;script&gt;hit()"), "{path}");
        for markup in ["<script>", "<img", " style=\"", "javascript:"] {
            assert!(!page.contains(markup), "{path} has {markup}");
        }
        for href in page.split("href=\"").skip(1) {
            assert!(href.starts_with(['/', '#']) && !href.starts_with("//"), "{path}: {}", &href[..40]);
        }
    }
}

#[tokio::test]
async fn every_module_that_a_script_imports_exists() {
    let client = Client::empty(Mode::Local).await;
    let mut open = vec!["app.js".to_owned(), "trace.js".to_owned(), "conversation.js".to_owned()];
    let mut seen = Vec::new();
    while let Some(name) = open.pop() {
        let (status, script) = client.page(&format!("/assets/{name}")).await;
        assert_eq!(status, StatusCode::OK, "{name}");
        let imports = script.split("\"./").skip(1).map(|rest| rest.split('"').next().unwrap().to_owned());
        let new: Vec<String> = imports.filter(|import| !seen.contains(import)).collect();
        seen.extend(new.iter().cloned());
        open.extend(new);
    }
    assert!(seen.contains(&"json-parse.js".to_owned()));
}
