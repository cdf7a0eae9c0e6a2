//! Credentials in what is captured: masked by the name they stand under, before they leave the process.

use std::{
    collections::BTreeMap,
    fmt::{self, Debug},
};

use serde::Serialize;
use staso::Span;

use crate::{
    harness::{LONG, builder, exclusive},
    support::server::Server,
};

/// Whoever finds it on the wire has found a leak.
const CANARY: &str = "canary-4d1f";
/// Content that must arrive.
const KEPT: &str = "kept-77aa";

/// What went over the wire while some code ran.
fn wire(mask: Option<bool>, run: impl FnOnce()) -> String {
    let _exclusive = exclusive();
    let server = Server::acknowledging();
    let settings = builder().base_url(server.url());
    let settings = match mask {
        Some(mask) => settings.mask_credentials(mask),
        None => settings,
    };
    let client = settings.init().expect("valid settings");
    run();
    assert!(client.flush(LONG).ok());
    server.arrivals().iter().map(|arrival| arrival.json().to_string()).collect()
}

#[derive(Debug, Serialize)]
struct Login {
    user: &'static str,
    password: &'static str,
    attempt: u32,
}

/// As clients are: `Debug` and nothing else, with headers in it.
struct Shop {
    headers: http::HeaderMap,
}

impl Debug for Shop {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Shop").field("url", &"https://shop.example").field("headers", &self.headers).finish()
    }
}

#[staso::tool(metadata(api_key = "canary-4d1f", shelf = "kept-77aa"))]
fn order(
    login: &Login,
    shop: &Shop,
    headers: &http::HeaderMap,
    access_token: &str,
    id: u32,
) -> Result<(), String> {
    let _ = (login, shop, headers, access_token, id);
    Err(format!("no answer from https://me:{CANARY}@shop.example/?api_key={CANARY}&{KEPT}"))
}

fn run_order() {
    let mut headers = http::HeaderMap::new();
    headers.insert("authorization", format!("Bearer {CANARY}").parse().expect("a header"));
    headers.insert("accept", KEPT.parse().expect("a header"));
    let login = Login { user: KEPT, password: CANARY, attempt: 2 };
    let _ = order(&login, &Shop { headers: headers.clone() }, &headers, CANARY, 7);
}

#[test]
fn credentials_in_arguments_headers_metadata_and_errors_stay_off_the_wire() {
    let wire = wire(None, run_order);
    assert!(!wire.contains(CANARY), "{wire}");
    for kept in [KEPT, "attempt", "https://shop.example", "HeaderMap>", "[masked]"] {
        assert!(wire.contains(kept), "{kept} in {wire}");
    }
}

#[test]
fn masking_can_be_switched_off() {
    let wire = wire(Some(false), run_order);
    assert!(wire.contains(CANARY), "{wire}");
    assert!(!wire.contains("[masked]"), "{wire}");
}

#[test]
fn forty_spellings_go_and_forty_stay() {
    const GO: [&str; 40] = [
        "authorization",
        "Authorization",
        "Proxy-Authorization",
        "auth_header",
        "cookie",
        "Cookie",
        "set-cookie",
        "Set-Cookie",
        "session_cookie",
        "api_key",
        "apiKey",
        "apikey",
        "API_KEY",
        "x-api-key",
        "X-API-Key",
        "openai_api_key",
        "OPENAI_API_KEY",
        "secret",
        "secret_key",
        "client_secret",
        "clientSecret",
        "AWS_SECRET_ACCESS_KEY",
        "webhook_secret",
        "private_key",
        "token",
        "access_token",
        "accessToken",
        "refresh_token",
        "id_token",
        "authToken",
        "GITHUB_TOKEN",
        "csrf-token",
        "bearer",
        "password",
        "Password",
        "db_password",
        "passwd",
        "passphrase",
        "credentials",
        "jwt",
    ];
    const STAY: [&str; 40] = [
        "max_tokens",
        "maxTokens",
        "input_tokens",
        "output_tokens",
        "total_tokens",
        "completion_tokens",
        "cached_tokens",
        "reasoning_tokens",
        "token_count",
        "tokens",
        "page_token",
        "next_page_token",
        "nextPageToken",
        "continuation_token",
        "time_to_first_token",
        "stop_token",
        "eos_token",
        "token_type",
        "tokenizer",
        "tokenizer_name",
        "secretary",
        "secretariat",
        "secret_name",
        "password_policy",
        "password_hint_shown",
        "passwordless",
        "author",
        "authority",
        "authorized_by",
        "auth_method",
        "authorization_url",
        "cookie_policy",
        "cookbook",
        "key",
        "primary_key",
        "public_key",
        "cache_key",
        "api_key_id",
        "keyword",
        "session_id",
    ];
    let wire = wire(None, || {
        Span::builder("settings").in_scope(|span| {
            let map = |names: [&'static str; 40], value: &str| -> BTreeMap<&str, String> {
                names.into_iter().enumerate().map(|(at, name)| (name, format!("{value}-{at}."))).collect()
            };
            span.set_metadata("go", &map(GO, CANARY));
            span.set_metadata("stay", &map(STAY, KEPT));
        });
    });
    assert!(!wire.contains(CANARY), "{wire}");
    let missing = (0..40).find(|at| !wire.contains(&format!("{KEPT}-{at}.")));
    assert_eq!(missing.and_then(|at| STAY.get(at)), None);
}
