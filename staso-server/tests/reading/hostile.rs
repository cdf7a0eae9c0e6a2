use axum::http::StatusCode;
use serde_json::json;
use staso_server::{http::Mode, model::Timestamp, store::Store as _};

use crate::{
    client::Client,
    sample::{Span, Trace},
};

/// One for each place that a value can stand in: text, an attribute, an address, a script, a comment.
const PAYLOADS: [&str; 7] = [
    "<script>window.hit=1</script>",
    "\"><img src=x onerror=window.hit=1>",
    "' autofocus onfocus='window.hit=1",
    "javascript:window.hit=1",
    "--></script><svg/onload=window.hit=1>",
    "{{constructor}}&lt;script&gt;",
    "//evil.example/%2e%2e/\u{202e}\u{0}",
];

async fn with(payload: &str) -> Client {
    let client = Client::empty(Mode::Local).await;
    let now = Timestamp::now().plus_micros(-60_000_000);
    let trace = Trace::new(payload, payload, payload, now)
        .of(payload, payload)
        .with(Span {
            name: payload,
            kind: "agent",
            lasts: 1_000,
            input: json!({ payload: payload }),
            error: Some(payload),
            tags: &[payload],
            ..Span::default()
        })
        .with(Span {
            name: payload,
            kind: "llm",
            parent: Some(0),
            lasts: 500,
            model: payload,
            tokens: Some((1, 2)),
            output: json!(payload),
            ..Span::default()
        });
    client.store.ingest(trace.batch(client.default, 0)).await.unwrap();
    client
}

/// The page's tags with the names of their attributes, but without the values between quotes.
fn skeleton(page: &str) -> Vec<String> {
    let tags = page.split('<').skip(1).map(|rest| rest.split('>').next().unwrap());
    tags.map(|tag| tag.split('"').step_by(2).collect()).collect()
}

#[tokio::test]
async fn whatever_a_span_carries_is_text_on_every_page() {
    for payload in PAYLOADS {
        let client = with(payload).await;
        let plain = with("plain").await;
        let mut paths =
            vec!["/".to_owned(), "/traces".to_owned(), "/conversations".to_owned(), "/users".to_owned()];
        let (_, overview) = client.page("/").await;
        let agent = overview.split("href=\"").find(|rest| rest.starts_with("/agents/")).unwrap();
        paths.push(agent.split('"').next().unwrap().to_owned());
        for path in paths {
            let (status, page) = client.page(&path).await;
            assert_eq!(status, StatusCode::OK, "{path}");
            let other = if path.starts_with("/agents/") { "/agents/plain" } else { path.as_str() };
            let (_, harmless) = plain.page(other).await;
            assert_eq!(skeleton(&page), skeleton(&harmless), "{path} with {payload}");
            for href in page.split("href=\"").skip(1) {
                assert!(href.starts_with(['/', '#']) && !href.starts_with("//"), "{path}: {}", &href[..40]);
            }
        }
    }
}

#[tokio::test]
async fn whatever_an_address_carries_is_text_too() {
    let client = Client::with_sample().await;
    for name in
        ["environment", "user", "text", "tag", "model", "conversation", "agent", "cursor", "sort", "kind"]
    {
        let path = format!("/traces?{name}=%22%3E%3Cscript%3Ewindow.hit=1%3C/script%3E");
        let (status, page) = client.page(&path).await;
        assert!(status == StatusCode::OK || status == StatusCode::BAD_REQUEST, "{path} is {status}");
        assert!(!page.contains("<script>window"), "{path}");
    }
    let (_, page) = client.page("/agents/%3Cscript%3Ewindow.hit=1%3C%2Fscript%3E").await;
    assert!(!page.contains("<script>window"));
}
