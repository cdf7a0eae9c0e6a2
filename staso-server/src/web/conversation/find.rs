use std::{borrow::Cow, collections::HashMap, ops::Range};

use maud::{Markup, html};

use super::Numbered;
use crate::{
    model::{PageRequest, SpanId, SpanRow, TraceId, WorkspaceId},
    store::{Store, StoreError},
    web::{Link, PageContext, format, span::Record},
};

/// So many spans are searched, the latest turns first.
const MOST_SPANS: usize = 20_000;

/// So many matches are listed.
const MOST_MATCHES: usize = 200;

/// Characters around a match.
const AROUND: usize = 48;

/// The steps of a conversation that carry a text.
pub(super) struct Found {
    /// What was looked for.
    pub(super) text: String,
    matches: Vec<Match>,
    /// The matching spans of each trace.
    spans: HashMap<TraceId, Vec<SpanId>>,
    /// There may be more.
    cut: bool,
}

struct Match {
    turn: u64,
    trace_id: TraceId,
    row: SpanRow,
    place: &'static str,
    excerpt: Excerpt,
}

/// A text around a match.
#[derive(Debug, PartialEq)]
struct Excerpt {
    before: String,
    hit: String,
    after: String,
}

impl Found {
    /// Whether a step of the trace carries the text.
    pub(super) fn is_in(&self, trace_id: &TraceId) -> bool {
        self.spans.contains_key(trace_id)
    }

    /// Whether the step carries the text.
    pub(super) fn has(&self, trace_id: &TraceId, span_id: &SpanId) -> bool {
        self.spans.get(trace_id).is_some_and(|spans| spans.contains(span_id))
    }
}

/// Looks for a text, whatever its letter case, in the names, inputs, outputs and errors of all steps.
pub(super) async fn find(
    store: &dyn Store,
    workspace: WorkspaceId,
    turns: &[Numbered],
    text: &str,
) -> Result<Found, StoreError> {
    let mut found = Found { text: text.to_owned(), matches: Vec::new(), spans: HashMap::new(), cut: false };
    let needle: Vec<char> = text.chars().flat_map(char::to_lowercase).collect();
    let mut left = MOST_SPANS;
    'turns: for turn in turns.iter().rev() {
        let trace_id = &turn.trace.trace_id;
        let mut request = PageRequest::first(500);
        loop {
            let page = store.spans(workspace, trace_id.clone(), request).await?;
            if page.items.len() > left || found.matches.len() >= MOST_MATCHES {
                found.cut = true;
                break 'turns;
            }
            left -= page.items.len();
            for span in page.items {
                let record = Record::of(span.record.get());
                if let Some((place, excerpt)) = first_hit(&span.row, &record, &needle) {
                    found.spans.entry(trace_id.clone()).or_default().push(span.row.span_id.clone());
                    let trace_id = trace_id.clone();
                    found.matches.push(Match { turn: turn.number, trace_id, row: span.row, place, excerpt });
                }
            }
            let Some(next) = page.next else { break };
            request = PageRequest { limit: 500, after: Some(next) };
        }
    }
    found.matches.sort_by_key(|found| (found.turn, found.row.started_at));
    Ok(found)
}

/// The list of what was found, the earliest first.
pub(super) fn results(context: &PageContext, found: &Found, on_page: Range<u64>) -> Markup {
    html! {
        section.results.card #results aria-label="Steps found" {
            p {
                strong {
                    @match found.matches.len() {
                        0 => "No step carries ",
                        1 => "1 step carries ",
                        more => { (more) " steps carry " }
                    }
                }
                q { (found.text) }
                @if found.cut { " " span.muted { "The earliest turns were not searched." } }
            }
            ol {
                @for found in &found.matches {
                    li {
                        a data-goto=(found.row.span_id) data-turn=(found.turn) href=(target(context, found, &on_page)) {
                            span.num { "Turn " (found.turn) } " "
                            (format::kind(found.row.kind)) " " span.name { (found.row.name) }
                            " " span.muted { (found.place) }
                        }
                        p.excerpt { (found.excerpt.before) mark { (found.excerpt.hit) } (found.excerpt.after) }
                    }
                }
            }
        }
    }
}

fn target(context: &PageContext, found: &Match, on_page: &Range<u64>) -> String {
    if on_page.contains(&found.turn) {
        return format!("#turn-{}", found.turn);
    }
    let page = Link::to("/traces").part(found.trace_id.as_str());
    context.link(page.with("span", found.row.span_id.as_str())).to_string()
}

fn first_hit(row: &SpanRow, record: &Record, needle: &[char]) -> Option<(&'static str, Excerpt)> {
    [
        ("name", &row.name),
        ("input", &record.input),
        ("output", &record.output),
        ("error", &record.error_message),
    ]
    .into_iter()
    .find_map(|(place, text)| Some((place, excerpt(&unescaped(text), needle)?)))
}

