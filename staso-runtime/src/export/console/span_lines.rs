use super::{guides::Guides, page::Page, payload, style::Ink, tree::Row, units, view::SpanView};
use crate::record::SpanKind;

/// `100h 02m` fits.
const DURATION_COLUMNS: usize = 8;

/// Puts a span on its own line, and what it carries on the lines below.
pub(super) fn span_lines<S: SpanView>(page: &mut Page, guides: &Guides, row: &Row<'_, S>) {
    span_line(page, guides, row);
    for (label, ink, text) in details(row) {
        page.put(Ink::Plain, &" ".repeat(DURATION_COLUMNS + 2));
        guides.put_below(page, row);
        page.put(if ink == Ink::Failure { ink } else { Ink::Dim }, label);
        page.put(ink, &text);
        page.end_line();
    }
}

fn span_line<S: SpanView>(page: &mut Page, guides: &Guides, row: &Row<'_, S>) {
    let Row { span, .. } = *row;
    let running = span.is_provisional();
    let failure = span.failure();
    let failed = failure.is_some();
    let duration = if running { "…".to_owned() } else { units::duration(span.duration()) };
    page.put(Ink::Dim, &format!("{duration:>DURATION_COLUMNS$}  "));
    guides.put_before(page, row);
    page.put(if failed { Ink::Failure } else { Ink::Symbol(span.kind()) }, symbol(span));
    page.put(Ink::Plain, " ");
    page.put(if failed { Ink::Failure } else { Ink::Bold }, span.name());
    let mut word = |ink, text: &str| {
        page.put(Ink::Plain, "  ");
        page.put(ink, text);
    };
    word(Ink::Dim, span.kind().as_str());
    if let Some(failure) = failure {
        word(Ink::Failure, failure);
    } else if running {
        word(Ink::Running, span.standing());
    } else if span.standing() != "ok" {
        word(Ink::Plain, span.standing());
    } else if span.is_local_root() {
        word(Ink::Success, "ok");
    }
    if let Some(model) = span.model() {
        word(Ink::Plain, model);
    }
    if let Some(usage) = span.usage() {
        let (input, output) = (units::grouped(usage.input_tokens), units::grouped(usage.output_tokens));
        word(Ink::Plain, &format!("{input} → {output} tokens"));
    }
    for tag in span.tags() {
        word(Ink::Dim, &format!("#{tag}"));
    }
    if row.orphan && row.depth > 0 {
        word(Ink::Dim, "(parent missing)");
    }
    if guides.is_too_deep(row) {
        word(Ink::Dim, &format!("(depth {})", row.depth));
    }
    page.end_line();
}

/// The lines below a span's own: label, colour and text.
fn details<S: SpanView>(row: &Row<'_, S>) -> Vec<(&'static str, Ink, String)> {
    let Row { span, .. } = *row;
    let mut details = Vec::new();
    if let Some(input) = payload::input(span) {
        details.push(("in   ", Ink::Plain, input.into_owned()));
    }
    if let Some(output) = payload::output(span) {
        details.push(("out  ", Ink::Plain, output.into_owned()));
    }
    let metadata: Vec<_> = span.metadata().map(|(key, json)| format!("{key} {json}")).collect();
    if !metadata.is_empty() {
        details.push(("meta ", Ink::Plain, metadata.join(" · ")));
    }
    if !row.error_from_below {
        let message = span.error_message().filter(|message| !message.is_empty());
        let failed = span.failure().is_some();
        let error = match (span.exception_type(), message) {
            (Some(type_name), Some(message)) => Some(format!("{type_name}: {message}")),
            (Some(text), None) | (None, Some(text)) => Some(text.to_owned()),
            (None, None) => None,
        };
        if let Some(error) = error {
            details.push(if failed { ("✗ ", Ink::Failure, error) } else { ("note ", Ink::Plain, error) });
        }
    }
    details
}

fn symbol(span: &impl SpanView) -> &'static str {
    if span.failure().is_some() {
        return "✗";
    }
    match span.kind() {
        SpanKind::Agent => "●",
        SpanKind::Tool => "■",
        SpanKind::Llm => "◇",
        SpanKind::Retriever => "◆",
        SpanKind::Chain => "○",
        SpanKind::Custom => "□",
    }
}
