use serde_json::json;

use crate::{chrome::Browser, support::backend::Backend, world};

#[tokio::test(flavor = "multi_thread")]
async fn a_run_is_followed_while_it_goes_on() {
    let backend = Backend::start();
    let Some(browser) = Browser::open(&backend.url).await else { return };
    world::conversation().iter().for_each(|body| backend.ingest(body));
    browser.goto("/traces").await;
    browser.until("three traces", "return document.querySelectorAll('tr[data-row]').length === 3").await;

    let announced = world::with(
        world::span(900, None, "long_run", "agent"),
        json!({
            "duration_ms": 0.0, "usage_available": false, "attributes": "{\"staso.provisional_root\": true}",
        }),
    );
    backend.ingest(&world::body(9, vec![announced]));
    // What is new is offered, and nothing moves under the reader until it is asked for.
    browser.until("the new run is offered", "return !document.getElementById('new-rows').hidden").await;
    assert_eq!(browser.count("tr[data-row]").await, 3);
    browser.find("#new-rows").await.click().await.unwrap();
    browser.until_text("long_run").await;
    let row = format!("tr[data-id='{}']", world::trace_id(9));
    let text = |state: &str| {
        format!("return document.querySelector(\"{row}\").innerText.toLowerCase().includes('{state}')")
    };
    browser.until("it is shown as running", &text("running")).await;

    browser.goto(&format!("/traces/{}", world::trace_id(9))).await;
    browser.until_text("long_run").await;
    backend.ingest(&world::body(9, vec![world::span(901, Some(900), "late_tool", "tool")]));
    browser.until_text("late_tool").await;
    let ended = world::with(world::span(900, None, "long_run", "agent"), json!({"duration_ms": 3210.0}));
    backend.ingest(&world::body(9, vec![ended]));
    browser
        .until(
            "it has ended",
            "return !document.getElementById('summary').innerText.toLowerCase().includes('running')",
        )
        .await;
    browser.screenshot("trace-live").await;
    browser.close().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn a_page_that_nobody_sees_keeps_no_connection_and_catches_up() {
    let backend = Backend::start();
    let Some(browser) = Browser::open(&backend.url).await else { return };
    world::conversation().iter().for_each(|body| backend.ingest(body));
    browser.goto("/traces").await;
    browser.until("it follows", "return document.getElementById('live').classList.contains('is-on')").await;
    let turn = |hidden: bool| {
        format!(
            "const close = EventSource.prototype.close;
             EventSource.prototype.close = function () {{ window.closed_stream = true; close.call(this); }};
             Object.defineProperty(document, 'hidden', {{ configurable: true, get: () => {hidden} }});
             document.dispatchEvent(new Event('visibilitychange'));
             return window.closed_stream === true;"
        )
    };
    // Browsers open six connections to a server; six forgotten tabs would take all of them.
    assert_eq!(browser.evaluate(&turn(true)).await, true);
    backend.ingest(&world::body(9, vec![world::span(900, None, "unseen_run", "agent")]));
    browser.evaluate(&turn(false)).await;
    browser.until("the new run is offered", "return !document.getElementById('new-rows').hidden").await;
    browser.close().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn what_changes_while_a_page_is_refreshed_is_fetched_after_it() {
    let backend = Backend::start();
    let Some(browser) = Browser::open(&backend.url).await else { return };
    browser.goto("/traces").await;
    browser
        .evaluate(
            "window.refreshed = 0;
             import('/assets/paced.js').then(({ paced }) => {
               const ask = paced(async () => {
                 window.refreshed += 1;
                 if (window.refreshed === 1) { ask(); ask(); }
               }, () => 1);
               ask();
             });",
        )
        .await;
    browser.until("two were done", "return window.refreshed === 2").await;
    browser.close().await;
}
