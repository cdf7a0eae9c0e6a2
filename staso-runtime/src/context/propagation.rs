//! A context in the headers of a request: W3C Trace Context (`traceparent`) and W3C Baggage.

use std::{fmt::Write as _, sync::Arc};

use super::{
    Context, local,
    stack::{Scope, SpanRef},
};
use crate::record::{Conversation, Name, SpanId, TraceId};

const TRACEPARENT: &str = "traceparent";
const BAGGAGE: &str = "baggage";
const CONVERSATION: &str = "staso.conversation";
const USER: &str = "staso.user";
const AGENT: &str = "staso.agent";

/// W3C Baggage allows 8,192 bytes for a whole header; three values of ours stay below.
const MOST_VALUE_BYTES: usize = 1_024;
const MOST_HEADER_BYTES: usize = 8_192;

impl Context {
    /// Gives the headers that carry this context to another process: `traceparent`, and `baggage` with
    /// the conversation, the end user and the agent. An empty context gives none.
    ///
    /// Baggage carries user data: inject towards your own services only.
    ///
    /// ```
    /// use staso::{Context, Span, testing};
    ///
    /// testing::capture(|| {
    ///     Span::builder("call").in_scope(|_| {
    ///         let mut headers = Vec::new();
    ///         Context::current().inject_with(|name, value| headers.push((name, value.to_owned())));
    ///         assert_eq!(headers[0].0, "traceparent");
    ///     });
    /// });
    /// ```
    pub fn inject_with(&self, mut set: impl FnMut(&'static str, &str)) {
        if let Some(span) = self.scope.span {
            let (trace, parent) = (span.trace_id.bits(), span.span_id.bits());
            set(TRACEPARENT, &format!("00-{trace:032x}-{parent:016x}-01"));
        }
        let entries =
            [(CONVERSATION, self.conversation_id()), (USER, self.user_id()), (AGENT, self.agent_name())];
        let mut baggage = String::new();
        for (key, value) in entries {
            let Some(value) = value.filter(|value| value.len() <= MOST_VALUE_BYTES) else { continue };
            if !baggage.is_empty() {
                baggage.push(',');
            }
            let _ = write!(baggage, "{key}={}", Encoded(value));
        }
        if !baggage.is_empty() {
            set(BAGGAGE, &baggage);
        }
    }

    /// The context that another process injected. What is missing or malformed is left out.
    ///
    /// Extract from callers that you trust: they choose the trace, conversation and user that the spans
    /// of this process are recorded under.
    ///
    /// ```
    /// use staso::Context;
    ///
    /// let cx = Context::extract_with(|name| match name {
    ///     "traceparent" => Some("00-0af7651916cd43dd8448eb211c80319c-b7ad6b7169203331-01".to_owned()),
    ///     "baggage" => Some("staso.conversation=conv%2042".to_owned()),
    ///     _ => None,
    /// });
    /// assert_eq!(cx.trace_id().unwrap().to_string(), "0af76519-16cd-43dd-8448-eb211c80319c");
    /// assert_eq!(cx.conversation_id(), Some("conv 42"));
    /// ```
    pub fn extract_with(mut get: impl FnMut(&'static str) -> Option<String>) -> Self {
        let span = get(TRACEPARENT).and_then(|header| parse_traceparent(&header));
        let baggage = get(BAGGAGE).filter(|header| header.len() <= MOST_HEADER_BYTES).unwrap_or_default();
        let value = |key| {
            let value = baggage.split(',').find_map(|member| {
                let (name, value) = member.split(';').next()?.split_once('=')?;
                (name.trim() == key).then(|| decode(value.trim())).flatten()
            });
            value.filter(|value| !value.trim().is_empty())
        };
        let user_id: Option<Arc<str>> = value(USER).map(Into::into);
        let conversation =
            value(CONVERSATION).map(|id| Arc::new(Conversation { id: id.into(), user_id: user_id.clone() }));
        let agent = value(AGENT).map(|agent| Name::shared(&agent));
        // A test that serves a request captures its spans as well.
        let recorder = local::with(|local| local.stack.bound_recorder()).flatten();
        Self { scope: Scope { span, agent, conversation, recorder, ..Scope::default() } }
    }
}

/// `version-traceid-parentid-flags`; a later version may append fields. Trace Context, section 3.2.
fn parse_traceparent(header: &str) -> Option<SpanRef> {
    let mut fields = header.trim().split('-');
    let (version, trace, parent, flags) = (fields.next()?, fields.next()?, fields.next()?, fields.next()?);
    let is_hex = |text: &str| text.bytes().all(|byte| matches!(byte, b'0'..=b'9' | b'a'..=b'f'));
    let sizes = [(version, 2), (trace, 32), (parent, 16), (flags, 2)];
    if sizes.iter().any(|(text, size)| text.len() != *size || !is_hex(text)) || version == "ff" {
        return None;
    }
    if version == "00" && fields.next().is_some() {
        return None;
    }
    let trace_id = TraceId::new(u128::from_str_radix(trace, 16).ok()?.try_into().ok()?);
    let span_id = SpanId::new(u64::from_str_radix(parent, 16).ok()?.try_into().ok()?);
    Some(SpanRef { trace_id, span_id, anchor: None, owner: None })
}

/// A baggage value: what the grammar does not allow is percent-encoded.
struct Encoded<'a>(&'a str);

impl std::fmt::Display for Encoded<'_> {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        for byte in self.0.bytes() {
            if byte.is_ascii_alphanumeric() || b"-_.~!*'()/:@".contains(&byte) {
                f.write_char(char::from(byte))?;
            } else {
                write!(f, "%{byte:02X}")?;
            }
        }
        Ok(())
    }
}

