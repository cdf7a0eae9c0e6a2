use maud::{Markup, html};

use super::find::Found;
use crate::{
    model::{SpanKind, TraceStatus, TraceSummary, Turn},
    web::{
        Link, PageContext, format,
        span::{Direction, Gist},
        trace::{Node, Tree, notes, state},
    },
};

/// So many steps of a turn are on the page; the trace's page has all.
const STEPS: usize = 200;

/// So much of a text is shown at once, in bytes.
const SHOWN: usize = 1_500;

/// More of a text than this is left to the trace's page, in bytes.
const LONGEST: usize = 10 << 10;

/// Deeper steps are indented no further.
const DEEPEST: usize = 10;

pub(super) fn turn(context: &PageContext, number: u64, turn: &Turn, found: Option<&Found>) -> Markup {
    let trace = &turn.trace;
    let link = context.link(Link::to("/traces").part(trace.trace_id.as_str()));
    let tree = Tree::of(&turn.steps);
    let hits = found.is_some_and(|found| found.is_in(&trace.trace_id));
    html! {
        li.turn.{ "is-" (trace.status.as_str()) } #{ "turn-" (number) } data-trace=(trace.trace_id)
            data-updated=(trace.updated_at.as_micros()) tabindex="-1" {
            header.turn-head {
                a.turn-number href={ "#turn-" (number) } { "Turn " (number) }
                (format::time(trace.started_at))
                @if trace.status != TraceStatus::Ok { (format::trace_status(trace.status)) }
                span.turn-measures {
                    span.num title="Duration" { (format::duration(trace.duration_micros)) }
                    span.num title="Tokens" { (format::tokens(&trace.tokens)) @if trace.tokens.total > 0 { " tokens" } }
                    span.num title="Cost" { (format::cost(&trace.cost)) }
                    a href=(link) { "Open trace" }
                }
            }
            (bubbles(turn, &link))
            @if !turn.steps.is_empty() {
                details.steps open[trace.errors > 0 || hits] {
                    summary {
                        (steps_of(trace))
                        @if trace.errors > 0 { " " span.failed { (format::count(trace.errors)) " failed" } }
                    }
                    (steps(context, number, trace, &tree, found))
                }
            }
        }
    }
}

fn steps_of(trace: &TraceSummary) -> String {
    if trace.spans == 1 { "1 step".to_owned() } else { format!("{} steps", format::count(trace.spans)) }
}

fn bubbles(turn: &Turn, link: &Link) -> Markup {
    let trace = &turn.trace;
    let asked = Gist::of(&turn.input, Direction::In);
    let answered = Gist::of(&turn.output, Direction::Out);
    let user = if trace.user_id.is_empty() { "In" } else { &trace.user_id };
    let agent = trace.agents.first().map_or("Out", String::as_str);
    html! {
        div.bubbles {
            (bubble("in", user, &asked, &turn.input, link))
            @if let Some(message) = &turn.error_message {
                div.bubble.out.failure[trace.status.is_failure()] {
                    p.who { (agent) " " (format::trace_status(trace.status)) }
                    @if message.is_empty() { p.muted { "Failed without a message" } } @else { (text(message, link)) }
                }
            }
            @if turn.error_message.is_none() || !turn.output.is_empty() {
                (bubble("out", agent, &answered, &turn.output, link))
            }
        }
    }
}

fn bubble(side: &str, who: &str, gist: &Gist, whole: &str, link: &Link) -> Markup {
    html! {
        div.bubble.(side) {
            p.who { (who) }
            @match &gist.text {
                Some(shown) => {
                    (text(shown, link))
                    @if gist.partial { details.whole { summary { "All of it" } (source(whole, link)) } }
                }
                None if gist.partial => (source(whole, link)),
                None => p.none { @if side == "in" { "Nothing recorded" } @else { "No answer recorded" } },
            }
        }
    }
}

