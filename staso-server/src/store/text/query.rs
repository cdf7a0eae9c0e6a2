use std::ops::ControlFlow::{self, Break, Continue};

use memchr::memmem::Finder;

use super::{fields, normal};
use crate::model::TextField;

/// What a text must contain to be found.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct TextQuery {
    /// In normal form.
    needles: Vec<String>,
    field: Option<TextField>,
}

impl TextQuery {
    /// Reads what a user typed: words between spaces, each of which some text of a trace must contain, and phrases in
    /// quotes, which are looked for as a whole. A quotation mark that begins or ends no phrase stands for itself.
    ///
    /// `None` when there is nothing to look for.
    #[must_use]
    pub fn parse(text: &str, field: Option<TextField>) -> Option<Self> {
        let mut needles: Vec<String> = Vec::new();
        let mut rest = text.trim_start();
        while !rest.is_empty() {
            let (part, behind) = match phrase(rest) {
                Some(found) => found,
                None => rest.split_at(rest.find(char::is_whitespace).unwrap_or(rest.len())),
            };
            for needle in [normal::of(part).trim()] {
                if !needle.is_empty() && !needles.iter().any(|known| known == needle) {
                    needles.push(needle.to_owned());
                }
            }
            rest = behind.trim_start();
        }
        (!needles.is_empty()).then_some(Self { needles, field })
    }

    pub(in crate::store) fn needles(&self) -> &[String] {
        &self.needles
    }

    pub(in crate::store) const fn field(&self) -> Option<TextField> {
        self.field
    }

    /// Whether the records have, together, everything.
    pub fn matches<'a>(&self, records: impl IntoIterator<Item = &'a str>) -> bool {
        let mut search = self.search(&|| false);
        records.into_iter().any(|record| search.look_at(record))
    }

    /// Begins a look through the records of a trace, which ends early once it is over.
    pub(in crate::store) fn search<'q>(&'q self, is_over: &'q dyn Fn() -> bool) -> Search<'q> {
        Search { missing: self.needles.iter().map(Finder::new).collect(), field: self.field, is_over }
    }
}

/// The phrase that a text begins with, and what stands behind it.
fn phrase(text: &str) -> Option<(&str, &str)> {
    let closing = match text.chars().next()? {
        '"' => '"',
        '“' => '”',
        '「' => '」',
        _ => return None,
    };
    let inner = text.get(text.chars().next()?.len_utf8()..)?;
    let ends = |index: usize| {
        inner
            .get(index + closing.len_utf8()..)
            .is_some_and(|rest| rest.is_empty() || rest.starts_with(char::is_whitespace))
    };
    let end = inner.match_indices(closing).map(|(index, _)| index).find(|index| ends(*index))?;
    Some((&inner[..end], &inner[end + closing.len_utf8()..]))
}

/// A look through the records of a trace.
pub(in crate::store) struct Search<'q> {
    missing: Vec<Finder<'q>>,
    field: Option<TextField>,
    is_over: &'q dyn Fn() -> bool,
}

impl Search<'_> {
    /// Looks for what has not been found so far. Whether everything has.
    pub(in crate::store) fn look_at(&mut self, record: &str) -> bool {
        let _ended = fields::in_record(record, &mut |field, text| {
            if self.field.is_none_or(|wanted| wanted == field) {
                self.look_at_text(text)
            } else {
                self.go_on()
            }
        });
        self.missing.is_empty()
    }

    fn look_at_text(&mut self, text: &str) -> ControlFlow<()> {
        let mut seen = String::new();
        normal::in_portions(text, &mut |portion| {
            let needles = self.missing.iter().map(Finder::needle);
            let longest = needles.map(<[u8]>::len).max().unwrap_or_default();
            // What was seen may be the beginning of what is looked for.
            let mut kept = seen.len().saturating_sub(longest);
            while !seen.is_char_boundary(kept) {
                kept -= 1;
            }
            seen.drain(..kept);
            seen.push_str(portion);
            self.missing.retain(|needle| needle.find(seen.as_bytes()).is_none());
            self.go_on()
        })
    }

    fn go_on(&self) -> ControlFlow<()> {
        if self.missing.is_empty() || (self.is_over)() { Break(()) } else { Continue(()) }
    }
}

#[cfg(test)]
mod tests {
    use std::cell::Cell;

    use super::*;

    fn needles(text: &str) -> Vec<String> {
        TextQuery::parse(text, None).map(|query| query.needles).unwrap_or_default()
    }

    #[test]
    fn words_and_phrases_are_told_apart() {
        for (text, expected) in [
            ("Refund  order", &["refund", "order"][..]),
            ("\"late  Refund\" now", &["late refund", "now"]),
            ("“late refund”", &["late refund"]),
            ("say \"hi", &["say", "\"hi"]),
            ("{\"a\":\"b\"} 5\"", &["{\"a\":\"b\"}", "5\""]),
            ("\"{\"a\": \"b\"}\"", &["{\"a\": \"b\"}"]),
            ("C++ c++ C#", &["c++", "c#"]),
            ("* % ???", &["*", "%", "???"]),
            ("\"", &["\""]),
        ] {
            assert_eq!(needles(text), expected, "{text}");
        }
    }

    #[test]
    fn what_has_nothing_to_look_for_is_no_query() {
        for text in ["", " \t", "\0", "\"\"", "\" \"", "\u{200d}\u{fe0f}", "\u{301}"] {
            assert_eq!(TextQuery::parse(text, None), None, "{text:?}");
        }
    }

    #[test]
    fn everything_must_be_contained_by_some_text() {
        let records = [r#"{"name":"book flight"}"#, r#"{"output":"{\"result\":\"Confirmed\"}"}"#];
        for (query, expected) in [
            ("CONF", true),
            ("flight book irm", true),
            ("\"book flight\"", true),
            ("\"flight book\"", false),
            ("\"flight confirmed\"", false),
            ("book hotel", false),
            ("\"result\":\"conf", true),
        ] {
            assert_eq!(TextQuery::parse(query, None).unwrap().matches(records), expected, "{query}");
        }
        let answers = |text| TextQuery::parse(text, Some(TextField::Answers)).unwrap().matches(records);
        assert!(answers("confirmed") && !answers("book"));
    }

    #[test]
    fn a_search_that_is_over_looks_no_further() {
        let query = TextQuery::parse("needle", None).unwrap();
        let record = serde_json::json!({ "input": format!("{}needle", "hay ".repeat(100_000)) }).to_string();
        let looked = Cell::new(0);
        let is_over = || looked.replace(looked.get() + 1) == 2;
        assert!(!query.search(&is_over).look_at(&record));
        assert_eq!(looked.get(), 3);
        assert!(query.search(&|| false).look_at(&record));
    }

    #[test]
    fn a_text_is_found_across_portions() {
        let record = serde_json::json!({ "input": format!("{}Needle in a haystack{}", "hay ".repeat(8_190), "é".repeat(90_000)) });
        let record = record.to_string();
        let found = |text| TextQuery::parse(text, None).unwrap().matches([&*record]);
        assert!(
            found("\"needle in a haystack\"")
                && found("\"hay needle\"")
                && found("stackeee")
                && !found("needles")
        );
    }
}