/// The first place of the needle, which is in lower case, and what stands around it.
fn excerpt(text: &str, needle: &[char]) -> Option<Excerpt> {
    let first = *needle.first()?;
    let (start, end) = text
        .char_indices()
        .filter(|(_, char)| char.to_lowercase().next() == Some(first))
        .find_map(|(start, _)| Some((start, start + hit_length(text.get(start..)?, needle)?)))?;
    let (before, rest) = text.split_at(start);
    let (hit, after) = rest.split_at(end - start);
    let back = before.char_indices().rev().nth(AROUND - 1).map_or(0, |(at, _)| at);
    Some(Excerpt {
        before: format!("{}{}", if back > 0 { "…" } else { "" }, before.get(back..).unwrap_or_default()),
        hit: hit.to_owned(),
        after: after.chars().take(AROUND).collect(),
    })
}

/// How many bytes of the text's start are the needle.
fn hit_length(text: &str, needle: &[char]) -> Option<usize> {
    let mut needle = needle.iter();
    for (at, char) in text.char_indices() {
        for lower in char.to_lowercase() {
            match needle.next() {
                None => return Some(at),
                Some(expected) if *expected != lower => return None,
                Some(_) => {}
            }
        }
    }
    needle.next().is_none().then_some(text.len())
}

/// The text as a reader sees it: senders may write any character of JSON as an escape.
fn unescaped(text: &str) -> Cow<'_, str> {
    if !text.contains('\\') {
        return text.into();
    }
    let mut shown = String::with_capacity(text.len());
    let mut units: Vec<u16> = Vec::new();
    let mut rest = text;
    while let Some(at) = rest.find('\\') {
        let (plain, escape) = rest.split_at(at);
        if !plain.is_empty() {
            flush(&mut units, &mut shown);
        }
        shown.push_str(plain);
        let code = escape.get(2..6).and_then(|digits| u16::from_str_radix(digits, 16).ok());
        if let (Some('u'), Some(unit)) = (escape.chars().nth(1), code) {
            units.push(unit);
            rest = escape.get(6..).unwrap_or_default();
            continue;
        }
        flush(&mut units, &mut shown);
        let mut chars = escape.chars();
        chars.next();
        match chars.next() {
            Some('n' | 'r') => shown.push('\n'),
            Some('t') => shown.push('\t'),
            Some(char) => shown.push(char),
            None => shown.push('\\'),
        }
        rest = chars.as_str();
    }
    flush(&mut units, &mut shown);
    shown.push_str(rest);
    shown.into()
}

/// Writes UTF-16 units that followed each other.
fn flush(units: &mut Vec<u16>, out: &mut String) {
    out.extend(char::decode_utf16(units.drain(..)).map(|char| char.unwrap_or(char::REPLACEMENT_CHARACTER)));
}

#[cfg(test)]
mod tests {
    use super::*;

    #[track_caller]
    fn check(text: &str, needle: &str, expected: Option<(&str, &str, &str)>) {
        let needle: Vec<char> = needle.chars().flat_map(char::to_lowercase).collect();
        let found = excerpt(&unescaped(text), &needle);
        let found = found.map(|found| (found.before, found.hit, found.after));
        let found =
            found.as_ref().map(|(before, hit, after)| (before.as_str(), hit.as_str(), after.as_str()));
        assert_eq!(found, expected, "{text}");
    }

    #[test]
    fn letter_case_does_not_matter() {
        check("Order A-1042 is late", "a-1042", Some(("Order ", "A-1042", " is late")));
        check("STRASSE İstanbul", "i\u{307}st", Some(("STRASSE ", "İst", "anbul")));
        check("nothing", "x", None);
        check("aaab", "aab", Some(("a", "aab", "")));
    }

    #[test]
    fn escapes_of_json_are_read() {
        check(r#"{"city": "M\u00fcnchen"}"#, "münchen", Some(("{\"city\": \"", "München", "\"}")));
        check(r#"{"face": "\ud83d\ude00!"}"#, "😀", Some(("{\"face\": \"", "😀", "!\"}")));
        check(r#"a \"quoted\" word"#, "\"quoted\"", Some(("a ", "\"quoted\"", " word")));
        check(r"broken \ud83d \u00 \", "broken", Some(("", "broken", " \u{fffd} u00 \\")));
    }

    #[test]
    fn only_what_is_near_is_shown() {
        let text = format!("{}needle{}", "ä".repeat(1_000), "ö".repeat(1_000));
        let (before, after) = (format!("…{}", "ä".repeat(AROUND)), "ö".repeat(AROUND));
        check(&text, "needle", Some((&before, "needle", &after)));
    }
}
