//! Settings from code and from the environment.

use std::time::Duration;

use serde_json::Value;
use staso::{Builder, Exporter, Span, SpanKind};

use crate::{
    compare::{Golden, agent_id, data},
    harness::{LONG, Process, Run, builder, check_with, exclusive, settings},
    support::server::{Server, spans},
};

#[staso::tool]
fn t() -> u32 {
    1
}

#[test]
fn every_span_carries_the_version() {
    #[staso::agent]
    fn a() -> u32 {
        t()
    }

    check_with(Golden::load("agent_version"), builder().agent_version("v2.3"), || {
        a();
    });
}

#[test]
fn what_is_set_in_code_wins_over_the_environment() {
    Process::with(&[("STASO_ENVIRONMENT", "ignored"), ("STASO_WORKSPACE_SLUG", "ignored")]).run(|| {
        let settings = settings().environment("staging").workspace("team-a");
        check_with(Golden::load("environment_workspace"), settings, || {
            t();
        });
    });
}

#[test]
fn everything_can_come_from_the_environment() {
    let server = Server::acknowledging();
    let variables = [
        ("STASO_API_KEY", "ak_test_env"),
        ("STASO_AGENT_NAME", "env-agent"),
        ("STASO_AGENT_VERSION", "sha-abc"),
        ("STASO_ENVIRONMENT", "prod"),
        ("STASO_WORKSPACE_SLUG", "ws-env"),
        ("STASO_BASE_URL", &server.url()),
    ];
    Process::with(&variables).run(|| {
        let staso = staso::init().expect("valid settings");
        t();
        assert!(staso.shutdown(LONG).ok());
    });
    Golden::load("env_only_config").check_requests(&server.arrivals());
}

#[test]
fn the_identifier_of_an_agent_follows_from_its_name() {
    let run = Run::start(builder());
    let captured = data("agent_ids")["result"].take();
    let captured = captured.as_object().expect("identifiers by name");
    for name in captured.keys() {
        Span::builder(name.as_str()).kind(SpanKind::Agent).in_scope(|_| ());
    }
    let spans = spans(&run.finish().arrivals);
    assert_eq!(spans.len(), captured.len());
    for span in spans {
        let name = span["agent_name"].as_str().expect("a name");
        assert_eq!(span["agent_id"], captured[name], "{name:?}");
        assert_eq!(span["agent_id"], agent_id(name), "what the captures are compared with");
    }
}

/// The settings of a case of the capture; `None` for what is no case of a setting in code.
fn case(name: &str) -> Option<Builder> {
    let base =
        || staso::builder().api_key("ak_test").agent_name("a").exporter(Exporter::http()).capture_git(false);
    let key = |key: &str| Some(base().api_key(key));
    let url = |url: &str| Some(base().base_url(url));
    match name {
        "no_key" => Some(staso::builder().agent_name("a").exporter(Exporter::http())),
        "no_agent" => Some(staso::builder().api_key("ak_test").exporter(Exporter::http())),
        "empty_key" => key(""),
        "blank_key" => key("  "),
        "empty_agent" => Some(base().agent_name("")),
        "blank_agent" => Some(base().agent_name(" ")),
        "ph_ak_dots" => key("ak_..."),
        "http_remote" => url("http://example.com"),
        "https_remote" => url("https://example.com"),
        "http_localhost" => url("http://localhost:1"),
        "http_127_0_0_9" => url("http://127.0.0.9:1"),
        "http_v6" => url("http://[::1]:1"),
        "http_private" => url("http://10.0.0.5"),
        "http_0" => url("http://0.0.0.0"),
        "http_sub_localhost" => url("http://x.localhost"),
        "ftp" => url("ftp://example.com"),
        "no_scheme" => url("example.com"),
        "creds" => url("https://user:secret@example.com"),
        "query" => url("https://example.com?a=b"),
        "fragment" => url("https://example.com#a"),
        "path" => url("https://example.com/prefix/"),
        "flush_0" => Some(base().flush_interval(Duration::ZERO)),
        "flush_tiny" => Some(base().flush_interval(Duration::from_micros(1))),
        "queue_0" => Some(base().max_queue_size(0)),
        "queue_1" => Some(base().max_queue_size(1)),
        _ => {
            if let Some(placeholder) = name.strip_prefix("ph_") {
                return key(placeholder);
            }
            let size = name.strip_prefix("batch_")?.parse().ok()?;
            Some(base().batch_size(size))
        }
    }
}

#[test]
fn wrong_settings_are_refused_with_the_same_words() {
    let captured = data("config_validation")["result"]["cases"].take();
    // No variable may stand in for a setting that is missing.
    Process::with(&[]).run(|| {
        let _exclusive = exclusive();
        let mut tested = 0;
        for (name, expected) in captured.as_object().expect("cases") {
            let Some(settings) = case(name) else { continue };
            let expected = expected.as_str().expect("a text");
            match settings.init() {
                Ok(_) => assert_eq!(expected, "ok", "{name}"),
                Err(error) => {
                    let words = expected.strip_prefix("ValueError: ").expect("an error");
                    assert!(error.to_string().contains(words), "{name}: {error}");
                }
            }
            tested += 1;
        }
        // The rest is in the next tests, or left out.
        assert_eq!(tested, 35);
    });
}

#[test]
fn switches_in_the_environment_take_the_same_words() {
    const NAME: &str = "STASO_CAPTURE_OUTPUT";
    let captured = data("config_validation")["result"]["cases"].take();
    let cases = captured.as_object().expect("cases").iter().filter_map(|(name, expected)| {
        let value = name.strip_prefix(NAME)?.strip_prefix("='")?.strip_suffix('\'')?;
        Some((value, expected.clone()))
    });
    let cases: Vec<(&str, Value)> = cases.collect();
    assert_eq!(cases.len(), 10);
    for (value, expected) in cases {
        Process::with(&[(NAME, value), ("EXPECTED", &expected.to_string())]).run(|| {
            let expected = std::env::var("EXPECTED").expect("set by the parent");
            let expected: Value = serde_json::from_str(&expected).expect("JSON");
            if let Some(words) = expected.as_str().and_then(|text| text.strip_prefix("ValueError: ")) {
                let error = settings().init().expect_err("not a switch");
                assert!(error.to_string().contains(words), "{error}");
                return;
            }
            let run = Run::start(settings());
            t();
            let captured = if expected == true { "captured" } else { "suppressed" };
            assert_eq!(spans(&run.finish().arrivals)[0]["capture"]["output"], captured);
        });
    }
}

#[test]
fn an_empty_variable_is_an_empty_label() {
    let expected = data("config_validation")["result"]["cases"]["STASO_ENVIRONMENT empty ->"].take();
    Process::with(&[("STASO_ENVIRONMENT", "")]).run(|| {
        let run = Run::start(settings());
        t();
        assert_eq!(run.finish().arrivals[0].json()["traces"][0]["environment"], expected);
    });
}
