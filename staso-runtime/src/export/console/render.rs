use super::{
    guides::Guides,
    heading::heading,
    page::Page,
    span_lines::span_lines,
    style::{Ink, Style},
    tree,
    view::SpanView,
};
use crate::{
    annotation::{Annotation, AnnotationValue},
    record::TraceId,
};

/// Draws the spans of one trace as a tree, with a heading above and an empty line below.
///
/// ```text
/// trace c931d6ba-7556-d4da-590b-842753685e5a · agent support-bot · 2 spans · 2 errors
///   1.24 s  ✗ support_agent  agent  error
///           │  in   {"message":"Where is my order?"}
///  12.0 ms  └─ ✗ refund  tool  error
///                 in   {"order":1042}
///                 ✗ PaymentError: card expired
/// ```
///
/// Without a root that has ended, the trace is called unfinished.
pub fn render<S: SpanView>(spans: &[S], style: &Style) -> String {
    let ended = spans.iter().any(|span| span.is_local_root() && !span.is_provisional());
    render_as(if ended { "trace" } else { "unfinished trace" }, spans, style)
}

/// Draws the spans of one trace under a title, such as `running trace`.
pub fn render_as<S: SpanView>(title: &str, spans: &[S], style: &Style) -> String {
    draw(title, spans, style)
}

/// Draws spans of a trace that was drawn before.
pub fn render_late<S: SpanView>(spans: &[S], style: &Style) -> String {
    draw("late spans of trace", spans, style)
}

fn draw<S: SpanView>(title: &str, spans: &[S], style: &Style) -> String {
    let rows = tree::rows(spans);
    let Some(first) = rows.first() else { return String::new() };
    let mut page = Page::new(style);
    heading(&mut page, title, first.span, &rows);
    let mut guides = Guides::new(style);
    for row in &rows {
        guides.enter(row);
        span_lines(&mut page, &guides, row);
    }
    page.end_line();
    page.into_text()
}

/// What was said of a trace or one of its spans.
pub(super) fn annotation_text(trace_id: TraceId, annotation: &Annotation, style: &Style) -> String {
    let value = match annotation.value() {
        AnnotationValue::Integer(value) => value.to_string(),
        AnnotationValue::Number(value) => value.to_string(),
        AnnotationValue::Boolean(value) => value.to_string(),
        AnnotationValue::Category(value) => value.clone(),
    };
    let mut page = Page::new(style);
    page.put(Ink::Dim, "annotation of trace ");
    page.put(Ink::Plain, &trace_id.to_string());
    page.end_line();
    if let Some(span_id) = annotation.span_id() {
        page.put(Ink::Dim, "  span ");
        page.put(Ink::Plain, &span_id.to_string());
        page.end_line();
    }
    page.put(Ink::Plain, "  ");
    page.put(Ink::Bold, annotation.name());
    page.put(Ink::Plain, "  ");
    page.put(Ink::Plain, &value);
    if let Some(comment) = annotation.comment_text() {
        page.put(Ink::Dim, "  ");
        page.put(Ink::Dim, comment);
    }
    page.end_line();
    page.end_line();
    page.into_text()
}

#[cfg(test)]
mod tests {
    use std::time::Duration;

    use proptest::prelude::*;

    use super::{
        super::{
            escape,
            fixture::{Draft, agent, tool, trace_id},
        },
        *,
    };
    use crate::record::{Entry, SpanKind, SpanRecord, SpanStatus, Usage};

    const PLAIN: Style = Style { color: false, width: 100 };

    fn records(drafts: impl IntoIterator<Item = Draft>) -> Vec<SpanRecord> {
        drafts.into_iter().map(Draft::record).collect()
    }

    /// The expected picture begins on the line after the quote.
    fn check(style: &Style, drafts: Vec<Draft>, expected: &str) {
        let picture = render(&records(drafts), style);
        assert_eq!(format!("\n{picture}"), expected, "\n{picture}");
    }