/// A text, folded where it is long.
fn text(text: &str, link: &Link) -> Markup {
    if text.len() <= SHOWN {
        return html! { pre.text { (text) } };
    }
    let (start, rest) = text.split_at(text.floor_char_boundary(SHOWN));
    html! {
        pre.text { (start) "…" }
        details { summary { "The rest" } pre.text { (clip(rest)) } (cut(rest, link)) }
    }
}

/// JSON, which a script folds.
fn source(text: &str, link: &Link) -> Markup {
    html! { pre.json data-json { (clip(text)) } (cut(text, link)) }
}

fn clip(text: &str) -> &str {
    text.get(..text.floor_char_boundary(LONGEST)).unwrap_or_default()
}

fn cut(text: &str, link: &Link) -> Markup {
    html! { @if text.len() > LONGEST { p.muted { "Cut here. " a href=(link) { "All of it is in the trace" } } } }
}

fn steps(
    context: &PageContext,
    number: u64,
    trace: &TraceSummary,
    tree: &Tree<'_>,
    found: Option<&Found>,
) -> Markup {
    html! {
        ul {
            @for (index, (node, note)) in tree.nodes.iter().zip(notes(tree)).enumerate().take(STEPS) {
                @let hit = found.is_some_and(|found| found.has(&trace.trace_id, &node.span.span_id));
                @let marks = Marks { hit, cause: is_cause(tree, index) };
                (step(context, number, index, trace, node, note, &marks))
            }
            @if tree.nodes.len() > STEPS || trace.spans > tree.nodes.len() as u64 {
                li.muted {
                    a href=(context.link(Link::to("/traces").part(trace.trace_id.as_str()))) {
                        "All " (format::count(trace.spans)) " steps"
                    }
                }
            }
        }
    }
}

/// What a step is marked with.
struct Marks {
    /// It carries the text that was looked for.
    hit: bool,
    /// A failure began in it.
    cause: bool,
}

fn step(
    context: &PageContext,
    number: u64,
    index: usize,
    trace: &TraceSummary,
    node: &Node<'_>,
    note: &str,
    marks: &Marks,
) -> Markup {
    let span = node.span;
    let page = Link::to("/traces").part(trace.trace_id.as_str());
    let panel = page.clone().part("spans").part(span.span_id.as_str());
    let link = page.with("span", span.span_id.as_str());
    html! {
        li.step.is-hit[marks.hit].is-cause[marks.cause].{ "is-" (state(node, trace.status)) } #{ "step-" (number) "-" (index) } data-span=(span.span_id) {
            a.step-row href=(context.link(link)) data-panel=(context.link(panel)) {
                span.indent.{ "d" (node.depth.min(DEEPEST)) } {}
                span.kind.{ "kind-" (span.kind.as_str()) } title=(span.kind.as_str()) {
                    span.sign aria-hidden="true" { (format::kind_glyph(span.kind)) }
                    span.visually-hidden { (span.kind.as_str()) }
                }
                span.name { (span.name) }
                @if !note.is_empty() { span.note { (note) } }
                @if marks.hit { span.chip { "found" } }
                span.step-end {
                    @if state(node, trace.status) == "running" { (format::trace_status(TraceStatus::Running)) }
                    @else if state(node, trace.status) == "unfinished" { (format::trace_status(TraceStatus::Unfinished)) }
                    @else if span.status.is_failure() { (format::span_status(span.status)) }
                    @if span.kind == SpanKind::Llm { span.num.muted { (tokens(span.tokens.map(|tokens| tokens.total))) } }
                    span.num { (format::duration(span.duration_micros)) }
                }
            }
        }
    }
}

/// Whether the step failed and nothing below it did: where a failure began, as far as the spans tell.
fn is_cause(tree: &Tree<'_>, index: usize) -> bool {
    let Some(node) = tree.nodes.get(index) else { return false };
    let below = tree.nodes.get(index + 1..index + node.size).unwrap_or_default();
    node.span.status.is_failure() && !below.iter().any(|node| node.span.status.is_failure())
}

