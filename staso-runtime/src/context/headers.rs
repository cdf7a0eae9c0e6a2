//! Contexts in the headers of the `http` crate, behind the feature `http-headers`.

use http::{HeaderMap, HeaderName, HeaderValue};

use super::Context;

impl Context {
    /// Puts this context into the headers of a request; see [`inject_with`](Self::inject_with).
    pub fn inject(&self, headers: &mut HeaderMap) {
        self.inject_with(|name, value| {
            if let Ok(value) = HeaderValue::from_str(value) {
                headers.insert(HeaderName::from_static(name), value);
            }
        });
    }

    /// The context in the headers of a request; see [`extract_with`](Self::extract_with).
    pub fn extract(headers: &HeaderMap) -> Self {
        Self::extract_with(|name| Some(headers.get(name)?.to_str().ok()?.to_owned()))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn headers_carry_a_context() {
        let mut headers = HeaderMap::new();
        let baggage = HeaderValue::from_static("staso.conversation=c,staso.user=u");
        headers.insert("baggage", baggage.clone());
        let cx = Context::extract(&headers);
        assert_eq!((cx.conversation_id(), cx.user_id()), (Some("c"), Some("u")));
        let mut again = HeaderMap::new();
        cx.inject(&mut again);
        assert_eq!(again.get("baggage"), Some(&baggage));
    }
}
