use super::*;

fn builder() -> Builder {
    Builder::default().api_key("ak_live_secret").agent_name("bot")
}

fn resolve(builder: Builder) -> Result<Settings, String> {
    builder.resolve(&Environment::from_pairs([])).map_err(|error| error.to_string())
}

fn check(builder: Builder, expected: &str) {
    let error = resolve(builder).err().unwrap_or_default();
    assert!(error.contains(expected), "{error:?} does not say {expected:?}");
    assert!(!error.contains("secret"), "{error}");
}

/// The texts of the vendor's SDK, as it gave them.
#[test]
fn wrong_settings_are_refused_with_the_vendors_words() {
    let no_key = "api_key is required. Pass it directly or set STASO_API_KEY env var.";
    check(Builder::default().agent_name("bot"), no_key);
    check(builder().api_key(""), no_key);
    check(
        builder().agent_name(""),
        "agent_name is required. Pass it directly or set STASO_AGENT_NAME env var.",
    );
    let placeholder = "api_key is missing or uses a placeholder value";
    for key in ["  ", "change-me", "CHANGEME", "your-api-key", "your_api_key", "replace-me", "placeholder"] {
        check(builder().api_key(key), placeholder);
    }
    let https = "base_url must use HTTPS outside loopback development";
    for url in ["http://example.com", "http://192.168.1.5", "http://0.0.0.0", "http://x.localhost"] {
        check(builder().base_url(url), https);
    }
    for url in ["ftp://example.com", "example.com"] {
        check(builder().base_url(url), "base_url must be an absolute HTTP(S) URL");
    }
    for url in ["https://u:secret@example.com", "https://example.com?x=1", "https://example.com#x"] {
        check(builder().base_url(url), "base_url must not contain credentials, a query, or a fragment");
    }
    for size in [0, 501] {
        check(builder().batch_size(size), "batch_size must be between 1 and 500");
    }
    check(builder().flush_interval(Duration::ZERO), "flush_interval must be positive");
    check(builder().max_queue_size(0), "max_queue_size must be positive");
    check(builder().max_queue_size(1_000_001), "max_queue_size must be between 1 and 1000000");
    check(builder().field_limit(1), "field_limit must be between 16 and");
    check(builder().http_timeout(Duration::ZERO), "http_timeout must be positive");
}

#[test]
fn settings_at_their_limits_are_taken() {
    for builder in [
        builder().agent_name("  "),
        builder().api_key("ak_..."),
        builder().batch_size(1),
        builder().batch_size(500),
        builder().flush_interval(Duration::from_nanos(1)),
        builder().max_queue_size(1),
        builder().max_queue_size(1_000_000),
        builder().base_url("https://example.com/path"),
    ] {
        assert!(resolve(builder).is_ok());
    }
}

#[test]
fn the_defaults_are_those_of_the_contract() {
    let settings = resolve(builder()).unwrap();
    assert_eq!(settings.backend.base_url, "https://api.staso.ai");
    assert_eq!((settings.environment.as_str(), settings.workspace.as_str()), ("default", "default"));
    assert_eq!((settings.batch_size, settings.max_queue_size), (100, 10_000));
    assert_eq!(settings.flush_interval, Duration::from_millis(500));
    assert_eq!(settings.agent_version, "");
    assert_eq!(settings.session_id.len(), 36);
}

#[test]
fn the_environment_fills_what_the_program_leaves_open() {
    let env = Environment::from_pairs([
        ("STASO_API_KEY", "ak_test_env"),
        ("STASO_AGENT_NAME", "env-agent"),
        ("STASO_AGENT_VERSION", "sha-abc"),
        ("STASO_ENVIRONMENT", ""),
        ("STASO_WORKSPACE_SLUG", "ws-env"),
        ("STASO_SESSION_ID", "  sess-from-env  "),
        ("STASO_BASE_URL", "http://localhost:1/"),
    ]);
    let settings = Builder::default().api_key("").environment("").resolve(&env).unwrap();
    assert_eq!(
        (settings.backend.api_key.as_str(), settings.agent_name.as_str()),
        ("ak_test_env", "env-agent")
    );
    assert_eq!((settings.environment.as_str(), settings.workspace.as_str()), ("", "ws-env"));
    assert_eq!(settings.session_id, "sess-from-env");
    assert_eq!(settings.backend.base_url, "http://localhost:1");
    let settings = Builder::default().agent_version("").environment("staging").resolve(&env).unwrap();
    assert_eq!((settings.agent_version.as_str(), settings.environment.as_str()), ("", "staging"));
}

