//! The page of one conversation: its turns in order, each with what came in, what went out and its steps.

mod find;
mod strip;
mod turn;

use axum::{
    extract::{Path, Query, State},
    response::Html,
};
use maud::{Markup, html};
use serde::Deserialize;

use super::{Link, PageContext, PageError, Section, format, layout};
use crate::{
    http::{ApiError, AppState},
    model::{
        Conversation, ConversationSummary, Cursor, PageRequest, TraceFilter, TraceSort, TraceSummary,
        WorkspaceId, name_in_index,
    },
    store::turns_from,
};
use find::Found;

/// Turns on a page.
const TURNS: usize = 25;

/// Turns on the timeline, and turns that are searched.
const OVERVIEW: usize = 500;

/// What `conversation.js` listens to.
const KEYS: &[(&str, &str)] =
    &[("n p", "Next and previous error"), ("f", "Find the marked text in every step")];

/// Which part of the conversation, and what to look for in it.
#[derive(Debug, Default, Deserialize)]
pub(super) struct Part {
    after: Option<String>,
    /// The number of the first turn behind `after`.
    turn: Option<u64>,
    find: Option<String>,
}

/// `GET /conversations/{id}?after=&turn=&find=`
pub(super) async fn page(
    State(state): State<AppState>,
    context: PageContext,
    Path(id): Path<String>,
    Query(part): Query<Part>,
) -> Result<Html<String>, PageError> {
    let workspace = context.workspace.id;
    let id = name_in_index(&id).to_owned();
    let wanted = part.turn.unwrap_or(1).max(1);
    let begin = match part.after.filter(|after| !after.is_empty()) {
        Some(after) => Some((Cursor::new(after), wanted)),
        None => page_with(&state, workspace, &id, wanted).await?,
    };
    let (after, first) = begin.map_or((None, 1), |(after, first)| (Some(after), first));
    let turns = PageRequest { limit: TURNS, after };
    let conversation = state.store.conversation(workspace, id.clone(), turns).await?;
    let conversation = conversation.ok_or_else(|| ApiError::not_found("conversation"))?;

    let filter = TraceFilter { conversation: Some(id), ..TraceFilter::default() };
    let newest =
        state.store.traces(workspace, filter, TraceSort::Newest, PageRequest::first(OVERVIEW)).await?;
    let overview = numbered(newest.items, conversation.summary.traces);
    let text = part.find.as_deref().map(str::trim).filter(|text| !text.is_empty());
    let found = match text {
        Some(text) => Some(find::find(state.store.as_ref(), workspace, &overview, text).await?),
        None => None,
    };

    let context = context
        .section(Section::Conversations)
        .crumb("Conversations", Link::to("/conversations"))
        .style("span.css")
        .style("conversation.css")
        .script("conversation.js")
        .keys(KEYS);
    let title = format!("Conversation {}", conversation.summary.conversation_id);
    let body = body(&context, &conversation, &overview, first, found.as_ref());
    Ok(Html(layout::page(&context, &title, body).into_string()))
}

/// Where the page that has a turn begins, and the number of its first turn; `None` for the first page.
async fn page_with(
    state: &AppState,
    workspace: WorkspaceId,
    id: &str,
    turn: u64,
) -> Result<Option<(Cursor, u64)>, PageError> {
    /// Pages of traces that are gone through for a turn that is far from the end.
    const FURTHEST: usize = 40;
    let length = TURNS as u64;
    if turn <= length {
        return Ok(None);
    }
    let Some(known) = state.store.conversation(workspace, id.to_owned(), PageRequest::first(1)).await? else {
        return Ok(None);
    };
    let total = known.summary.traces;
    let first = (turn.min(total).max(1) - 1) / length * length + 1;
    let mut back = usize::try_from(total - first).unwrap_or(usize::MAX);
    let mut page = PageRequest::first(OVERVIEW);
    for _ in 0..FURTHEST {
        let filter = TraceFilter { conversation: Some(id.to_owned()), ..TraceFilter::default() };
        let traces = state.store.traces(workspace, filter, TraceSort::Newest, page).await?;
        if let Some(trace) = traces.items.get(back) {
            let at_once =
                traces.items.iter().skip(back + 1).take_while(|other| other.started_at == trace.started_at);
            // A turn that has arrived since may stand before these.
            let number = first.saturating_sub(at_once.count() as u64).max(1);
            return Ok(Some((turns_from(trace.started_at), number)));
        }
        let Some(next) = traces.next else { break };
        back -= traces.items.len();
        page = PageRequest { after: Some(next), ..PageRequest::first(OVERVIEW) };
    }
    Ok(None)
}

