use serde_json::json;

use crate::{chrome::Browser, support::backend::Backend, world};

/// Each sets `window.caught` where it is taken for markup or script.
const PAYLOADS: [&str; 6] = [
    "<script>window.caught = 1</script>",
    "\"><img src=x onerror=\"window.caught = 2\">",
    "'-(window.caught = 3)-'",
    "</script><script>window.caught = 4</script>",
    "javascript:window.caught=5",
    "${window.caught = 6}{{window.caught = 7}}<svg/onload=window.caught=8>",
];

#[tokio::test(flavor = "multi_thread")]
async fn what_a_span_carries_does_nothing() {
    let backend = Backend::start();
    let Some(browser) = Browser::open(&backend.url).await else { return };
    for (number, payload) in (1..).zip(PAYLOADS) {
        let inner = json!({payload: payload, "url": payload, "deep": [payload, {"a": payload}]}).to_string();
        let root = world::with(
            world::span(1, None, payload, "agent"),
            json!({
                "status": "error", "error_message": payload, "input": inner, "output": inner,
                "attributes": json!({"tags": [payload], payload: payload, "code.filepath": payload, "code.lineno": 1,
                    "vcs.repo_url": payload, "exception.type": payload}).to_string(),
                "session_id": payload, "user_id": payload, "agent_name": payload, "agent_version": payload,
            }),
        );
        let call = world::with(
            world::span(2, Some(1), payload, "llm"),
            json!({
                "model": payload, "provider": payload, "requested_model": payload,
                "input": json!([{"role": payload, "content": payload}, {"role": "user", "content": [{"type": "text", "text": payload}]}]).to_string(),
                "output": payload, "session_id": payload, "user_id": payload, "agent_name": payload,
            }),
        );
        let mut body = world::body(number, vec![root, call]);
        body["traces"][0]["environment"] = json!(payload);
        backend.ingest(&body);
    }
    let encode = |text: &str| -> String {
        form_urlencoded::byte_serialize(text.as_bytes()).collect::<String>().replace('+', "%20")
    };
    let mut pages: Vec<String> =
        ["/", "/traces", "/conversations", "/users", "/settings"].map(str::to_owned).into();
    for (number, payload) in (1..).zip(PAYLOADS) {
        let payload = encode(payload);
        pages.push(format!("/traces/{}?span={}", world::trace_id(number), world::span_id(2)));
        pages.push(format!("/traces/{}?span={}", world::trace_id(number), world::span_id(1)));
        pages.push(format!("/conversations/{payload}?find={payload}"));
        pages.push(format!("/agents/{payload}"));
        pages.push(format!("/traces?text={payload}&user={payload}&tag={payload}&environment={payload}"));
    }
    for page in pages {
        browser.goto(&page).await;
        browser.until("it is drawn", "return document.readyState === 'complete'").await;
        browser.press("e").await;
        browser.press("n").await;
        let caught = browser.evaluate("return window.caught ?? null").await;
        assert!(caught.is_null(), "{page}: payload {caught}");
        let scripts = browser
            .evaluate("return [...document.querySelectorAll('a[href]')].filter((a) => !/^https?:$/.test(new URL(a.getAttribute('href'), location.href).protocol)).length")
            .await;
        assert_eq!(scripts, 0, "{page}: a link that is not http");
    }
    // Closing also fails for a refusal by the content security policy, which the console reports.
    browser.close().await;
}
