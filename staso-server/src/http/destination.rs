use axum::http::Uri;

/// The page that somebody asked for who was not signed in: where signing in leads to.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) struct Destination(String);

impl Destination {
    const LONGEST: usize = 4096;

    /// An address of this server's own pages. Whoever made the link wrote it, so it is taken only if no browser can
    /// read another site in it: `//host`, `/\\host` and a tab or line break in between are some, and what a proxy may
    /// undo, such as `/%2fhost`, could become one. Our own paths go on with a letter.
    pub(crate) fn of(text: &str) -> Option<Self> {
        let rest = text.strip_prefix('/')?;
        let own =
            rest.is_empty() || rest.starts_with(|first: char| first.is_ascii_lowercase() || first == '?');
        let plain = text.bytes().all(|byte| byte.is_ascii_graphic() && byte != b'\\');
        let path = rest.split(['?', '#']).next().unwrap_or_default();
        let signs = matches!(path, "login" | "logout");
        (own && plain && !signs && text.len() <= Self::LONGEST).then(|| Self(text.to_owned()))
    }

    /// Where to sign in, so that it leads to what was asked for.
    pub(super) fn login(asked: &Uri) -> String {
        match asked.path_and_query().and_then(|asked| Self::of(asked.as_str())) {
            Some(Self(next)) if next != "/" => {
                let next: String = form_urlencoded::byte_serialize(next.as_bytes()).collect();
                format!("/login?next={next}")
            }
            _ => "/login".to_owned(),
        }
    }

    pub(crate) fn as_str(&self) -> &str {
        &self.0
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn pages_of_ones_own_are_led_to() {
        for own in ["/", "/?since=7d", "/traces/a%2F%2Fb?span=1&q=%0A#x", "/agents/a.b", "/users", "/loginx"]
        {
            assert_eq!(Destination::of(own).unwrap().as_str(), own);
        }
    }

    #[test]
    fn b16_no_other_site_is_led_to() {
        for foreign in [
            "",
            "https://evil.example",
            "//evil.example",
            "///evil.example",
            "/\\evil.example",
            "\\\\evil.example",
            "\\/evil.example",
            "/\t/evil.example",
            "/\n/evil.example",
            "/\r\nSet-Cookie: a=b",
            "\t//evil.example",
            " //evil.example",
            "/traces\r\nLocation: //evil.example",
            "/%2f%2fevil.example",
            "/%2Fevil.example",
            "/%5cevil.example",
            "/%09/evil.example",
            "/.//evil.example",
            "/..//evil.example",
            "/@evil.example",
            "/traces\\evil",
            "javascript:alert(1)",
            "/javascript\u{85}:alert(1)",
            "data:text/html,x",
            "evil.example",
            "?next=/",
            "/\u{2f}/evil.example",
            "/\u{ff0f}evil.example",
            "/login",
            "/login?next=/login",
            "/logout",
        ] {
            assert_eq!(Destination::of(foreign), None, "{foreign:?}");
        }
        assert_eq!(Destination::of(&format!("/{}", "a".repeat(5000))), None);
    }
}