#[test]
fn only_the_http_exporter_needs_a_key_and_a_url() {
    for exporter in ["console", "none", "file:spans.jsonl", "Console"] {
        let env = Environment::from_pairs([
            ("STASO_EXPORTER", exporter),
            ("STASO_AGENT_NAME", "bot"),
            ("STASO_BASE_URL", "nonsense"),
        ]);
        assert!(Builder::default().resolve(&env).is_ok(), "{exporter}");
    }
    for exporter in ["file:", "file", "telepathy"] {
        let env = Environment::from_pairs([("STASO_EXPORTER", exporter), ("STASO_AGENT_NAME", "bot")]);
        let error = Builder::default().resolve(&env).err().unwrap();
        assert_eq!((error.setting(), error.env_var()), ("exporter", Some("STASO_EXPORTER")));
    }
}

#[test]
fn switched_off_nothing_can_be_wrong() {
    let env = Environment::from_pairs([("STASO_CAPTURE_OUTPUT", "maybe"), ("STASO_ENABLED", "off")]);
    let wrong = || Builder::default().api_key("change-me").base_url("http://example.com").batch_size(0);
    assert!(!wrong().resolve(&env).unwrap().enabled);
    let env = Environment::from_pairs([("STASO_ENABLED", "maybe")]);
    assert!(!wrong().enabled(false).resolve(&env).unwrap().enabled);
    assert!(wrong().resolve(&env).is_err());
}

#[test]
fn capture_follows_the_program_then_the_category_then_the_old_variable() {
    let env = Environment::from_pairs([
        ("STASO_CAPTURE_MESSAGES", "off"),
        ("STASO_CAPTURE_SYSTEM_PROMPT", "yes"),
        ("STASO_CAPTURE_OUTPUT", "0"),
    ]);
    let capture = builder().resolve(&env).unwrap().policy.capture();
    let expected = Capture::all().without(Category::Request).without(Category::Output);
    assert_eq!(capture, expected);
    let capture = builder().capture(Capture::all()).resolve(&env).unwrap().policy.capture();
    assert_eq!(capture, Capture::all());
    let env = Environment::from_pairs([("STASO_CAPTURE_OUTPUT", "")]);
    assert!(builder().resolve(&env).is_err());
    assert!(builder().capture(Capture::none()).resolve(&env).is_ok(), "the variable is not looked at");
}

#[test]
fn a_variable_that_is_not_unicode_is_an_error_and_no_panic() {
    #[cfg(unix)]
    {
        use std::os::unix::ffi::OsStringExt as _;
        let value = std::ffi::OsString::from_vec(vec![0xff]);
        let env = Environment::Given([("STASO_AGENT_NAME", value)].into_iter().collect());
        let error = Builder::default().api_key("ak_live").resolve(&env).err().unwrap();
        assert_eq!(error.setting(), "agent_name");
    }
}

#[test]
fn secrets_stay_out_of_debug_output() {
    let debug = format!("{:?}", builder().proxy("http://user:secret@proxy"));
    assert!(!debug.contains("secret"), "{debug}");
}

#[cfg(unix)]
#[test]
fn a_session_id_that_is_not_unicode_is_refused() {
    use std::os::unix::ffi::OsStringExt as _;
    let value = std::ffi::OsString::from_vec(vec![0xff]);
    let env = Environment::Given([("STASO_SESSION_ID", value)].into_iter().collect());
    let error = builder().resolve(&env).err().unwrap();
    let expected = "STASO_SESSION_ID must be valid Unicode (set it with STASO_SESSION_ID)";
    assert_eq!(error.to_string(), expected);
}

#[test]
fn a_key_that_no_header_can_hold_is_refused_by_its_name() {
    for key in ["ak_secret\n", "ak_secret\u{fc}"] {
        let error = builder().api_key(key).resolve(&Environment::from_pairs([])).err().unwrap();
        assert_eq!(error.setting(), "api_key");
        assert!(!error.to_string().contains("secret"), "{error}");
    }
}

#[test]
fn a_timeout_without_end_is_a_day() {
    let settings = resolve(builder().http_timeout(Duration::MAX)).unwrap();
    assert_eq!(settings.backend.timeout, Duration::from_secs(86_400));
}

#[test]
fn a_password_in_the_base_url_stays_out_of_debug_output() {
    let debug = format!("{:?}", builder().base_url("https://user:secret@example.com"));
    assert!(!debug.contains("secret"), "{debug}");
}
