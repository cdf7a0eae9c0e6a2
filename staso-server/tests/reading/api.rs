use std::collections::BTreeSet;

use axum::http::StatusCode;
use serde_json::Value;
use staso_server::{http::Mode, model::Timestamp, store::Store as _};

use crate::{client::Client, sample};

const REFUND: &str = "97aaac76-45d6-1f11-b80c-980000000002";

fn ids(traces: &[Value]) -> BTreeSet<String> {
    traces.iter().map(|trace| trace["trace_id"].as_str().unwrap().to_owned()).collect()
}

fn holds(list: &Value, wanted: &str) -> bool {
    list.as_array().unwrap().iter().any(|value| value == wanted)
}

#[tokio::test]
async fn each_filter_takes_the_traces_that_match_and_no_others() {
    type Matches = fn(&Value) -> bool;
    let filters: [(&str, Matches); 11] = [
        ("environment=staging", |trace| trace["environment"] == "staging"),
        ("agent=research-agent", |trace| holds(&trace["agents"], "research-agent")),
        ("conversation=conv-2031", |trace| trace["conversation_id"] == "conv-2031"),
        ("user=customer-bo", |trace| trace["user_id"] == "customer-bo"),
        ("status=timeout", |trace| trace["status"] == "timeout"),
        ("status=failed", |trace| trace["status"] == "error" || trace["status"] == "timeout"),
        ("status=running", |trace| trace["status"] == "running"),
        ("model=in-house-7b", |trace| holds(&trace["models"], "in-house-7b")),
        ("tag=orders", |trace| holds(&trace["tags"], "orders")),
        ("min_duration=10s", |trace| trace["duration_micros"].as_u64().unwrap() >= 10_000_000),
        ("kind=retriever", |trace| {
            holds(&trace["agents"], "research-agent") || trace["conversation_id"] == "conv-2031"
        }),
    ];
    let client = Client::with_sample().await;
    let all = client.all("/v1/traces").await;
    assert!(all.len() > 250);
    for (query, matches) in filters {
        let expected: Vec<Value> = all.iter().filter(|trace| matches(trace)).cloned().collect();
        assert!(!expected.is_empty() && expected.len() < all.len(), "{query} tells nothing apart");
        assert_eq!(client.all(&format!("/v1/traces?{query}")).await, expected, "{query}");
    }
}

#[tokio::test]
async fn a_time_range_may_be_relative_or_absolute() {
    let client = Client::with_sample().await;
    let last_hour = client.all("/v1/traces?since=1h").await;
    assert!((5..60).contains(&last_hour.len()), "{}", last_hour.len());
    let third = last_hour[2]["started_at"].as_str().unwrap();
    assert_eq!(client.all(&format!("/v1/traces?since={third}")).await, last_hour[..3]);
    assert_eq!(client.all(&format!("/v1/traces?since=1h&until={third}")).await, last_hour[3..]);
}

#[tokio::test]
async fn a_search_finds_words_of_inputs_outputs_names_and_errors() {
    let client = Client::with_sample().await;
    let refund = BTreeSet::from([REFUND.to_owned()]);
    for words in ["bank%20refused", "REFUSED%20exp", "arrived%20refund_order%20lamp%20expired"] {
        assert_eq!(ids(&client.all(&format!("/v1/traces?text={words}")).await), refund, "{words}");
    }
    assert!(client.all("/v1/traces?text=bank%20zebra").await.is_empty());
}

#[tokio::test]
async fn pages_in_every_order_make_up_the_whole_list() {
    let client = Client::with_sample().await;
    let whole = ids(client.json("/v1/traces?limit=500").await["items"].as_array().unwrap());
    let orders = [
        ("newest", "/started_at"),
        ("slowest", "/duration_micros"),
        ("costliest", "/cost/usd"),
        ("tokens", "/tokens/total"),
    ];
    for (sort, key) in orders {
        let traces = client.all(&format!("/v1/traces?sort={sort}")).await;
        assert_eq!(traces.len(), whole.len(), "{sort}");
        assert_eq!(ids(&traces), whole, "{sort}");
        let falls = traces.is_sorted_by(|a, b| {
            let (a, b) = (a.pointer(key).unwrap(), b.pointer(key).unwrap());
            match (a.as_str(), b.as_str()) {
                (Some(a), Some(b)) => a >= b,
                _ => a.as_f64().unwrap_or(0.0) >= b.as_f64().unwrap_or(0.0),
            }
        });
        assert!(falls, "{sort}");
    }
}

#[tokio::test]
async fn a_parameter_that_cannot_be_read_is_named_with_what_is_allowed() {
    let client = Client::empty(Mode::Local).await;
    for (path, parameter, allowed) in [
        ("/v1/traces?kind=robot", "kind", "agent, tool, llm, retriever, chain, custom"),
        ("/v1/traces?status=bad", "status", "running, ok, failed, error, timeout"),
        ("/v1/traces?sort=best", "sort", "newest, slowest, costliest, tokens"),
        ("/v1/traces?since=yesterday", "since", "24h"),
        ("/v1/traces?since=1h&until=2h", "until", "before"),
        ("/v1/traces?min_duration=long", "min_duration", "1.5s"),
        ("/v1/traces?limit=501", "limit", "1 to 500"),
        ("/v1/traces?enviroment=prod", "enviroment", "environment"),
        ("/v1/traces?user=a&user=b", "user", "more than once"),
        ("/v1/traces/x/spans?limit=-1", "limit", "1 to 1000"),
        ("/v1/traces/x?span=1", "span", "workspace"),
        ("/v1/conversations?failed=yes", "failed", "true, false"),
        ("/v1/users?limit=no", "limit", "1 to 500"),
        ("/v1/agents?agent=a", "agent", "environment"),
        ("/v1/metrics?by=colour", "by", "agent, environment, model, user"),
        ("/v1/metrics?since=7d&bucket=1s", "bucket", "61s"),
    ] {
        let (status, text) = client.page(path).await;
        let answer: Value = serde_json::from_str(&text).unwrap();
        assert_eq!(status, StatusCode::BAD_REQUEST, "{path}: {text}");
        assert_eq!(answer["error"]["path"], parameter, "{path}");
        assert!(answer["error"]["message"].as_str().unwrap().contains(allowed), "{path}: {text}");
    }
    let (status, text) = client.page("/v1/traces?cursor=%27;DROP").await;
    assert_eq!(status, StatusCode::BAD_REQUEST, "{text}");
}

