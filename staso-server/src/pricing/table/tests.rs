use std::sync::LazyLock;

use super::*;
use crate::model::Tokens;

static EMBEDDED: LazyLock<Prices> = LazyLock::new(Prices::embedded);

const MILLION: u64 = 1_000_000;

fn used(input: u64, output: u64) -> Usage {
    Usage { tokens: Tokens { input, output, total: input + output }, ..Usage::default() }
}

fn call(model: &str, input: u64, output: u64) -> Call<'_> {
    Call { model, usage: used(input, output), ..Call::default() }
}

fn usd(call: &Call<'_>) -> Option<f64> {
    EMBEDDED.nano_usd(call).map(|nano| nano as f64 / 1e9)
}

/// As many digits as are counted.
fn rounded(usd: f64) -> f64 {
    (usd * 1e9).round() / 1e9
}

/// A million tokens in and a million out.
fn price(model: &str) -> Option<f64> {
    usd(&call(model, 100_000, 100_000)).map(|usd| usd * 10.0)
}

#[test]
fn a_million_tokens_cost_what_the_table_says() {
    assert_eq!(usd(&call("gpt-4o", MILLION, 0)), Some(2.5));
    assert_eq!(usd(&call("gpt-4o", 0, MILLION)), Some(10.0));
    assert_eq!(usd(&call("gpt-4o", 0, 0)), Some(0.0));
}

#[test]
fn the_table_has_one_price_for_each_name() {
    let file: File = serde_json::from_str(include_str!("../prices.json")).unwrap();
    let mut seen: HashMap<String, Price> = HashMap::new();
    for (name, mut price) in file.models {
        for name in std::iter::once(name).chain(std::mem::take(&mut price.also)) {
            if let Some(other) = seen.insert(key(&name), price.clone()) {
                assert_eq!(other, price, "{name}");
            }
        }
    }
    assert!(seen.len() > 500, "{}", seen.len());
}

#[test]
fn b7_claude_through_a_gateway() {
    let usage = Usage { cache_read: 900_000, ..used(MILLION, 0) };
    let case =
        Call { model: "anthropic/claude-sonnet-4-5", provider: "openrouter", usage, ..Call::default() };
    assert_eq!(usd(&case), Some(0.57));

    let cost = |model, provider, cache_read| {
        let usage = Usage { cache_read, ..used(MILLION / 10, 0) };
        usd(&Call { model, provider, usage, ..Call::default() })
    };
    // A gateway in OpenAI's shape counts the cache as part of the input.
    for provider in ["openrouter", "litellm", "azure", "vercel", "portkey", "our-own-gateway"] {
        assert_eq!(cost("anthropic/claude-sonnet-4-5", provider, 90_000), Some(0.057), "{provider}");
        assert_eq!(cost("claude-sonnet-4-5", provider, 90_000), Some(0.057), "{provider}");
    }
    assert_eq!(cost("openrouter/anthropic/claude-sonnet-4.5", "", 90_000), Some(0.057));
    // Anthropic's own API and Amazon's endpoints count it beside.
    for provider in ["anthropic", "bedrock", "aws.bedrock", "gcp.vertex_ai"] {
        assert_eq!(cost("claude-sonnet-4-5", provider, 90_000), Some(0.327), "{provider}");
    }
    assert_eq!(cost("claude-sonnet-4-5", "", 90_000), Some(0.327));
    // More from the cache than went in: it can only be beside, whoever says so.
    assert_eq!(cost("claude-sonnet-4-5", "openrouter", 100_001), Some(0.330_000_3));
    assert_eq!(cost("gpt-4o", "openai", 100_000), Some(0.125));
}