    fn support_run() -> Vec<Draft> {
        let millis = Duration::from_millis;
        vec![
            Draft::new("search_docs", SpanKind::Retriever)
                .id(3)
                .parent(2)
                .at(5)
                .lasting(Duration::from_micros(3_100))
                .with(Entry::Arguments(r#"{"query":"order status"}"#))
                .with(Entry::Returned(r#"["shipping.md#tracking","faq.md"]"#)),
            Draft::new("plan", SpanKind::Chain).id(2).parent(1).at(2).lasting(millis(9)),
            Draft::new("chat", SpanKind::Llm)
                .id(4)
                .parent(1)
                .at(20)
                .lasting(millis(840))
                .with(Entry::Model("claude-sonnet-4"))
                .with(Entry::Usage(Usage::new(1_187, 345))),
            tool("refund")
                .id(5)
                .parent(1)
                .at(900)
                .lasting(millis(12))
                .with(Entry::Arguments(r#"{"order":1042,"amount":20.0}"#))
                .with(Entry::Metadata { key: "attempt", json: "2" })
                .with(Entry::Metadata { key: "team", json: "\"billing\"" })
                .with(Entry::Label("tier-1"))
                .failing("PaymentError", "card expired"),
            agent("support_agent")
                .lasting(millis(1_240))
                .conversation("conv-42", "alice")
                .with(Entry::Arguments(r#"{"message":"Where is my order 1042?"}"#))
                .with(Entry::Returned("\"It ships on Friday.\"")),
        ]
    }

    #[test]
    fn a_trace_is_a_tree_with_times_kinds_payloads_and_errors() {
        check(
            &PLAIN,
            support_run(),
            r#"
trace 00000000-0000-0000-0000-000000000001 · conversation conv-42 · user alice · agent support-bot
  5 spans · 1 error · 1,532 tokens
  1.24 s  ● support_agent  agent  ok
          │  in   {"message":"Where is my order 1042?"}
          │  out  "It ships on Friday."
 9.00 ms  ├─ ○ plan  chain
 3.10 ms  │  └─ ◆ search_docs  retriever
          │        in   {"query":"order status"}
          │        out  ["shipping.md#tracking","faq.md"]
  840 ms  ├─ ◇ chat  llm  claude-sonnet-4  1,187 → 345 tokens
 12.0 ms  └─ ✗ refund  tool  error  #tier-1
                in   {"order":1042,"amount":20.0}
                meta attempt 2 · team "billing"
                ✗ PaymentError: card expired

"#,
        );
    }

    #[test]
    fn a_narrow_terminal_gets_shorter_lines() {
        check(
            &Style { width: 44, ..PLAIN },
            support_run(),
            r#"
trace 00000000-0000-0000-0000-000000000001
  conversation conv-42 · user alice
  agent support-bot · 5 spans · 1 error
  1,532 tokens
  1.24 s  ● support_agent  agent  ok
          │  in   {"message":"Where is my o…
          │  out  "It ships on Friday."
 9.00 ms  ├─ ○ plan  chain
 3.10 ms  │  └─ ◆ search_docs  retriever
          │        in   {"query":"order sta…
          │        out  ["shipping.md#track…
  840 ms  ├─ ◇ chat  llm  claude-sonnet-4  …
 12.0 ms  └─ ✗ refund  tool  error  #tier-1
                in   {"order":1042,"amount"…
                meta attempt 2 · team "bill…
                ✗ PaymentError: card expire…

"#,
        );
    }

    #[test]
    fn colour_sets_kinds_and_errors_apart() {
        let style = Style { color: true, ..PLAIN };
        let run = vec![agent("a"), tool("t").id(2).parent(1).failing("E", "x")];
        let picture = render(&records(run), &style);
        let expected = "\
            <2mtrace<0m 00000000-0000-0000-0000-000000000001<2m · <0m<2magent <0msupport-bot\
            <2m · <0m<2m2 spans<0m<2m · <0m<1;31m1 error<0m\n\
            <2m 1.00 ms  <0m<35m●<0m <1ma<0m  <2magent<0m  <32mok<0m\n\
            <2m 1.00 ms  <0m<2m└─ <0m<1;31m✗<0m <1;31mt<0m  <2mtool<0m  <1;31merror<0m\n\
            \u{20}               <1;31m✗ <0m<1;31mE: x<0m\n\n";
        assert_eq!(picture.replace("\u{1b}[", "<"), expected);
    }

    #[test]
    fn an_error_is_told_where_it_happened_not_where_it_passed_through() {
        check(
            &PLAIN,
            vec![
                agent("root").failing("Declined", "card expired"),
                tool("refund").id(2).parent(1).failing("Declined", "card expired"),
                tool("search")
                    .id(3)
                    .parent(1)
                    .at(1)
                    .with(Entry::Status(SpanStatus::Timeout, "took too long")),
                tool("audit")
                    .id(4)
                    .parent(1)
                    .at(2)
                    .with(Entry::Error { type_name: "cancelled", message: None }),
            ],
            "
trace 00000000-0000-0000-0000-000000000001 · agent support-bot · 4 spans · 4 errors
 1.00 ms  ✗ root  agent  error
 1.00 ms  ├─ ✗ refund  tool  error
          │     ✗ Declined: card expired
 1.00 ms  ├─ ✗ search  tool  timeout
          │     ✗ took too long
 1.00 ms  └─ ✗ audit  tool  error
                ✗ cancelled

",
        );
    }

    #[test]
    fn spans_without_their_parent_are_marked() {
        check(
            &PLAIN,
            vec![agent("root"), tool("lost").id(2).parent(99)],
            "
trace 00000000-0000-0000-0000-000000000001 · agent support-bot · 2 spans
 1.00 ms  ● root  agent  ok
 1.00 ms  └─ ■ lost  tool  (parent missing)

",
        );
    }

    #[test]
    fn a_trace_whose_root_has_not_ended_is_called_unfinished() {
        check(
            &PLAIN,
            vec![agent("root").provisional(), tool("t").id(2).parent(1)],
            "
unfinished trace 00000000-0000-0000-0000-000000000001 · agent support-bot · 2 spans
       …  ● root  agent  running
 1.00 ms  └─ ■ t  tool

",
        );
        check(
            &PLAIN,
            vec![tool("a").id(2).parent(1), tool("b").id(3).parent(1)],
            "
unfinished trace 00000000-0000-0000-0000-000000000001 · agent support-bot · 2 spans
 1.00 ms  ■ a  tool
 1.00 ms  ■ b  tool

",
        );
        assert_eq!(render::<SpanRecord>(&[], &PLAIN), "");
    }

    #[test]
    fn what_would_command_the_terminal_is_shown_as_text() {
        check(
            &PLAIN,
            vec![
                agent("a\u{1b}[2Jb")
                    .conversation("c\r\nd", "\u{202e}ecila")
                    .with(Entry::Input("\"\u{1b}]8;;http://evil\u{7}x\u{1b}]8;;\u{7}\""))
                    .with(Entry::Label("t\u{2066}"))
                    .failing("E\u{9b}31m", "1\n2\rok"),
            ],
            r#"
trace 00000000-0000-0000-0000-000000000001 · conversation c\r\nd · user \u{202e}ecila
  agent support-bot · 1 error
 1.00 ms  ✗ a\u{1b}[2Jb  agent  error  #t\u{2066}
             in   "\u{1b}]8;;http://evil\u{7}x\u{1b}]8;;\u{7}"
             ✗ E\u{9b}31m: 1\n2\rok

"#,
        );
    }

    #[test]
    fn deep_spans_are_not_indented_for_ever() {
        let nested = (2..=6).map(|id| tool("t").id(id).parent(id - 1).at(id).with(Entry::Input("1")));
        check(
            &Style { width: 24, ..PLAIN },
            [agent("root")].into_iter().chain(nested).collect(),
            "
trace 00000000-0000-000…
  agent support-bot
  6 spans
 1.00 ms  ● root  agent…
 1.00 ms  └─ ■ t  tool
             │  in   1
 1.00 ms     └─ ■ t  to…
                │  in  …
 1.00 ms        └─ ■ t …
                   │  i…
 1.00 ms           └─ ■…
                      │…
 1.00 ms              ┆…
                      \u{20}…

",
        );
    }

    #[test]
    fn a_hundred_thousand_nested_spans_are_drawn() {
        let nested = (2..=100_000).map(|id| tool("t").id(id).parent(id - 1).at(id));
        let picture = render(&records([agent("root")].into_iter().chain(nested)), &PLAIN);
        let indentation = format!(" 1.00 ms  {}┆  ■ t  tool  (depth 99999)\n\n", "   ".repeat(16));
        assert!(picture.ends_with(&indentation));
        assert_eq!(picture.lines().count(), 100_002);
    }

    fn is_hostile(char: char) -> bool {
        let control = char.is_control() && char != '\n';
        control
            || "\u{200e}\u{200f}\u{202a}\u{202b}\u{202c}\u{202d}\u{202e}\u{2066}\u{2067}\u{2068}\u{2069}"
                .contains(char)
    }

    /// Any text, with a good share of what is hostile.
    fn text() -> impl Strategy<Value = String> {
        let char =
            prop_oneof![any::<char>(), prop::char::range('\0', '\u{a0}'), Just('\u{202e}'), Just('\n')];
        prop::collection::vec(char, 0..80).prop_map(String::from_iter)
    }

    proptest! {
        #[test]
        fn whatever_a_span_carries_the_picture_is_plain_lines_that_fit(
            texts in prop::array::uniform8(text()),
            width in 40_usize..200,
        ) {
            let [name, input, output, key, message, label, model, user] = &texts;
            let spans = records([
                agent(name).conversation(model, user).with(Entry::Input(input)),
                tool(name)
                    .id(2)
                    .parent(1)
                    .with(Entry::Output(output))
                    .with(Entry::Metadata { key, json: input })
                    .with(Entry::Label(label))
                    .with(Entry::Model(model))
                    .failing(label, message),
            ]);
            let picture = render(&spans, &Style { width, ..PLAIN });
            prop_assert!(!picture.contains(is_hostile), "{picture:?}");
            for line in picture.lines() {
                prop_assert!(escape::columns(line) <= width, "{line:?}");
            }
        }
    }

    #[test]
    fn an_annotation_names_what_it_is_about() {
        let span_id = tool("t").record().span_id();
        let annotation =
            Annotation::new("verdict", "go\u{1b}od").comment("one turn").on(trace_id(1), Some(span_id));
        assert_eq!(
            annotation_text(trace_id(1), &annotation, &PLAIN),
            "\
annotation of trace 00000000-0000-0000-0000-000000000001
  span 00000000-0000-0000-0000-000000000001
  verdict  go\\u{1b}od  one turn

"
        );
    }
}
