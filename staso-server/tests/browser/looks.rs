use crate::{chrome::Browser, support::backend::Backend, world};

const PAGES: [&str; 6] =
    ["/", "/traces", "/conversations", "/conversations/conv-2031", "/users", "/settings"];

#[tokio::test(flavor = "multi_thread")]
async fn pages_are_dark_where_the_system_is() {
    let backend = Backend::start();
    let Some(browser) = Browser::open(&backend.url).await else { return };
    world::conversation().iter().for_each(|body| backend.ingest(body));
    let brightness = "const [r, g, b] = getComputedStyle(document.body).backgroundColor.match(/[0-9.]+/g).map(Number); return (r + g + b) / 3";
    for (scheme, dark) in [("light", false), ("dark", true)] {
        browser.prefer(scheme).await;
        browser.goto(&format!("/traces/{}", world::trace_id(3))).await;
        browser.until_text("payments.credit").await;
        browser.screenshot(&format!("trace-{scheme}")).await;
        browser.goto("/conversations/conv-2031").await;
        browser.until_text("Please refund it.").await;
        browser.screenshot(&format!("conversation-{scheme}")).await;
        let shade = browser.evaluate(brightness).await.as_f64().expect("a colour");
        assert_eq!(shade < 100.0, dark, "{scheme}: {shade}");
    }
    browser.close().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn no_page_scrolls_sideways_on_a_telephone() {
    let backend = Backend::start();
    let Some(browser) = Browser::open(&backend.url).await else { return };
    world::conversation().iter().for_each(|body| backend.ingest(body));
    browser.resize(390, 844).await;
    let trace = format!("/traces/{}", world::trace_id(3));
    for page in PAGES.into_iter().chain([trace.as_str()]) {
        browser.goto(page).await;
        browser.find("main").await;
        let beyond = browser
            .evaluate("return document.documentElement.scrollWidth - document.documentElement.clientWidth")
            .await;
        assert_eq!(beyond, 0, "{page}");
        let name = page.split('/').nth(1).filter(|name| !name.is_empty()).unwrap_or("overview");
        let detail = if page.matches('/').count() > 1 { "-detail" } else { "" };
        browser.screenshot(&format!("phone-{name}{detail}")).await;
    }
    browser.close().await;
}