#[tokio::test]
async fn a_span_is_shown_as_its_sender_wrote_it() {
    let client = Client::with_sample().await;
    let trace = client.json(&format!("/v1/traces/{REFUND}")).await;
    assert_eq!(trace["spans"].as_array().unwrap().len(), 4);
    assert_eq!(trace["summary"]["status"], "error");
    let spans = client.all(&format!("/v1/traces/{REFUND}/spans")).await;
    assert_eq!(spans.len(), 4);
    let refund = spans.iter().find(|span| span["name"] == "refund_order").unwrap();
    assert_eq!(refund["kind"], "tool");
    assert_eq!(refund["record"]["input"], r#"{"order_id":1017}"#);
    assert_eq!(refund["record"]["capture"]["output"], "captured");
    let id = refund["span_id"].as_str().unwrap();
    assert_eq!(client.json(&format!("/v1/traces/{REFUND}/spans/{id}")).await, *refund);
    let first = client.json(&format!("/v1/traces/{REFUND}/spans?limit=3")).await;
    assert_eq!(first["items"].as_array().unwrap()[..], spans[..3]);
    for missing in ["/v1/traces/none", "/v1/traces/none/spans", &format!("/v1/traces/{REFUND}/spans/none")] {
        assert_eq!(client.page(missing).await.0, StatusCode::NOT_FOUND, "{missing}");
    }
}

#[tokio::test]
async fn conversations_are_listed_and_shown_turn_by_turn() {
    let client = Client::with_sample().await;
    let failed = client.all("/v1/conversations?failed=true&user=customer-alice").await;
    assert!(failed.iter().any(|conversation| conversation["conversation_id"] == "conv-2031"));
    assert!(failed.iter().all(|conversation| conversation["failed_traces"].as_u64() > Some(0)));
    let first = client.json("/v1/conversations/conv-2031?limit=2").await;
    assert_eq!((&first["summary"]["traces"], &first["summary"]["failed_traces"]), (&3.into(), &1.into()));
    let cursor = first["turns"]["next_cursor"].as_str().unwrap();
    let rest = client.json(&format!("/v1/conversations/conv-2031?limit=2&cursor={cursor}")).await;
    let last = &rest["turns"]["items"][0];
    assert_eq!(last["trace"]["trace_id"], REFUND);
    assert!(last["error_message"].as_str().unwrap().contains("bank refused"));
    assert_eq!(client.page("/v1/conversations/none").await.0, StatusCode::NOT_FOUND);
}

#[tokio::test]
async fn metrics_add_up() {
    let client = Client::with_sample().await;
    let total = client.json("/v1/metrics").await["series"][0]["total"].clone();
    let traces = client.all("/v1/traces").await;
    assert_eq!(total["count"], traces.len());
    let failed =
        traces.iter().filter(|trace| ["error", "timeout"].contains(&trace["status"].as_str().unwrap()));
    assert_eq!(total["errors"], failed.count());

    let buckets = client.json("/v1/metrics?bucket=1h").await["series"][0]["buckets"].clone();
    let sum: u64 = buckets.as_array().unwrap().iter().map(|bucket| bucket["count"].as_u64().unwrap()).sum();
    assert_eq!(total["count"], sum);

    let agents = client.json("/v1/agents").await;
    let series = client.json("/v1/metrics?by=agent").await;
    for (agent, series) in
        agents["items"].as_array().unwrap().iter().zip(series["series"].as_array().unwrap())
    {
        assert_eq!((&agent["agent"], &agent["count"]), (&series["key"], &series["total"]["count"]));
    }
    let users = client.all("/v1/users?agent=support-bot").await;
    assert_eq!(users.len(), 4);
}

#[tokio::test]
async fn an_unknown_price_is_null() {
    let client = Client::with_sample().await;
    let metrics = client.json("/v1/metrics?by=model&model=in-house-7b").await;
    assert_eq!(metrics["series"][0]["total"]["cost"], serde_json::json!({ "usd": null, "complete": false }));
}

#[tokio::test]
async fn a_workspace_sees_nothing_of_another() {
    let client = Client::with_sample().await;
    let other = client.store.create_workspace("other".parse().unwrap()).await.unwrap();
    assert_eq!(client.json("/v1/traces?workspace=other").await["items"], serde_json::json!([]));
    assert_eq!(client.json("/v1/facets?workspace=other").await["agents"], serde_json::json!([]));
    for path in [format!("/v1/traces/{REFUND}?workspace=other"), "/v1/traces?workspace=none".to_owned()] {
        assert_eq!(client.page(&path).await.0, StatusCode::NOT_FOUND, "{path}");
    }
    // The same identifiers there are other traces.
    sample::add_one(&*client.store, other.id, Timestamp::now(), 1).await;
    assert_eq!(client.all("/v1/traces?workspace=other").await.len(), 1);
    let slugs = client.json("/v1/workspaces").await;
    assert_eq!(slugs["items"][1]["slug"], "other");
}
