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
