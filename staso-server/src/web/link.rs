use std::fmt::{self, Write as _};

/// The address of a page, written part by part so that whatever a value holds stays inside its part.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Link {
    text: String,
    has_query: bool,
}

impl Link {
    /// An address of our own, such as `/traces`.
    #[must_use]
    pub fn to(path: &'static str) -> Self {
        Self { text: path.to_owned(), has_query: false }
    }

    /// The address of the page that is shown, as the request has it.
    pub(super) fn here(path: &str) -> Self {
        Self { text: path.to_owned(), has_query: false }
    }

    /// One more part of the path.
    #[must_use]
    pub fn part(mut self, value: &str) -> Self {
        self.text.push('/');
        encode(&mut self.text, value);
        self
    }

    /// A parameter of the query.
    #[must_use]
    pub fn with(mut self, name: &str, value: &str) -> Self {
        self.text.push(if self.has_query { '&' } else { '?' });
        self.has_query = true;
        encode(&mut self.text, name);
        self.text.push('=');
        encode(&mut self.text, value);
        self
    }

    /// Several parameters of the query.
    #[must_use]
    pub fn with_all<'a>(self, parameters: impl IntoIterator<Item = (&'a str, &'a str)>) -> Self {
        parameters.into_iter().fold(self, |link, (name, value)| link.with(name, value))
    }

    /// The text for `href`.
    #[must_use]
    pub fn as_str(&self) -> &str {
        &self.text
    }
}

impl fmt::Display for Link {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.text)
    }
}

impl maud::Render for Link {
    fn render_to(&self, buffer: &mut String) {
        self.text.as_str().render_to(buffer);
    }
}

/// Writes everything but letters, digits and `-._~` as `%XX`. A browser takes a part that is `.` or `..` out
/// of a path even when it is encoded, so such an identifier cannot be linked to; nothing can be reached with it.
fn encode(out: &mut String, value: &str) {
    for byte in value.bytes() {
        if byte.is_ascii_alphanumeric() || b"-._~".contains(&byte) {
            out.push(char::from(byte));
        } else {
            // Writing to a string cannot fail.
            let _ = write!(out, "%{byte:02X}");
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_value_stays_inside_its_part() {
        let link = Link::to("/traces").part("a/../b?c#d").with("user", "x&y=z ü").with("q", "");
        assert_eq!(link.as_str(), "/traces/a%2F..%2Fb%3Fc%23d?user=x%26y%3Dz%20%C3%BC&q=");
    }
}