#[test]
fn b8_names_of_gateways() {
    for (model, plain) in [
        ("anthropic/claude-sonnet-4.5", "claude-sonnet-4-5"),
        ("anthropic/claude-3.5-sonnet", "claude-3-5-sonnet"),
        ("anthropic/claude-4.5-sonnet-20250929", "claude-sonnet-4-5"),
        ("openai:gpt-4o", "gpt-4o"),
        ("anthropic:claude-sonnet-4-5", "claude-sonnet-4-5"),
        ("google-gla:gemini-2.5-flash", "gemini-2.5-flash"),
        ("google/gemini-2.5-flash", "gemini-2.5-flash"),
        ("models/gemini-2.5-flash-preview-09-2025", "gemini-2.5-flash"),
        ("gpt-35-turbo", "gpt-3.5-turbo"),
        ("azure/gpt-35-turbo-0613", "gpt-3.5-turbo-0613"),
        ("openai/gpt-4o:online", "gpt-4o"),
        ("command-r-plus-08-2024", "command-r-plus"),
        ("command-a-03-2025", "command-a"),
        ("command-r7b-12-2024", "command-r7b"),
        ("gpt-4o-2024-08-06", "gpt-4o"),
        ("openai/gpt-4o-mini-2024-07-18", "gpt-4o-mini"),
        ("openai/gpt-5.2-20251211", "gpt-5.2"),
        ("us.anthropic.claude-3-5-sonnet-20241022-v2:0", "claude-3-5-sonnet"),
        ("bedrock/anthropic.claude-sonnet-4-5-20250929-v1:0", "claude-sonnet-4-5"),
        ("global.anthropic.claude-sonnet-4-5-20250929-v1:0", "claude-sonnet-4-5"),
        ("claude-sonnet-4@20250514", "claude-sonnet-4"),
        ("vertex_ai/claude-3-5-sonnet-v2@20241022", "claude-3-5-sonnet"),
        ("Mistral-Large-latest", "mistral-large-2512"),
        ("us.amazon.nova-pro-v1:0", "nova-pro"),
        ("x-ai/grok-4", "grok-4"),
        ("gemini-2.0-flash-001", "gemini-2.0-flash"),
    ] {
        assert!(price(plain).is_some(), "{plain}");
        assert_eq!(price(model), price(plain), "{model}");
    }
    // Amazon takes a tenth more for an endpoint that stays in a region.
    assert_eq!(price("eu.anthropic.claude-sonnet-4-5-20250929-v1:0"), Some(19.8));
    assert_eq!(price("deepseek/deepseek-r1:free"), Some(0.0));
}

#[test]
fn b8_the_model_that_was_asked_for_stands_in() {
    let cost = |model, requested_model| usd(&Call { requested_model, ..call(model, MILLION, 0) });
    assert_eq!(cost("my-azure-deployment", "gpt-4o"), Some(2.5));
    assert_eq!(cost("", "gpt-4o"), Some(2.5));
    assert_eq!(cost("gpt-4o-mini", "gpt-4o"), Some(0.15));
    assert_eq!(cost("claude-of-tomorrow", "gpt-4o"), None, "another model answered");
    assert_eq!(cost("ft:gpt-9:team::id", "gpt-4o"), None);
}

#[test]
fn b9_tiers_and_long_inputs() {
    let tier = |model, tier| usd(&Call { tier, ..call(model, 200_000, 0) });
    assert_eq!(tier("gpt-4o", "batch"), Some(0.25));
    assert_eq!(tier("o3", "flex"), Some(0.2));
    assert_eq!(tier("gpt-4o", "priority"), Some(0.85));
    for standard in ["", "default", "standard", "auto", "on_demand"] {
        assert_eq!(tier("gpt-4o", standard), Some(0.5), "{standard}");
    }
    assert_eq!(tier("gpt-4o", "scale"), None, "a tier without a price");
    assert_eq!(tier("claude-sonnet-4-5", "priority"), None, "a matter of contracts");

    assert_eq!(usd(&call("gemini-2.5-pro", 200_000, 0)), Some(0.25));
    assert_eq!(usd(&call("gemini-2.5-pro", 300_000, 0)), Some(0.75));
    assert_eq!(usd(&call("claude-sonnet-4-5", 300_000, 0)), Some(1.8));
    let mostly_cached = Usage { cache_read: 290_000, ..used(10_000, 0) };
    let long =
        Call { model: "claude-sonnet-4-5", provider: "anthropic", usage: mostly_cached, ..Call::default() };
    assert_eq!(usd(&long), Some(0.234), "the cached part counts for the length");
}

#[test]
fn b9_a_snapshot_has_its_own_price() {
    assert_eq!(usd(&call("gpt-3.5-turbo-0613", MILLION, 0)), Some(1.5));
    assert_eq!(usd(&call("gpt-3.5-turbo-1106", MILLION, 0)), Some(1.0));
    assert_eq!(usd(&call("gpt-4o-2024-05-13", MILLION, 0)), Some(5.0));
    assert_eq!(usd(&call("ft:gpt-4o-mini-2024-07-18:team::id", MILLION, 0)), Some(0.3));
}

#[test]
fn another_model_has_no_price() {
    for model in [
        "",
        "-",
        "gpt",
        "gpt-4o-audio",
        "gpt-4o-9",
        "gpt-4o-unknown-thing",
        "claude-opus-4-99",
        "my-model",
        "gpt-4.9",
        // Versions of these cost more and less, so one that is not listed may too.
        "gpt-3.5-turbo-0614",
        "gpt-4o-2031-01-01",
        "command-r-plus-04-2024",
        // Thoughts cost more than the rest of the output, and its usage did not tell them apart.
        "gemini-2.5-flash-preview-05-20",
        "ft:gpt-4o-2031-01-01:team::id",
        "us-gov.anthropic.claude-sonnet-4-5-20250929-v1:0",
        "llama3:8b",
    ] {
        assert_eq!(price(model), None, "{model}");
    }
}

