use axum::{extract::State, response::Html};
use maud::{Markup, html};

use super::{
    Link, PageContext, PageError, Section, cells, empty, filters::Filters, format, here::Here, layout, list,
};
use crate::{
    http::AppState,
    model::ConversationSummary,
    query::{ConversationParameters, Parameters},
};

/// `GET /conversations`: the list of conversations.
pub(super) async fn show(
    State(state): State<AppState>,
    context: PageContext,
    here: Here,
    Parameters(parameters): Parameters<ConversationParameters>,
) -> Result<Html<String>, PageError> {
    let context = context.section(Section::Conversations).script("live.js");
    let filter = parameters.filter(context.now)?;
    let workspace = context.workspace.id;
    let facets = state.store.facets(workspace).await?;
    let conversations = state.store.conversations(workspace, filter, parameters.page()?).await?;
    let body = html! {
        @if conversations.items.is_empty() && !here.is_filtered() {
            (empty::first_steps(&context, "conversations"))
        } @else {
            (Filters::new(&context, &here)
                .range("all")
                .choice("agent", "All agents", &facets.agents)
                .choice("environment", "All environments", &facets.environments)
                .text("user", "User")
                .flag("failed", "All outcomes", "With failed turns")
                .render())
            (list::live(&here, "conversations", &conversations, &table(&context, &conversations.items)))
        }
    };
    Ok(Html(layout::page(&context, "Conversations", body).into_string()))
}

fn table(context: &PageContext, conversations: &[ConversationSummary]) -> Markup {
    html! {
        table.list {
            thead {
                tr {
                    th scope="col" { "Conversation" }
                    th scope="col" { "User" }
                    th.mid scope="col" { "Agents" }
                    th.wide scope="col" { "Environment" }
                    th.num scope="col" { "Turns" }
                    th.num scope="col" { "Failed" }
                    th.num.wide scope="col" { "Tokens" }
                    th.num.mid scope="col" { "Cost" }
                    th.num.wide scope="col" { "Started" }
                    th.num scope="col" { "Last active" }
                }
            }
            tbody { @for conversation in conversations { (row(context, conversation)) } }
        }
    }
}

fn row(context: &PageContext, conversation: &ConversationSummary) -> Markup {
    let page = context.link(Link::to("/conversations").part(&conversation.conversation_id));
    html! {
        tr data-row data-id=(conversation.conversation_id) {
            td.name { a data-main href=(page) { (conversation.conversation_id) } }
            td { (several(&conversation.users, |name| cells::user(context, name))) }
            td.mid { (several(&conversation.agents, |name| cells::agent(context, name))) }
            td.wide { (several(&conversation.environments, |name| html! { (name) })) }
            td.num { (format::count(conversation.traces)) }
            td.num {
                @if conversation.failed_traces > 0 {
                    span.badge.is-error { "✗ " (format::count(conversation.failed_traces)) }
                } @else {
                    span.none { "0" }
                }
            }
            td.num.wide { (format::tokens(&conversation.tokens)) }
            td.num.mid { (cells::cost(&conversation.cost)) }
            td.num.wide { (format::relative(conversation.started_at, context.now)) }
            td.num { (format::relative(conversation.last_at, context.now)) }
        }
    }
}

/// The first names, and how many more there are.
fn several(names: &[String], show: impl Fn(&str) -> Markup) -> Markup {
    const SHOWN: usize = 2;
    html! {
        @if names.is_empty() { span.none { "–" } }
        @for (index, name) in names.iter().take(SHOWN).enumerate() {
            @if index > 0 { ", " }
            (show(name))
        }
        @if names.len() > SHOWN {
            span.muted title=(names.join(", ")) { " +" (names.len() - SHOWN) }
        }
    }
}
