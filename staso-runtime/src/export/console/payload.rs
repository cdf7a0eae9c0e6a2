//! What is worth showing of a span's input and output.

use std::borrow::Cow;

use serde::de::IgnoredAny;

use super::view::SpanView;
use crate::record::SpanKind;

/// The input without the agent's own name, which stands beside it. `None` when nothing is left.
pub(super) fn input(span: &impl SpanView) -> Option<Cow<'_, str>> {
    let input = span.input()?;
    let rest = (span.kind() == SpanKind::Agent).then(|| without_agent_name(&input, span.name())).flatten();
    let shown = rest.map_or(input, Cow::Owned);
    (!matches!(shown.trim(), "" | "{}")).then_some(shown)
}

/// The output, or `X` of `{"result":X}`. `None` when there is nothing, as for `()`.
pub(super) fn output(span: &impl SpanView) -> Option<Cow<'_, str>> {
    let output = span.output()?;
    let shown = match result(&output).map(str::to_owned) {
        Some(result) => Cow::Owned(result),
        None => output,
    };
    (!matches!(shown.trim(), "" | "null")).then_some(shown)
}

fn without_agent_name(input: &str, name: &str) -> Option<String> {
    let name = serde_json::to_string(name).ok()?;
    let rest = input.strip_prefix("{\"agent_name\":")?.strip_prefix(&name)?;
    let arguments = rest.strip_prefix(',').or_else(|| (rest == "}").then_some(rest))?;
    Some(format!("{{{arguments}"))
}

fn result(output: &str) -> Option<&str> {
    let result = output.strip_prefix("{\"result\":")?.strip_suffix('}')?;
    // `1,"more":2` is no value: the object holds more than a result.
    serde_json::from_str::<IgnoredAny>(result).is_ok().then_some(result)
}

#[cfg(test)]
mod tests {
    use super::{
        super::fixture::{agent, tool},
        *,
    };
    use crate::record::Entry;

    #[test]
    fn a_result_is_taken_out_of_its_object() {
        let check = |json, expected| {
            assert_eq!(output(&tool("t").with(Entry::Output(json)).record()).as_deref(), expected)
        };
        check(r#"{"result":[1,2]}"#, Some("[1,2]"));
        check(r#"{"result":{"a":1}}"#, Some(r#"{"a":1}"#));
        check(r#"{"result":null}"#, None);
        check(r#"{"result":1,"more":2}"#, Some(r#"{"result":1,"more":2}"#));
        check(r#""text""#, Some(r#""text""#));
    }

    #[test]
    fn an_agent_does_not_repeat_its_name() {
        let check = |json, expected| {
            assert_eq!(input(&agent("bot").with(Entry::Arguments(json)).record()).as_deref(), expected)
        };
        check(r#"{"q":"hi"}"#, Some(r#"{"q":"hi"}"#));
        check("{}", None);
        let named = agent("bot").with(Entry::Input(r#"{"agent_name":"other","q":1}"#)).record();
        assert_eq!(input(&named).as_deref(), Some(r#"{"agent_name":"other","q":1}"#));
    }
}
