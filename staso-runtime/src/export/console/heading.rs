use super::{escape, page::Page, style::Ink, tree::Row, units, view::SpanView};

/// Names the trace, what it belongs to and its totals, on as many lines as that takes.
///
/// Errors are the spans that failed, those that an error passed through too. Tokens are the sum over all spans that know
/// theirs.
pub(super) fn heading<S: SpanView>(page: &mut Page, title: &str, first: &S, rows: &[Row<'_, S>]) {
    page.put(Ink::Dim, title);
    page.put(Ink::Plain, " ");
    page.put(Ink::Plain, &first.trace_id());
    let mut item = |ink, label: &str, value: &str| {
        const BETWEEN: &str = " · ";
        if page.has_room(escape::columns(BETWEEN) + escape::columns(label) + escape::columns(value)) {
            page.put(Ink::Dim, BETWEEN);
        } else {
            page.end_line();
            page.put(Ink::Plain, "  ");
        }
        page.put(Ink::Dim, label);
        page.put(ink, value);
    };
    if let Some(conversation) = first.conversation_id() {
        item(Ink::Plain, "conversation ", conversation);
    }
    if let Some(user) = first.user_id() {
        item(Ink::Plain, "user ", user);
    }
    if !first.agent_name().is_empty() {
        item(Ink::Plain, "agent ", first.agent_name());
    }
    if rows.len() > 1 {
        item(Ink::Dim, "", &format!("{} spans", units::grouped(rows.len() as u64)));
    }
    match rows.iter().filter(|row| row.span.failure().is_some()).count() {
        0 => {}
        1 => item(Ink::Failure, "", "1 error"),
        errors => item(Ink::Failure, "", &format!("{} errors", units::grouped(errors as u64))),
    }
    let usages = rows.iter().filter_map(|row| row.span.usage());
    if let Some(tokens) = usages.map(|usage| usage.total_tokens).reduce(u64::saturating_add) {
        item(Ink::Plain, "", &format!("{} tokens", units::grouped(tokens)));
    }
    page.end_line();
}
