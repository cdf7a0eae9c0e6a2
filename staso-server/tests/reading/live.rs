use std::time::Duration;

use axum::body::Body;
use http_body_util::BodyExt as _;
use staso_server::{http::Mode, model::Timestamp, store::Store as _};
use tokio::time::timeout;

use crate::{client::Client, sample};

/// Reads a stream up to the first event of this name; the time is a watchdog.
async fn event(body: &mut Body, name: &str) -> String {
    let mut seen = String::new();
    let read = async {
        while let Some(frame) = body.frame().await {
            seen.push_str(&String::from_utf8_lossy(&frame.unwrap().into_data().unwrap()));
            if seen.contains(&format!("event: {name}\n")) && seen.ends_with("\n\n") {
                return;
            }
        }
        panic!("the stream ended");
    };
    timeout(Duration::from_secs(10), read).await.unwrap();
    seen
}

#[tokio::test]
async fn a_trace_that_arrives_is_told_to_who_watches_its_workspace() {
    let client = Client::empty(Mode::Local).await;
    let other = client.store.create_workspace("other".parse().unwrap()).await.unwrap();
    let mut body = client.open("/v1/live").await.into_body();
    sample::add_one(&*client.store, other.id, Timestamp::now(), 1).await;
    sample::add_one(&*client.store, client.default, Timestamp::now(), 2).await;
    let seen = event(&mut body, "trace").await;
    assert_eq!(seen.matches("event: trace").count(), 1, "{seen}");
    assert!(seen.contains("\"name\":\"support-bot\""), "{seen}");
}

#[tokio::test]
async fn a_viewer_that_comes_back_hears_what_it_missed() {
    let client = Client::empty(Mode::Local).await;
    sample::add_one(&*client.store, client.default, Timestamp::now(), 1).await;
    let mut body = client.open_after("/v1/live", "0").await.into_body();
    event(&mut body, "trace").await;
}

#[tokio::test]
async fn a_viewer_that_does_not_read_is_told_to_reload_and_holds_nothing_up() {
    let client = Client::empty(Mode::Local).await;
    let mut body = client.open("/v1/live").await.into_body();
    for index in 0..150 {
        sample::add_one(&*client.store, client.default, Timestamp::now(), index).await;
    }
    let seen = event(&mut body, "reload").await;
    assert!(seen.matches("event: trace").count() <= 100, "{seen}");
}

#[tokio::test]
async fn fewer_changes_than_make_a_list_old_are_told_one_by_one() {
    let client = Client::empty(Mode::Local).await;
    for index in 0..99 {
        sample::add_one(&*client.store, client.default, Timestamp::now(), index).await;
    }
    let mut body = client.open_after("/v1/live", "0").await.into_body();
    let mut seen = String::new();
    let read = async {
        while seen.matches("event: trace\n").count() < 99 {
            let frame = body.frame().await.expect("the stream goes on").unwrap();
            seen.push_str(&String::from_utf8_lossy(&frame.into_data().unwrap()));
            assert!(!seen.contains("event: reload"), "{seen}");
        }
    };
    timeout(Duration::from_secs(10), read).await.expect("every change is told");
}
