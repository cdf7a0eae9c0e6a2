use std::borrow::Cow;

use serde::Deserialize;
use serde_json::value::RawValue;

/// The texts of a span's record, the span object of the wire as it came.
#[derive(Debug, Default, PartialEq, Eq)]
pub(crate) struct RecordTexts<'a> {
    /// The step's name.
    pub(crate) name: Cow<'a, str>,
    /// What went in: JSON text, or empty.
    pub(crate) input: Cow<'a, str>,
    /// What came out: JSON text, or empty.
    pub(crate) output: Cow<'a, str>,
    /// What it failed with.
    pub(crate) error_message: Option<Cow<'a, str>>,
}

impl<'a> RecordTexts<'a> {
    /// Takes the texts out of a record. What is no text stands as the JSON that it is; a record that is not
    /// an object has none.
    pub(crate) fn of(record: &'a str) -> Self {
        let fields: Fields<'a> = serde_json::from_str(record).unwrap_or_default();
        Self {
            name: fields.name.map(text).unwrap_or_default(),
            input: fields.input.map(text).unwrap_or_default(),
            output: fields.output.map(text).unwrap_or_default(),
            error_message: fields.error_message.map(text),
        }
    }
}

#[derive(Default, Deserialize)]
struct Fields<'a> {
    #[serde(borrow)]
    name: Option<&'a RawValue>,
    #[serde(borrow)]
    input: Option<&'a RawValue>,
    #[serde(borrow)]
    output: Option<&'a RawValue>,
    #[serde(borrow)]
    error_message: Option<&'a RawValue>,
}

fn text(value: &RawValue) -> Cow<'_, str> {
    #[derive(Deserialize)]
    struct Text<'a>(#[serde(borrow)] Cow<'a, str>);

    serde_json::from_str(value.get()).map_or(Cow::Borrowed(value.get()), |Text(text)| text)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn absent_and_null_texts_are_empty() {
        let expected = RecordTexts { name: "a \"b\"".into(), ..RecordTexts::default() };
        assert_eq!(RecordTexts::of(r#"{"name":"a \"b\"","error_message":null}"#), expected);
    }

    #[test]
    fn what_is_no_text_stands_as_json() {
        let texts = RecordTexts::of(r#"{"input":{"a":1},"error_message":""}"#);
        assert_eq!((texts.input, texts.error_message), (r#"{"a":1}"#.into(), Some("".into())));
    }

    #[test]
    fn a_record_that_is_no_object_has_no_texts() {
        assert_eq!(RecordTexts::of("[1]"), RecordTexts::default());
    }
}