/// A turn and its place in the conversation, from 1.
struct Numbered {
    number: u64,
    trace: TraceSummary,
}

/// Numbers the newest traces of a conversation and puts them in order.
fn numbered(newest: Vec<TraceSummary>, total: u64) -> Vec<Numbered> {
    let total = total.max(newest.len() as u64);
    let mut turns: Vec<Numbered> =
        (0..).zip(newest).map(|(back, trace)| Numbered { number: total - back, trace }).collect();
    turns.reverse();
    turns
}

fn body(
    context: &PageContext,
    conversation: &Conversation,
    overview: &[Numbered],
    first: u64,
    found: Option<&Found>,
) -> Markup {
    let summary = &conversation.summary;
    let here = || Link::to("/conversations").part(&summary.conversation_id);
    let turns = &conversation.turns;
    let behind = first + turns.items.len() as u64;
    html! {
        (heading(context, summary))
        (strip::strip(context, summary, overview, first..behind))
        div.finder {
            form.find method="get" action=(here()) role="search" {
                @if context.names_workspace() {
                    input type="hidden" name="workspace" value=(context.workspace.slug);
                }
                input #find type="search" name="find" value=[found.map(|found| &found.text)]
                    placeholder="Find a value in every step" aria-label="Find a value in the inputs and outputs of every step";
                button type="submit" title="Mark a value anywhere on the page and press f" { "Find" }
            }
            div.jumps {
                button #previous-error type="button" title="Previous error (p)" { "↑ Previous error" }
                button #next-error type="button" title="Next error (n)" { "↓ Next error" }
            }
        }
        @if let Some(found) = found { (find::results(context, found, first..behind)) }
        @if first > 1 {
            p.more { a.button href=(turn_link(context, summary, first - 1)) { "Show earlier turns" } }
        }
        ol.turns #turns data-conversation=(summary.conversation_id) {
            @for (number, turn) in (first..).zip(&turns.items) {
                (turn::turn(context, number, turn, found))
            }
        }
        @if let Some(next) = &turns.next {
            p.more #more {
                a.button href=(context.link(here().with("after", next.as_str()).with("turn", &behind.to_string()))) {
                    "Show more turns"
                }
                " " a href=(turn_link(context, summary, summary.traces)) { "Last turn" }
                " " span.muted { (format::count(behind - 1)) " of " (format::count(summary.traces)) }
            }
        }
    }
}

/// The page with a turn, at that turn.
fn turn_link(context: &PageContext, summary: &ConversationSummary, number: u64) -> String {
    let page = Link::to("/conversations").part(&summary.conversation_id).with("turn", &number.to_string());
    format!("{}#turn-{number}", context.link(page))
}

fn heading(context: &PageContext, summary: &ConversationSummary) -> Markup {
    let list = |name, value: &str| context.link(Link::to("/traces").with(name, value));
    html! {
        section.summary.card #summary aria-label="Summary" {
            dl {
                div {
                    dt { "Turns" }
                    dd.num {
                        (format::count(summary.traces))
                        @if summary.failed_traces > 0 {
                            " " span.failed { (format::count(summary.failed_traces)) " failed" }
                        }
                    }
                }
                div { dt { "Began" } dd { (format::time(summary.started_at)) } }
                div { dt { "Last turn" } dd { (format::relative(summary.last_at, context.now)) } }
                div { dt { "Tokens" } dd.num { (format::tokens(&summary.tokens)) } }
                div { dt { "Cost" } dd.num { (format::cost(&summary.cost)) } }
                @if !summary.users.is_empty() {
                    div { dt { @if summary.users.len() == 1 { "User" } @else { "Users" } }
                        dd.short { (links(&summary.users, |user| list("user", user))) } }
                }
                @if !summary.agents.is_empty() {
                    div { dt { @if summary.agents.len() == 1 { "Agent" } @else { "Agents" } }
                        dd.short { (links(&summary.agents, |agent| context.link(Link::to("/agents").part(agent)))) } }
                }
                @if !summary.environments.is_empty() {
                    div { dt { "Environment" }
                        dd.short { (links(&summary.environments, |name| list("environment", name))) } }
                }
                div {
                    dt { "Conversation" }
                    dd.mono.short {
                        span title=(summary.conversation_id) { (summary.conversation_id) }
                        button.ghost.small type="button" data-copy-text=(summary.conversation_id) { "Copy" }
                    }
                }
            }
        }
    }
}

fn links(names: &[String], link: impl Fn(&str) -> Link) -> Markup {
    html! {
        @for (index, name) in names.iter().enumerate() {
            @if index > 0 { ", " }
            a href=(link(name)) { (name) }
        }
    }
}