fn decode(value: &str) -> Option<String> {
    let mut bytes = Vec::with_capacity(value.len());
    let mut rest = value.bytes();
    while let Some(byte) = rest.next() {
        bytes.push(match byte {
            b'%' => {
                let digit = |byte: u8| char::from(byte).to_digit(16);
                let (high, low) = (digit(rest.next()?)?, digit(rest.next()?)?);
                u8::try_from(high * 16 + low).ok()?
            }
            byte => byte,
        });
    }
    let text = String::from_utf8(bytes).ok()?;
    (!text.is_empty() && text.len() <= MOST_VALUE_BYTES).then_some(text)
}

#[cfg(test)]
mod tests {
    use super::*;

    fn extract(traceparent: &str, baggage: &str) -> Context {
        Context::extract_with(|name| {
            Some(if name == "traceparent" { traceparent } else { baggage }.to_owned())
        })
    }

    #[test]
    fn malformed_headers_give_an_empty_context() {
        for header in [
            "",
            "00",
            "00-00000000000000000000000000000000-b7ad6b7169203331-01",
            "00-0af7651916cd43dd8448eb211c80319c-0000000000000000-01",
            "ff-0af7651916cd43dd8448eb211c80319c-b7ad6b7169203331-01",
            "00-0AF7651916CD43DD8448EB211C80319C-b7ad6b7169203331-01",
            "00-0af7651916cd43dd8448eb211c80319c-b7ad6b7169203331-01-more",
        ] {
            assert_eq!(extract(header, "=,;%").trace_id(), None, "{header}");
        }
    }

    #[test]
    fn a_later_version_may_append_fields() {
        let cx = extract("01-0af7651916cd43dd8448eb211c80319c-b7ad6b7169203331-01-more", "");
        assert!(cx.trace_id().is_some());
    }

    proptest::proptest! {
        #[test]
        fn any_value_survives_the_way(id in "\\PC{1,80}", user in "\\PC{1,80}") {
            let conversation = Conversation { id: id.as_str().into(), user_id: Some(user.as_str().into()) };
            let scope = Scope { conversation: Some(Arc::new(conversation)), ..Scope::default() };
            let mut baggage = String::new();
            Context { scope }.inject_with(|_, value| baggage = value.to_owned());
            proptest::prop_assert!(baggage.bytes().all(|byte| (0x21..0x7f).contains(&byte)));
            let cx = extract("", &baggage);
            proptest::prop_assert_eq!(cx.conversation_id(), Some(id.as_str()));
            proptest::prop_assert_eq!(cx.user_id(), Some(user.as_str()));
        }

        #[test]
        fn hostile_headers_do_no_harm(traceparent: String, baggage: String) {
            let _ = extract(&traceparent, &baggage);
        }
    }
}
