use crate::{chrome::Browser, support::backend::Backend, world};

#[tokio::test(flavor = "multi_thread")]
async fn a_failed_tool_is_found_in_a_conversation_by_clicking() {
    let backend = Backend::start();
    let Some(browser) = Browser::open(&backend.url).await else { return };
    world::conversation().iter().for_each(|body| backend.ingest(body));

    browser.goto("/").await;
    browser.until_text("support-bot").await;
    browser.screenshot("overview").await;
    browser.find("nav a[href^='/conversations']").await.click().await.unwrap();
    browser.until_text("conv-2031").await;
    browser.find("a[data-main]").await.click().await.unwrap();
    browser.until_text("Please refund it.").await;
    browser.screenshot("conversation").await;

    browser.find("#next-error").await.click().await.unwrap();
    browser.find(".step.is-here .span").await;
    browser.until_text("the card expired-9903 has expired").await;
    browser.screenshot("conversation-error").await;

    // The value that failed came out of a tool two messages before.
    let find = browser.find("#find").await;
    find.send_keys("expired-9903").await.unwrap();
    browser.press_enter().await;
    browser.find("#results").await;
    let results = browser.find("#results").await.text().await.unwrap();
    assert!(results.contains("look_up_order") && results.contains("Turn 2"), "{results}");

    browser.goto(&format!("/traces/{}", world::trace_id(3))).await;
    browser.find("#next-error").await.click().await.unwrap();
    browser.until_text("OrderError").await;
    browser.until_text("src/orders.rs").await;
    browser.screenshot("trace").await;
    assert!(browser.url().await.contains("span="), "the address leads back to the step");
    browser.close().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn every_page_opens_and_an_empty_one_says_how_to_fill_it() {
    let backend = Backend::start();
    let Some(browser) = Browser::open(&backend.url).await else { return };
    browser.goto("/").await;
    browser.until_text("staso dev").await;
    browser.screenshot("empty").await;
    world::conversation().iter().for_each(|body| backend.ingest(body));
    for (path, text) in [
        ("/", "support-bot"),
        ("/traces", "support-bot"),
        ("/conversations", "conv-2031"),
        ("/users", "customer-alice"),
        ("/agents/support-bot", "support-bot"),
        ("/settings", "default"),
    ] {
        browser.goto(path).await;
        browser.until_text(text).await;
        let name = path.trim_matches('/').replace('/', "-");
        browser.screenshot(&format!("page-{}", if name.is_empty() { "overview" } else { &name })).await;
    }
    browser.close().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn searching_and_filtering_leave_what_matches_and_stay_in_the_address() {
    let backend = Backend::start();
    let Some(browser) = Browser::open(&backend.url).await else { return };
    world::conversation().iter().for_each(|body| backend.ingest(body));
    browser.goto("/traces").await;
    browser.until("three traces", "return document.querySelectorAll('tr[data-row]').length === 3").await;

    browser.press("/").await;
    browser.find("input[name=text]").await.send_keys("1017 expired").await.unwrap();
    browser.press_enter().await;
    browser.until("two traces", "return document.querySelectorAll('tr[data-row]').length === 2").await;
    assert!(browser.url().await.contains("text=1017"), "{}", browser.url().await);

    browser.goto("/traces?status=error").await;
    browser.until("one trace", "return document.querySelectorAll('tr[data-row]').length === 1").await;
    let status = browser.evaluate("return document.querySelector('[name=status]').value").await;
    assert_eq!(status, "error", "the form shows what is filtered");
    browser.goto("/traces?tag=payments&model=gpt-4o-mini&agent=support-bot").await;
    browser.until("one trace", "return document.querySelectorAll('tr[data-row]').length === 1").await;
    browser.close().await;
}
