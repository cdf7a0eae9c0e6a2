use axum::{extract::State, response::Html};
use maud::{Markup, html};

use super::{
    Link, PageContext, PageError, Section, cells, empty, filters::Filters, format, here::Here, layout, list,
};
use crate::{
    http::AppState,
    model::UserSummary,
    query::{Parameters, UserParameters},
};

/// `GET /users`: the end users and what their runs came to.
pub(super) async fn show(
    State(state): State<AppState>,
    context: PageContext,
    here: Here,
    Parameters(parameters): Parameters<UserParameters>,
) -> Result<Html<String>, PageError> {
    let context = context.section(Section::Users).script("live.js");
    let filter = parameters.filter(context.now)?;
    let workspace = context.workspace.id;
    let facets = state.store.facets(workspace).await?;
    let users = state.store.users(workspace, filter, parameters.page()?).await?;
    let body = html! {
        @if users.items.is_empty() && !here.is_filtered() {
            (empty::first_steps(&context, "users"))
        } @else {
            (Filters::new(&context, &here)
                .range("all")
                .choice("agent", "All agents", &facets.agents)
                .choice("environment", "All environments", &facets.environments)
                .choice("model", "All models", &facets.models)
                .render())
            (list::live(&here, "users", &users, &table(&context, &here, &users.items)))
        }
    };
    Ok(Html(layout::page(&context, "Users", body).into_string()))
}

fn table(context: &PageContext, here: &Here, users: &[UserSummary]) -> Markup {
    html! {
        table.list {
            thead {
                tr {
                    th scope="col" { "User" }
                    th.num scope="col" { "Runs" }
                    th.num scope="col" { "Errors" }
                    th.num scope="col" { "p50" }
                    th.num.mid scope="col" { "p95" }
                    th.num.mid scope="col" { "Tokens" }
                    th.num.mid scope="col" { "Cost" }
                    th.num scope="col" { "Last active" }
                    th.mid scope="col" { span.visually-hidden { "More" } }
                }
            }
            tbody { @for user in users { (row(context, here, user)) } }
        }
    }
}

fn row(context: &PageContext, here: &Here, user: &UserSummary) -> Markup {
    let of_user = |path, conditions| {
        let kept = here.kept(conditions, Some("all"));
        context.link(Link::to(path)).with("user", &user.user_id).with_all(kept)
    };
    let measures = &user.measures;
    html! {
        tr data-row data-id=(user.user_id) {
            td.name { a data-main href=(of_user("/traces", &["agent", "environment", "model"])) { (user.user_id) } }
            td.num { (format::count(measures.count)) }
            td.num { (cells::error_rate(measures)) }
            td.num { (cells::quantile(&measures.latency, 0.50)) }
            td.num.mid { (cells::quantile(&measures.latency, 0.95)) }
            td.num.mid { (format::tokens(&measures.tokens)) }
            td.num.mid { (cells::cost(&measures.cost)) }
            td.num { (format::relative(user.last_at, context.now)) }
            td.num.mid { a href=(of_user("/conversations", &["agent", "environment"])) { "Conversations" } " · " a href=(of_user("/", &["environment", "model"])) { "Metrics" } }
        }
    }
}
