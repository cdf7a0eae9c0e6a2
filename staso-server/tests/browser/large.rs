use serde_json::json;

use crate::{chrome::Browser, support::backend::Backend, world};

#[tokio::test(flavor = "multi_thread")]
async fn ten_thousand_spans_stay_usable() {
    let backend = Backend::start();
    let Some(browser) = Browser::open(&backend.url).await else { return };
    world::long_trace(7, 10_000).iter().for_each(|body| backend.ingest(body));
    browser.goto(&format!("/traces/{}", world::trace_id(7))).await;
    browser.until_text("long run").await;
    let rows = "document.querySelectorAll('#rows .row').length";
    browser.until("only the rows in view are there", &format!("return {rows} > 10 && {rows} < 300")).await;

    browser.press("e").await;
    browser.until_text("step 999").await;
    browser
        .evaluate("const rows = document.getElementById('rows'); rows.scrollTop = rows.scrollHeight")
        .await;
    browser
        .until(
            "the last rows are drawn",
            "return document.getElementById('rows').innerText.includes('step 9999')",
        )
        .await;
    browser
        .until(
            "the last row says which of how many it is, as the others are not on the page",
            "const row = [...document.querySelectorAll('#rows .row')].find(row => row.innerText.includes('step 9999'));
             return row?.ariaPosInSet === '98' && row.ariaSetSize === '98' && row.ariaLevel === '3'",
        )
        .await;
    browser.screenshot("trace-10000").await;
    browser.close().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn b13_the_rest_of_a_long_text_is_one_click_away() {
    let backend = Backend::start();
    let Some(browser) = Browser::open(&backend.url).await else { return };
    let chat = json!({ "messages": [{ "role": "user", "content": "A".repeat(300_000) }] });
    let attributes = json!({ "own": "v".repeat(200_000) });
    let fields = json!({ "input": chat.to_string(), "attributes": attributes.to_string() });
    backend.ingest(&world::body(8, vec![world::with(world::span(1, None, "long", "llm"), fields)]));
    browser.goto(&format!("/traces/{}", world::trace_id(8))).await;
    browser.until_text("The first 10 KB of 293 KB").await;
    let shown = "document.querySelector('.message pre').textContent.length";
    browser.until("the page has the beginning", &format!("return {shown} === 10240")).await;
    browser.until("small JSON is folded", "return !!document.querySelector('.json-view .json-key')").await;
    browser.evaluate("document.querySelector('.message [data-show-whole]').click()").await;
    browser.until("the whole is there", &format!("return {shown} === 300000")).await;
    browser.evaluate("for (const part of document.querySelectorAll('.span details')) part.open = true").await;
    browser
        .until(
            "the record is fetched when it is unfolded",
            "return [...document.querySelectorAll('.json-key')].some(key => key.textContent === 'span_id')",
        )
        .await;
    browser.close().await;
}
