//! Credentials in what spans carry: which names give them away, and what is shown in their place.
//!
//! The sender's thread masks them, so that the traced thread pays nothing. A credential is known by the
//! name it stands under, never by what it looks like: an argument, a field, a key of a map, a header, a
//! parameter of a URL. What is prose is left as it is.

mod json;
mod name;
mod text;
mod types;
mod url;
mod words;

pub(crate) use json::mask_json;
pub(crate) use text::mask_text;
pub(crate) use types::holds_credentials;

/// Stands in the place of a credential.
pub(crate) const MASKED: &str = "[masked]";

#[cfg(test)]
mod tests {
    use std::time::{Duration, Instant};

    use super::*;

    /// What takes time in the square of its length takes minutes here; what reads its text once, a moment.
    const WATCHDOG: Duration = Duration::from_secs(30);

    #[test]
    fn a_long_value_is_read_once_whatever_is_in_it() {
        let times = |part: &str| part.repeat((512 << 10) / part.len());
        for (json, is_masked) in [
            (format!(r#"{{"embedding":"[{}0.5]"}}"#, times("0.12345, ")), false),
            (format!(r#"{{"header":"[{}]"}}"#, times("x-token, ")), false),
            (format!(r#"{{"schema":"Tool {{ {}"}}"#, times(r#"token:{\"type\":\"string\" "#)), false),
            (format!(r#"{{"password":[{}1]}}"#, times("1,")), true),
            (format!(r#"{{{}"n":1}}"#, times(r#""token":"a","#)), true),
            (format!(r#"{{"secret":[{}1]}}"#, times(r#"{"a":1},"#)), true),
            (times(r#"{"secret":"#), false),
            (times(r#"{"token":["#), false),
            (format!(r#"["[{}"#, times("1,")), false),
        ] {
            let begun = Instant::now();
            assert_eq!(mask_json(None, &json).is_some(), is_masked, "{:.40}", json);
            assert!(begun.elapsed() < WATCHDOG, "{:.40}", json);
        }
    }
}
