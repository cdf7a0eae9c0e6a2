use super::words::{FILLERS, HARMLESS_TOKENS, JOINED, PASSES, SECRET_AUTHS, SECRET_KEYS, SECRET_TOKENS};

/// What a name says about its value.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Credential {
    /// A secret, whatever it is written as.
    Secret,
    /// A secret if it is text: numbers under such a name are counts and identifiers.
    Text,
}

/// Bytes of a word that are looked at, from its end.
const LONGEST: usize = 32;

/// Whether a key, an argument or a header is a credential by its name, in any of the usual spellings:
/// `api_key`, `apiKey`, `API-KEY`, `x-api-key`, `OPENAI_API_KEY`.
///
/// The last word decides what the value is: a `token_count` is a count. `None` for other names.
pub(super) fn credential(name: &str) -> Option<Credential> {
    let (mut before, mut noun) = last_word(name)?;
    while is_one_of(noun, FILLERS) {
        (before, noun) = last_word(before)?;
    }
    let qualifier = || last_word(before).map_or("", |(_, word)| word);
    let only_if = |words| is_one_of(qualifier(), words).then_some(Credential::Secret);
    let mut lower = [0; LONGEST];
    let noun = noun.get(noun.ceil_char_boundary(noun.len().saturating_sub(LONGEST))..).unwrap_or_default();
    let lower = lower.get_mut(..noun.len())?;
    lower.copy_from_slice(noun.as_bytes());
    lower.make_ascii_lowercase();
    match std::str::from_utf8(lower).ok()? {
        "password" | "passwd" | "passphrase" | "passcode" | "pwd" | "secret" | "authorization"
        | "authorisation" | "jwt" | "apikey" => Some(Credential::Secret),
        "passwords" | "secrets" | "cookie" | "cookies" | "credential" | "credentials" | "creds"
        | "bearer" => Some(Credential::Text),
        "token" => (!is_one_of(qualifier(), HARMLESS_TOKENS)).then_some(Credential::Text),
        "tokens" => is_one_of(qualifier(), SECRET_TOKENS).then_some(Credential::Text),
        "key" | "keys" => only_if(SECRET_KEYS),
        "pass" => only_if(PASSES),
        "auth" => (before.chars().all(|c| !c.is_alphanumeric()) || is_one_of(qualifier(), SECRET_AUTHS))
            .then_some(Credential::Text),
        joined => JOINED.iter().any(|known| joined.ends_with(known)).then_some(Credential::Secret),
    }
}

/// Whether a name is a header's, so that a plain text beside it can only be that header's value.
pub(super) fn is_header(name: &str) -> bool {
    let is_spelt_so = name.contains('-')
        || ["authorization", "cookie"].iter().any(|known| name.eq_ignore_ascii_case(known));
    is_spelt_so && credential(name).is_some()
}

/// Whether a parameter of a URL is a credential: there a bare `key` and a signature let in who has the URL.
pub(super) fn is_secret_parameter(name: &str) -> bool {
    let is_signature = || last_word(name).is_some_and(|(_, word)| is_one_of(word, &["sig", "signature"]));
    credential(name).is_some() || name.eq_ignore_ascii_case("key") || is_signature()
}

/// The last word of a name, and what is before it. Words end at anything that is no letter, and where
/// the case changes. Trailing numbers do not count: `password2` is a password.
fn last_word(name: &str) -> Option<(&str, &str)> {
    let name = name.trim_end_matches(|c: char| !c.is_alphabetic());
    let last = name.chars().next_back()?;
    let tail = name.trim_end_matches(|c: char| c.is_alphabetic() && c.is_uppercase() == last.is_uppercase());
    // A word in lower case may begin with one capital.
    let capital = tail.chars().next_back().filter(|c| c.is_uppercase() && !last.is_uppercase());
    let start = tail.len() - capital.map_or(0, char::len_utf8);
    Some(name.split_at(start))
}

fn is_one_of(word: &str, words: &[&str]) -> bool {
    words.iter().any(|known| word.eq_ignore_ascii_case(known))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn names_of_credentials_are_known_in_every_spelling() {
        for name in [
            "authorization",
            "Authorization",
            "proxy-authorization",
            "AUTHORIZATION",
            "authorization_header",
            "auth",
            "auth_header",
            "basic_auth",
            "cookie",
            "Cookie",
            "set-cookie",
            "setCookie",
            "session_cookie",
            "api_key",
            "apiKey",
            "apikey",
            "API_KEY",
            "x-api-key",
            "X-API-Key",
            "APIKey",
            "openai_api_key",
            "OPENAI_KEY",
            "stripe_key",
            "secret_key",
            "aws_secret_access_key",
            "private_key",
            "privateKey",
            "access_key",
            "signing_key",
            "ssh_key",
            "token",
            "access_token",
            "accessToken",
            "refresh_token",
            "id_token",
            "auth_token",
            "authtoken",
            "github_token",
            "HF_TOKEN",
            "x-amz-security-token",
            "csrf_token",
            "bearer_token",
            "bot_token",
            "api_tokens",
            "bearer",
            "jwt",
            "secret",
            "client_secret",
            "clientSecret",
            "webhook-secret",
            "secret_value",
            "password",
            "Password",
            "db_password",
            "dbpassword",
            "user.password",
            "passwd",
            "passphrase",
            "password_hash",
            "password2",
            "passwordConfirmation",
            "OPENAI_API_KEY_PROD",
            "api_key_v2",
            "authorisation",
            "new_password",
            "pwd",
            "smtp_pass",
            "credentials",
            "aws_credentials",
            "_auth",
        ] {
            assert!(credential(name).is_some(), "{name}");
        }
    }

    #[test]
    fn names_that_only_sound_like_credentials_are_left_alone() {
        for name in [
            "max_tokens",
            "maxTokens",
            "input_tokens",
            "output_tokens",
            "total_tokens",
            "tokens",
            "token_count",
            "cached_tokens",
            "reasoning_tokens",
            "page_token",
            "pageToken",
            "next_page_token",
            "nextPageToken",
            "continuation_token",
            "time_to_first_token",
            "eos_token",
            "pad_token",
            "stop_token",
            "cost_per_token",
            "token_type",
            "token_ids",
            "token_limit",
            "tokenizer",
            "tokenize",
            "tokenized",
            "secretary",
            "secret_name",
            "secret_santa_list",
            "password_policy",
            "password_length",
            "passwordless",
            "password_reset_url",
            "author",
            "authors",
            "authority",
            "auth_method",
            "auth_url",
            "authorization_endpoint",
            "authorized",
            "is_authorized",
            "oauth",
            "cookie_policy",
            "cookie_banner",
            "cookbook",
            "key",
            "keys",
            "primary_key",
            "cache_key",
            "sort_key",
            "public_key",
            "idempotency_key",
            "api_key_id",
            "access_key_id",
            "keyword",
            "keyboard",
            "monkey",
            "turkey",
            "api",
            "session_id",
            "credential_type",
            "pass",
            "passed",
            "first_pass",
            "bypass",
            "compass",
            "passenger",
            "passport",
            "lock_token",
            "page_token_str",
            "cache_key_v2",
            "prod",
            "",
            "_",
            "名前",
        ] {
            assert_eq!(credential(name), None, "{name}");
        }
    }

    #[test]
    fn a_header_is_told_from_a_word_of_the_language() {
        assert!(["authorization", "Cookie", "x-api-key", "Proxy-Authorization"].into_iter().all(is_header));
        assert!(!["token", "password", "secret", "content-type", "max-tokens"].into_iter().any(is_header));
    }
}
