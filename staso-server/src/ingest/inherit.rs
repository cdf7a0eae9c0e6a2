//! What a trace object says of its spans, for those that do not say it themselves: senders of older and other kinds
//! write there what SDKs of today write on each span.

use serde_json::value::{RawValue, to_raw_value};

use super::{
    error::ParseError,
    parse::TraceObject,
    record::{Entries, filled, merged},
};
use crate::model::{SpanStatus, name_in_index};

/// So many bytes may be added to the spans of a request, of which each gets what its trace says.
pub(super) const MAX_INHERITED: usize = 32 << 20;

/// Keys and values, as they go into records.
type Fields = Vec<(&'static str, Box<RawValue>)>;

/// The fields of a trace object that spans have too.
#[derive(Default)]
pub(super) struct Inherited {
    /// For every span.
    each: Fields,
    /// For the root. Sums over the spans, such as tokens, are not among them.
    root: Fields,
    /// For the root, where no span of the request names a model or counts tokens.
    usage: Fields,
    /// JSON text of an object: for the root, beside its own.
    attributes: Option<String>,
}

impl Inherited {
    /// Takes them out of the trace object.
    ///
    /// # Errors
    ///
    /// The first one of a wrong type.
    pub(super) fn of(trace: &mut TraceObject<'_>) -> Result<Self, ParseError> {
        let mut inherited = Self::default();
        for (key, field) in [
            ("session_id", &mut trace.session_id),
            ("user_id", &mut trace.user_id),
            ("agent_name", &mut trace.agent_name),
            ("agent_id", &mut trace.agent_id),
        ] {
            let text = std::mem::take(field).text_or_empty(key)?;
            let text = name_in_index(&text);
            inherited.each.extend((!text.is_empty()).then(|| (key, raw(text))));
        }
        let name = std::mem::take(&mut trace.root_span_name).text_or_empty("root_span_name")?;
        inherited.root.extend((!name.is_empty()).then(|| ("name", raw(&name))));
        // `ok` is what senders write who do not know; a span that says nothing is that without it.
        let status = std::mem::take(&mut trace.status).text_or_empty("status")?;
        let says_more = !status.is_empty() && SpanStatus::of_wire(&status) != SpanStatus::Ok;
        inherited.root.extend(says_more.then(|| ("status", raw(&status))));
        let duration = trace.duration_ms.number("duration_ms")?.filter(|duration| *duration > 0.0);
        inherited.root.extend(duration.map(|duration| ("duration_ms", raw(&duration))));
        let model = std::mem::take(&mut trace.model).text_or_empty("model")?;
        inherited.usage.extend((!model.is_empty()).then(|| ("model", raw(&model))));
        for (key, field) in [
            ("input_tokens", &trace.input_tokens),
            ("output_tokens", &trace.output_tokens),
            ("total_tokens", &trace.total_tokens),
        ] {
            let count = field.count(key)?.filter(|count| *count > 0);
            inherited.usage.extend(count.map(|count| (key, raw(&count))));
        }
        let attributes = std::mem::take(&mut trace.attributes).text_or_empty("attributes")?;
        inherited.attributes = (!["", "{}"].contains(&&*attributes)).then(|| attributes.into_owned());
        Ok(inherited)
    }

    fn is_empty(&self) -> bool {
        self.each.is_empty() && self.root.is_empty() && self.usage.is_empty() && self.attributes.is_none()
    }

    /// The records of the trace's spans with what they leave out. What is no object stays as it is.
    ///
    /// # Errors
    ///
    /// When they would get more than is `left` of [`MAX_INHERITED`].
    pub(super) fn fill(
        &self,
        spans: &[&RawValue],
        left: &mut usize,
    ) -> Result<Option<Vec<Box<RawValue>>>, ParseError> {
        if self.is_empty() {
            return Ok(None);
        }
        let bytes: usize = self.each.iter().map(|(key, value)| key.len() + value.get().len()).sum();
        *left = left.checked_sub(bytes.saturating_mul(spans.len())).ok_or_else(|| {
            ParseError::invalid(
                "spans",
                "too many for what each is to have of its trace; say it shorter there, or on the spans",
            )
        })?;
        let entries: Vec<Option<Entries<'_>>> =
            spans.iter().map(|span| serde_json::from_str(span.get()).ok()).collect();
        let is_root = |entries: &Option<Entries<'_>>| {
            entries.as_ref().is_some_and(|entries| entries.says_nothing("parent_span_id"))
        };
        let root = entries.iter().position(is_root);
        let counts = ["model", "input_tokens", "output_tokens", "total_tokens"];
        let is_counted =
            entries.iter().flatten().any(|entries| counts.iter().any(|key| !entries.says_nothing(key)));
        let fill = |(index, (span, entries)): (usize, (&&RawValue, &Option<Entries<'_>>))| {
            let Some(entries) = entries else { return (*span).to_owned() };
            let is_root = root == Some(index);
            let of_root = if is_root { &*self.root } else { &[] };
            let usage = if is_root && !is_counted { &*self.usage } else { &[] };
            let fields = self.each.iter().chain(of_root).chain(usage);
            let mut with: Vec<(&str, Box<RawValue>)> = fields
                .filter(|(key, _)| entries.says_nothing(key))
                .map(|(key, value)| (*key, value.clone()))
                .collect();
            if index == root.unwrap_or(0)
                && let Some(attributes) =
                    self.attributes.as_ref().and_then(|more| merged(&entries.text("attributes"), more))
            {
                with.push(("attributes", raw(&attributes)));
            }
            if with.is_empty() { (*span).to_owned() } else { filled(entries, &with) }
        };
        Ok(Some(spans.iter().zip(&entries).enumerate().map(fill).collect()))
    }
}

fn raw(value: &(impl serde::Serialize + ?Sized)) -> Box<RawValue> {
    // Texts and finite numbers can always be written.
    to_raw_value(value).unwrap_or_default()
}
