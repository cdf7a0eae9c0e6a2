use std::collections::BTreeSet;

use axum::http::StatusCode;
use staso_server::{http::Mode, store::Store as _};

use crate::client::Client;

const PAGES: [&str; 10] = [
    "/",
    "/traces",
    "/conversations",
    "/users",
    "/agents/support-bot",
    "/settings",
    "/login",
    "/traces?text=zebra",
    "/traces/97aaac76-45d6-1f11-b80c-980000000002",
    "/conversations/conv-2031",
];

#[tokio::test]
async fn every_page_keeps_to_the_content_security_policy() {
    let client = Client::with_sample().await;
    for path in PAGES {
        let (status, page) = client.page(path).await;
        assert_eq!(status, StatusCode::OK, "{path}");
        assert!(page.starts_with("<!DOCTYPE html><html lang=\"en\">"), "{path}");
        for script in page.split("<script").skip(1) {
            let tag = script.split('>').next().unwrap();
            assert!(tag.contains("src=\"/assets/"), "{path}: <script{tag}>");
        }
        for forbidden in [" style=\"", "<style", " onclick", "javascript:"] {
            assert!(!page.contains(forbidden), "{path} has {forbidden}");
        }
    }
}

#[tokio::test]
async fn every_file_that_a_page_loads_exists() {
    let client = Client::with_sample().await;
    for path in PAGES {
        let (_, page) = client.page(path).await;
        for asset in page.split('"').filter(|text| text.starts_with("/assets/")) {
            assert_eq!(client.page(asset).await.0, StatusCode::OK, "{path}: {asset}");
        }
    }
}

/// What tells links of different sorts apart: the first part of the path, and the names of the parameters.
fn sort_of(href: &str) -> String {
    let (path, query) = href.split_once('?').unwrap_or((href, ""));
    let parameters = query.split('&').map(|pair| pair.split('=').next().unwrap());
    path.split('/').take(2).chain(parameters).collect::<Vec<_>>().join(" ")
}

#[tokio::test]
async fn every_sort_of_link_leads_somewhere() {
    let client = Client::with_sample().await;
    let mut seen = BTreeSet::new();
    for path in PAGES {
        let (_, page) = client.page(path).await;
        for href in page.split(" href=\"").skip(1).map(|rest| rest.split('"').next().unwrap()) {
            if href.starts_with('#') || !seen.insert(sort_of(href)) {
                continue;
            }
            let (status, _) = client.page(&href.replace("&amp;", "&")).await;
            assert!(
                status == StatusCode::OK || status == StatusCode::SEE_OTHER,
                "{path}: {href} is {status}"
            );
        }
    }
}

#[tokio::test]
async fn what_is_chosen_stays_in_the_form_and_in_links() {
    let client = Client::with_sample().await;
    let (_, page) = client.page("/traces?environment=prod&user=customer-bo&text=order&limit=5").await;
    assert!(page.contains(r#"<option value="prod" selected>"#));
    assert!(page.contains(r#"<input type="hidden" name="user" value="customer-bo">"#));
    assert!(page.contains(r#"name="text" value="order""#));
    let kept = "/traces?environment=prod&amp;user=customer-bo&amp;text=order&amp;limit=5";
    assert!(page.contains(&format!("{kept}&amp;sort=slowest")), "sorting forgets");
    assert!(page.contains(&format!("{kept}&amp;cursor=")), "the next page forgets");
    assert!(page.contains("/traces?environment=prod&amp;text=order&amp;limit=5\""), "a condition stays");
}

#[tokio::test]
async fn links_stay_in_the_workspace() {
    let client = Client::with_sample().await;
    client.store.create_workspace("other".parse().unwrap()).await.unwrap();
    let (_, page) = client.page("/?workspace=other").await;
    for section in ["/traces", "/conversations", "/users", "/settings"] {
        assert!(page.contains(&format!("href=\"{section}?workspace=other\"")), "{section}");
    }
    assert!(page.contains("data-workspace=\"other\""));
}

#[tokio::test]
async fn an_empty_page_says_what_to_type_to_fill_it() {
    let client = Client::empty(Mode::Local).await;
    for path in ["/", "/traces", "/conversations", "/users"] {
        let (_, page) = client.page(path).await;
        for words in ["staso dev -- cargo run", "#[staso::agent]", "STASO_BASE_URL", "staso::init()"] {
            assert!(page.contains(words), "{path} lacks {words}");
        }
    }
    let (_, settings) = client.page("/settings").await;
    assert!(settings.contains("staso key create"));
}

#[tokio::test]
async fn what_filters_hide_is_told_apart_from_what_never_was() {
    let client = Client::with_sample().await;
    for path in ["/?user=nobody", "/traces?text=zebra", "/conversations?user=nobody", "/users?agent=nobody"] {
        let (_, page) = client.page(path).await;
        assert!(page.contains("Clear the conditions") && !page.contains("#[staso::agent]"), "{path}");
    }
    let (_, page) = client.page("/agents/nobody").await;
    assert!(page.contains("in this time range"));
}

#[tokio::test]
async fn an_unknown_cost_is_never_shown_as_nothing() {
    let client = Client::with_sample().await;
    let (_, page) = client.page("/agents/billing-agent").await;
    assert!(page.contains("unknown") && !page.contains(">$0.00<"), "{page}");
    let (_, overview) = client.page("/").await;
    assert!(overview.contains("≥ $"));
}

#[tokio::test]
async fn an_address_that_cannot_be_read_is_a_page_that_says_why() {
    let client = Client::empty(Mode::Local).await;
    let (status, page) = client.page("/traces?kind=robot").await;
    assert_eq!(status, StatusCode::BAD_REQUEST);
    assert!(page.contains("must be one of agent, tool, llm") && page.contains("<html"), "{page}");
    let (status, page) = client.page("/?workspace=none").await;
    assert_eq!(status, StatusCode::NOT_FOUND);
    assert!(page.contains("There is no such workspace."), "{page}");
}

#[tokio::test]
async fn the_error_rate_leads_to_all_that_failed_timeouts_too() {
    let client = Client::with_sample().await;
    let (_, overview) = client.page("/").await;
    let mut statuses = BTreeSet::new();
    for link in overview.split('"').filter(|link| link.contains("status=")) {
        let query = link.split_once('?').unwrap().1.replace("&amp;", "&");
        let traces = client.all(&format!("/v1/traces?{query}")).await;
        statuses.extend(traces.iter().map(|trace| trace["status"].as_str().unwrap().to_owned()));
    }
    assert_eq!(statuses, BTreeSet::from(["error".to_owned(), "timeout".to_owned()]));
}

#[tokio::test]
async fn a_run_under_way_is_shown_as_such() {
    let client = Client::with_sample().await;
    let (_, page) = client.page("/traces?status=running").await;
    assert!(page.contains("is-running") && page.contains("≥ 1.02 s"), "{page}");
}
