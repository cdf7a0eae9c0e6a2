use axum::{
    Form,
    extract::{Path, State},
    http::StatusCode,
    response::{Html, Redirect},
};
use maud::{Markup, html};
use serde::Deserialize;

use super::{Link, PageContext, PageError, Section, format, layout};
use crate::{
    http::{ApiError, AppState, Mode},
    keys::{self, Secret},
    model::{KeyId, KeyRecord, KeyScope, Slug},
    store::StoreError,
};

/// `GET /settings`: workspaces and keys.
pub(super) async fn show(
    State(state): State<AppState>,
    context: PageContext,
) -> Result<Html<String>, PageError> {
    render(&state, context, &Outcome::default()).await
}

/// What a form that was sent came to.
#[derive(Default)]
struct Outcome {
    new_key: Option<(String, Secret)>,
    mistake: Option<String>,
}

#[derive(Deserialize)]
pub(super) struct NewKeyForm {
    name: String,
    /// A workspace's slug; empty for the whole organization.
    workspace: String,
}

/// `POST /settings/keys`: makes a key and shows it, once.
pub(super) async fn create_key(
    State(state): State<AppState>,
    context: PageContext,
    Form(form): Form<NewKeyForm>,
) -> Result<(StatusCode, Html<String>), PageError> {
    administer(&context)?;
    let name = form.name.trim().to_owned();
    if name.is_empty() || name.chars().count() > 100 {
        let mistake = "A key needs a name of at most 100 characters that says what it is for.";
        return refuse(&state, context, mistake).await;
    }
    let scope = match form.workspace.trim() {
        "" => KeyScope::Organization,
        slug => KeyScope::Workspace(slug.to_owned()),
    };
    let (key, kept) = keys::generate(name.clone(), scope).map_err(|error| {
        ApiError::new(StatusCode::INTERNAL_SERVER_ERROR, "no_randomness", error.to_string())
    })?;
    state.store.create_key(kept).await?;
    let outcome = Outcome { new_key: Some((name, key)), mistake: None };
    Ok((StatusCode::CREATED, render(&state, context, &outcome).await?))
}

/// `POST /settings/keys/{id}/revoke`: makes a key open nothing.
pub(super) async fn revoke_key(
    State(state): State<AppState>,
    context: PageContext,
    Path(id): Path<i64>,
) -> Result<Redirect, PageError> {
    administer(&context)?;
    if !state.store.revoke_key(KeyId(id)).await? {
        return Err(ApiError::not_found("key").into());
    }
    Ok(back(&context))
}

#[derive(Deserialize)]
pub(super) struct NewWorkspaceForm {
    slug: String,
}

/// `POST /settings/workspaces`: makes a workspace.
pub(super) async fn create_workspace(
    State(state): State<AppState>,
    context: PageContext,
    Form(form): Form<NewWorkspaceForm>,
) -> Result<Result<Redirect, (StatusCode, Html<String>)>, PageError> {
    administer(&context)?;
    let slug: Slug = match form.slug.trim().parse() {
        Ok(slug) => slug,
        Err(bad) => {
            let mistake = format!("This name cannot be used: {bad}.");
            return refuse(&state, context, &mistake).await.map(Err);
        }
    };
    match state.store.create_workspace(slug).await {
        Ok(_) => Ok(Ok(back(&context))),
        Err(StoreError::WorkspaceExists(slug)) => {
            refuse(&state, context, &format!("A workspace “{slug}” exists.")).await.map(Err)
        }
        Err(error) => Err(error.into()),
    }
}

fn administer(context: &PageContext) -> Result<(), PageError> {
    if context.may_administer() {
        return Ok(());
    }
    let message = "this key opens one workspace; the settings need a key of the organization";
    Err(ApiError::new(StatusCode::FORBIDDEN, "not_allowed", message).into())
}

fn back(context: &PageContext) -> Redirect {
    Redirect::to(context.link(Link::to("/settings")).as_str())
}

async fn refuse(
    state: &AppState,
    context: PageContext,
    mistake: &str,
) -> Result<(StatusCode, Html<String>), PageError> {
    let outcome = Outcome { new_key: None, mistake: Some(mistake.to_owned()) };
    Ok((StatusCode::UNPROCESSABLE_ENTITY, render(state, context, &outcome).await?))
}