#[test]
fn a_version_of_a_model_whose_versions_cost_the_same_has_its_price() {
    assert_eq!(price("claude-sonnet-4-5-20310101"), price("claude-sonnet-4-5"));
    assert_eq!(price("claude-sonnet-4-5-20311301"), None, "no date");
}

#[test]
fn who_runs_open_weights_has_prices_of_its_own() {
    let cost = |model, provider| usd(&Call { provider, ..call(model, MILLION, 0) });
    assert_eq!(cost("llama-3.3-70b-versatile", "groq"), Some(0.59));
    assert_eq!(cost("groq/openai/gpt-oss-120b", ""), Some(0.15));
    assert_eq!(cost("openai/gpt-oss-120b", "groq"), Some(0.15));
    assert_eq!(cost("deepseek-chat", "deepseek"), Some(0.28));
    assert_eq!(cost("deepseek-chat", "openai"), Some(0.28), "the client's name says nothing of who answers");
    for (model, provider) in
        [("deepseek-chat", "together"), ("deepseek/deepseek-chat", "openrouter"), ("gpt-oss-120b", "ollama")]
    {
        assert_eq!(cost(model, provider), None, "{model} {provider}");
    }
}

#[test]
fn what_stays_in_the_cache_for_an_hour_costs_more() {
    let cost = |cache_write, cache_write_1h| {
        let usage = Usage { cache_write, cache_write_1h, ..Usage::default() };
        usd(&Call { model: "claude-sonnet-4-6", provider: "anthropic", usage, ..Call::default() })
    };
    assert_eq!([cost(100_000, 0), cost(100_000, 100_000)], [Some(0.375), Some(0.6)]);
}

#[test]
fn sound_has_its_own_price() {
    let usage = Usage { audio_input: 60_000, audio_output: 5_000, ..used(100_000, 10_000) };
    let cost = usd(&Call { model: "gpt-audio", usage, ..Call::default() });
    assert_eq!(cost, Some(rounded(0.04 * 2.5 + 0.06 * 32.0 + 0.005 * 10.0 + 0.005 * 64.0)));
}

#[test]
fn tokens_that_are_only_known_in_total_have_no_price() {
    let usage = Usage { tokens: Tokens { input: 0, output: 0, total: 10 }, ..Usage::default() };
    assert_eq!(usd(&Call { model: "gpt-4o", usage, ..Call::default() }), None);
}

#[test]
fn a_file_adds_to_the_table_and_replaces_in_it() {
    let folder = tempfile::tempdir().unwrap();
    let file = folder.path().join("prices.json");
    fs::write(
        &file,
        r#"{"models": {
            "My-Model": {"input": 1, "output": 2, "also": ["our-model"]},
            "gpt-4o": {"input": 9, "output": 9, "tiers": {"batch": {"input": 4, "output": 4}}},
            "together/llama-9": {"input": 3, "output": 3}
        }}"#,
    )
    .unwrap();
    let prices = Prices::with_overrides(&file).unwrap();
    let nano = |model, provider, tier| prices.nano_usd(&Call { provider, tier, ..call(model, 1, 1) });
    assert_eq!(nano("my-model", "", ""), Some(3_000));
    assert_eq!(nano("our-model", "ollama", ""), Some(3_000), "the file knows who sells it");
    assert_eq!(nano("openai/gpt-4o", "", ""), Some(18_000));
    assert_eq!(nano("gpt-4o", "", "batch"), Some(8_000));
    assert_eq!(nano("llama-9", "together", ""), Some(6_000));
    assert_eq!(nano("gpt-4o-mini", "", ""), Some(750));
}

#[test]
fn a_file_that_cannot_be_used_is_named_with_the_reason() {
    let folder = tempfile::tempdir().unwrap();
    let file = folder.path().join("prices.json");
    let failure = || Prices::with_overrides(&file).unwrap_err().to_string();
    assert!(failure().starts_with(&format!("cannot read the prices in {}", file.display())));
    for (json, reason) in [
        ("{}", "missing field `models`"),
        (r#"{"models":{"m":{"input":1}}}"#, "missing field `output`"),
        (r#"{"models":{"m":{"input":-1,"output":0}}}"#, "the model `m` has a price below 0"),
        (r#"{"models":{"m":{"input":1,"output":0,"typo":1}}}"#, "unknown field `typo`"),
        (
            r#"{"models":{"m":{"input":1,"output":0,"above":[{"input":2,"output":0}]}}}"#,
            "the model `m` has an entry of `above` without `tokens`",
        ),
        (
            r#"{"models":{"m":{"input":1,"output":0,"tiers":{"batch":{"input":-1,"output":0}}}}}"#,
            "the model `m` has a price below 0",
        ),
    ] {
        fs::write(&file, json).unwrap();
        assert!(failure().contains(reason), "{}", failure());
    }
}