fn tokens(total: Option<u64>) -> String {
    total
        .filter(|total| *total > 0)
        .map(|total| format!("{} tokens", format::compact(total)))
        .unwrap_or_default()
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::{
        model::{Cost, SpanRow, SpanStatus, Timestamp, Tokens, TraceId},
        web::span::sample,
    };

    fn sample_turn(input: &str, output: &str) -> Turn {
        Turn {
            trace: TraceSummary {
                trace_id: TraceId::new("t1"),
                name: "run".to_owned(),
                status: TraceStatus::Error,
                environment: "default".to_owned(),
                agents: vec!["desk".to_owned()],
                conversation_id: "c1".to_owned(),
                user_id: "ada".to_owned(),
                models: Vec::new(),
                tags: Vec::new(),
                started_at: Timestamp::default(),
                duration_micros: 1_000,
                spans: 1,
                errors: 1,
                tokens: Tokens::default(),
                cost: Cost::default(),
                updated_at: Timestamp::default(),
            },
            input: input.to_owned(),
            output: output.to_owned(),
            error_message: None,
            steps: vec![SpanRow { status: SpanStatus::Error, ..sample::span("s1", None, 0, 5) }],
        }
    }

    fn rendered(sample: &Turn) -> String {
        turn(&sample::context(), 7, sample, None).into_string()
    }

    #[test]
    fn the_words_of_user_and_agent_are_taken_out_of_the_json() {
        let page = rendered(&sample_turn(r#"{"question": "Where?"}"#, r#"{"result": "There."}"#));
        assert!(page.contains(r#"<p class="who">ada</p><pre class="text">Where?</pre>"#), "{page}");
        assert!(page.contains(r#"<p class="who">desk</p><pre class="text">There.</pre>"#), "{page}");
    }

    #[test]
    fn a_failed_turn_says_why_and_shows_its_steps() {
        let mut failed = sample_turn(r#"{"question": "Where?"}"#, "");
        failed.error_message = Some("no such order".to_owned());
        let page = rendered(&failed);
        assert!(page.contains("<pre class=\"text\">no such order</pre>"), "{page}");
        assert!(!page.contains("No answer recorded"));
        assert!(page.contains("<details class=\"steps\" open>"));
    }

    #[test]
    fn a_turn_that_stands_as_ok_shows_its_error_text_and_is_no_failure() {
        let mut forced = sample_turn(r#"{"question": "Where?"}"#, r#"{"result": "There."}"#);
        forced.trace.status = TraceStatus::Ok;
        forced.error_message = Some("card expired".to_owned());
        let page = rendered(&forced);
        assert!(page.contains("<pre class=\"text\">card expired</pre>") && page.contains("There."), "{page}");
        assert!(!page.contains("bubble out failure"), "{page}");
    }

    #[test]
    fn whatever_a_turn_carries_is_escaped() {
        let evil = "\"><script>alert(1)</script><img src=x onerror=alert(1)>";
        let mut turn = sample_turn(evil, evil);
        turn.error_message = Some(evil.to_owned());
        turn.trace.user_id = evil.to_owned();
        turn.trace.agents = vec![evil.to_owned()];
        turn.trace.trace_id = TraceId::new(evil);
        turn.steps = vec![SpanRow {
            name: evil.to_owned(),
            agent: evil.to_owned(),
            model: evil.to_owned(),
            ..sample::span(evil, None, 0, 5)
        }];
        let page = rendered(&turn);
        assert!(!page.contains("<script") && !page.contains("<img"), "{page}");
    }

    #[test]
    fn long_texts_are_folded_and_then_cut_between_characters() {
        let page = rendered(&sample_turn(&"ä".repeat(SHOWN), &format!("[{}]", "1,".repeat(LONGEST))));
        assert!(page.contains("The rest") && page.contains("All of it is in the trace"));
    }
}