async fn render(
    state: &AppState,
    context: PageContext,
    outcome: &Outcome,
) -> Result<Html<String>, PageError> {
    administer(&context)?;
    let context = context.section(Section::Settings).script("copy.js");
    let keys = state.store.keys().await?;
    let body = html! {
        @if let Some(mistake) = &outcome.mistake { p.notice.is-error role="alert" { (mistake) } }
        @if let Some((name, key)) = &outcome.new_key { (new_key(name, key)) }
        (keys_card(&context, &keys))
        (workspaces_card(&context))
    };
    Ok(Html(layout::page(&context, "Settings", body).into_string()))
}

fn new_key(name: &str, key: &Secret) -> Markup {
    html! {
        section.notice.is-new role="status" {
            h2 { "The key “" (name) "”" }
            p { "Copy it now. It is stored as a hash and cannot be shown again." }
            p.copy-row { code #new-key { (key.expose()) } button type="button" data-copy-text=(key.expose()) { "Copy" } }
            pre { code { "export STASO_API_KEY=" (key.expose()) } }
        }
    }
}

fn keys_card(context: &PageContext, keys: &[KeyRecord]) -> Markup {
    html! {
        section.card {
            div.card-head { h2 { "Keys" } }
            @if context.mode == Mode::Local {
                p.card-note.muted { "This server listens on this machine only and takes any key. Keys count once it runs as " code { "staso serve" } "." }
            }
            form.inline method="post" action=(context.link(Link::to("/settings/keys"))) {
                label.stack { span { "Name" } input type="text" name="name" required maxlength="100" placeholder="production workers" autocomplete="off"; }
                label.stack {
                    span { "Opens" }
                    select name="workspace" {
                        @for workspace in &context.workspaces {
                            option value=(workspace.slug) selected[workspace.id == context.workspace.id] { "Workspace " (workspace.slug) }
                        }
                        option value="" { "The whole organization" }
                    }
                }
                button.primary type="submit" { "Create key" }
            }
            @if keys.is_empty() {
                p.card-note.muted { "No keys yet. Make one here or with " code { "staso key create" } "." }
            } @else {
                div.scroll { (keys_table(context, keys)) }
            }
        }
    }
}

fn keys_table(context: &PageContext, keys: &[KeyRecord]) -> Markup {
    html! {
        table.list {
            thead {
                tr {
                    th scope="col" { "Name" }
                    th scope="col" { "Key" }
                    th scope="col" { "Opens" }
                    th.num.mid scope="col" { "Created" }
                    th.num scope="col" { span.visually-hidden { "Revoke" } }
                }
            }
            tbody {
                @for key in keys {
                    tr.revoked[key.revoked_at.is_some()] {
                        td.name { (key.name) }
                        td.mono { (key.prefix) "…" }
                        td { @match &key.scope { KeyScope::Organization => "Organization", KeyScope::Workspace(slug) => (slug) } }
                        td.num.mid { (format::relative(key.created_at, context.now)) }
                        td.num {
                            @if let Some(revoked_at) = key.revoked_at {
                                span.muted { "revoked " (format::relative(revoked_at, context.now)) }
                            } @else {
                                form method="post" action=(context.link(Link::to("/settings/keys").part(&key.id.0.to_string()).part("revoke")))
                                    data-confirm={ "Revoke the key “" (key.name) "”? What uses it is refused from then on." } {
                                    button.danger type="submit" { "Revoke" }
                                }
                            }
                        }
                    }
                }
            }
        }
    }
}

fn workspaces_card(context: &PageContext) -> Markup {
    html! {
        section.card {
            div.card-head { h2 { "Workspaces" } }
            form.inline method="post" action=(context.link(Link::to("/settings/workspaces"))) {
                label.stack { span { "Name" } input type="text" name="slug" required maxlength="64" placeholder="payments-team" autocomplete="off"; }
                button.primary type="submit" { "Create workspace" }
            }
            table.list {
                thead { tr { th scope="col" { "Workspace" } th.num scope="col" { "Created" } } }
                tbody {
                    @for workspace in &context.workspaces {
                        tr data-row {
                            td.name { a data-main href=(Link::to("/").with("workspace", &workspace.slug)) { (workspace.slug) } }
                            td.num {
                                @if workspace.created_at.as_micros() == 0 { span.none { "from the start" } }
                                @else { (format::relative(workspace.created_at, context.now)) }
                            }
                        }
                    }
                }
            }
        }
    }
}
