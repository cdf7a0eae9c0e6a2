//! What is the same on every page: head, navigation, breadcrumbs.

use axum::{extract::FromRequestParts, http::request::Parts};
use maud::{DOCTYPE, Markup, html};

use super::{Link, PageError};
use crate::{
    http::{AppState, Caller, InWorkspace, Mode},
    model::{Grant, Timestamp, Workspace},
};

/// A place in the navigation.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Section {
    /// Agents and totals.
    Overview,
    /// The list of traces, and each of them.
    Traces,
    /// The list of conversations, and each of them.
    Conversations,
    /// End users.
    Users,
    /// Workspaces and keys.
    Settings,
}

impl Section {
    const ALL: [Self; 5] = [Self::Overview, Self::Traces, Self::Conversations, Self::Users, Self::Settings];

    /// The path of its page, its name, and the key that leads there after `g`.
    const fn entry(self) -> (&'static str, &'static str, &'static str) {
        match self {
            Self::Overview => ("/", "Overview", "o"),
            Self::Traces => ("/traces", "Traces", "t"),
            Self::Conversations => ("/conversations", "Conversations", "c"),
            Self::Users => ("/users", "Users", "u"),
            Self::Settings => ("/settings", "Settings", "s"),
        }
    }

    /// The shape of its icon, on a grid of 16.
    const fn icon(self) -> &'static str {
        match self {
            Self::Overview => "M2.5 13.5v-5M6.2 13.5v-9M9.8 13.5v-6M13.5 13.5v-11",
            Self::Traces => "M2 4h7M4.5 8h8M7 12h7",
            Self::Conversations => "M2.5 3.5h11v7h-6l-3 2.5v-2.5h-2z",
            Self::Users => {
                "M8 7.5a2.6 2.6 0 1 0 0-5.2 2.6 2.6 0 0 0 0 5.2zM2.8 13.7c.4-2.7 2.5-4 5.2-4s4.8 1.3 5.2 4"
            }
            Self::Settings => "M2 4.5h6M12 4.5h2M2 11.5h2M8 11.5h6M10 2.7v3.6M6 9.7v3.6",
        }
    }
}

/// Who looks at which workspace, and where in the dashboard the page is.
///
/// As an extractor it is the workspace of the parameter `workspace`. A page then says where it stands with
/// [`section`](Self::section), [`crumb`](Self::crumb), [`script`](Self::script) and [`style`](Self::style).
#[derive(Clone, Debug)]
pub struct PageContext {
    /// The workspace that the page is about.
    pub workspace: Workspace,
    /// Every workspace that the caller may reach.
    pub workspaces: Vec<Workspace>,
    /// What the caller may reach.
    pub grant: Grant,
    /// Who is trusted.
    pub mode: Mode,
    /// The moment that the page is made for.
    pub now: Timestamp,
    section: Option<Section>,
    crumbs: Vec<(String, Link)>,
    scripts: Vec<&'static str>,
    styles: Vec<&'static str>,
    keys: &'static [(&'static str, &'static str)],
}

/// The keys of pages that are lists.
const LIST_KEYS: &[(&str, &str)] =
    &[("j  k", "Next and previous row"), ("Enter", "Open the row"), ("n", "Show new traces")];

impl PageContext {
    /// A page about this workspace.
    #[must_use]
    pub fn new(workspace: Workspace, workspaces: Vec<Workspace>, grant: Grant, mode: Mode) -> Self {
        Self {
            workspace,
            workspaces,
            grant,
            mode,
            now: Timestamp::now(),
            section: None,
            crumbs: Vec::new(),
            scripts: Vec::new(),
            styles: Vec::new(),
            keys: LIST_KEYS,
        }
    }

    /// Marks an entry of the navigation.
    #[must_use]
    pub fn section(mut self, section: Section) -> Self {
        self.section = Some(section);
        self
    }

    /// Adds a page above this one to the breadcrumbs.
    #[must_use]
    pub fn crumb(mut self, name: impl Into<String>, link: Link) -> Self {
        self.crumbs.push((name.into(), self.link(link)));
        self
    }

    /// Loads an ES module of the assets.
    #[must_use]
    pub fn script(mut self, asset: &'static str) -> Self {
        self.scripts.push(asset);
        self
    }

    /// Loads a style sheet of the assets.
    #[must_use]
    pub fn style(mut self, asset: &'static str) -> Self {
        self.styles.push(asset);
        self
    }

    /// Says which keys this page has of its own, and what they do, instead of those of a list.
    #[must_use]
    pub fn keys(mut self, keys: &'static [(&'static str, &'static str)]) -> Self {
        self.keys = keys;
        self
    }

    /// The link, within this page's workspace.
    #[must_use]
    pub fn link(&self, link: Link) -> Link {
        if self.names_workspace() { link.with("workspace", &self.workspace.slug) } else { link }
    }

    /// Whether links must name the workspace, as it is not the one that a link without it leads to.
    #[must_use]
    pub fn names_workspace(&self) -> bool {
        match &self.grant {
            Grant::Organization => self.workspace.slug != "default",
            Grant::Workspace(_) => false,
        }
    }

    /// Whether the caller may see and change workspaces and keys.
    #[must_use]
    pub fn may_administer(&self) -> bool {
        self.grant == Grant::Organization
    }
}

impl FromRequestParts<AppState> for PageContext {
    type Rejection = PageError;

    async fn from_request_parts(parts: &mut Parts, state: &AppState) -> Result<Self, PageError> {
        let Caller(access) = Caller::from_request_parts(parts, state).await?;
        let InWorkspace(workspace) = InWorkspace::from_request_parts(parts, state).await?;
        let workspaces = match &access.grant {
            Grant::Organization => state.store.workspaces().await?,
            Grant::Workspace(own) => vec![own.clone()],
        };
        Ok(Self::new(workspace, workspaces, access.grant, state.mode))
    }
}

/// A page with the navigation around it.
#[must_use]
pub fn page(context: &PageContext, title: &str, body: Markup) -> Markup {
    let content = html! {
        a.skip href="#main" { "Skip to the content" }
        (sidebar(context))
        div.column {
            header.topbar {
                nav.crumbs aria-label="Breadcrumbs" {
                    ol {
                        @for (name, link) in &context.crumbs {
                            li { a href=(link) { (name) } }
                        }
                        li { h1 aria-current="page" { (title) } }
                    }
                }
                div.topbar-tools {
                    span #live.live hidden role="status" { span.live-dot aria-hidden="true" {} span.live-text { "Live" } }
                }
            }
            main #main tabindex="-1" { (body) }
        }
        (shortcuts(context.keys))
    };
    document(title, &context.styles, &context.scripts, Some(&context.workspace.slug), &content)
}

/// A page without navigation, for those who may not see it.
#[must_use]
pub fn bare(title: &str, body: Markup) -> Markup {
    document(title, &[], &[], None, &html! { main.bare #main { (logo()) (body) } })
}

fn document(
    title: &str,
    styles: &[&str],
    scripts: &[&str],
    workspace: Option<&str>,
    content: &Markup,
) -> Markup {
    html! {
        (DOCTYPE)
        html lang="en" {
            head {
                meta charset="utf-8";
                meta name="viewport" content="width=device-width, initial-scale=1";
                meta name="referrer" content="same-origin";
                title { (title) " · Staso" }
                link rel="icon" type="image/svg+xml" href="/assets/favicon.svg";
                link rel="stylesheet" href="/assets/base.css";
                link rel="stylesheet" href="/assets/app.css";
                link rel="stylesheet" href="/assets/parts.css";
                @for style in styles { link rel="stylesheet" href={ "/assets/" (style) }; }
                script src="/assets/theme.js" {}
                script type="module" src="/assets/app.js" {}
                @for script in scripts { script type="module" src={ "/assets/" (script) } {} }
            }
            body data-workspace=[workspace] { (content) }
        }
    }
}

fn sidebar(context: &PageContext) -> Markup {
    html! {
        header.sidebar {
            a.brand href=(context.link(Link::to("/"))) aria-label="Staso, overview" { (logo()) }
            (workspace_menu(context))
            nav.sections aria-label="Sections" {
                ul {
                    @for section in Section::ALL {
                        @let (path, name, key) = section.entry();
                        @if section != Section::Settings || context.may_administer() {
                            li {
                                a href=(context.link(Link::to(path))) data-key=(key)
                                    aria-current=[(context.section == Some(section)).then_some("page")] {
                                    (icon(section.icon())) span { (name) }
                                }
                            }
                        }
                    }
                }
            }
            div.sidebar-end {
                button.ghost #theme type="button" aria-label="Switch between light and dark" title="Light or dark" {
                    (icon("M8 2.2a5.8 5.8 0 1 0 0 11.6zM8 2.2a5.8 5.8 0 0 1 0 11.6"))
                }
                button.ghost #help type="button" aria-label="Keyboard shortcuts" title="Keyboard shortcuts (?)" { "?" }
                @if context.mode == Mode::Keys {
                    form method="post" action="/logout" { button.ghost type="submit" { "Sign out" } }
                }
            }
        }
    }
}

fn workspace_menu(context: &PageContext) -> Markup {
    let here = context.section.map_or("/", |section| section.entry().0);
    html! {
        details.menu.workspace {
            summary aria-label={ "Workspace " (context.workspace.slug) } {
                span.avatar aria-hidden="true" { (context.workspace.slug.chars().next().unwrap_or('·')) }
                span.workspace-name { (context.workspace.slug) }
                (icon("M4.5 6.5 8 10l3.5-3.5"))
            }
            ul.menu-list {
                @for workspace in &context.workspaces {
                    li {
                        a href=(Link::to(here).with("workspace", &workspace.slug))
                            aria-current=[(workspace.id == context.workspace.id).then_some("true")] {
                            (workspace.slug)
                        }
                    }
                }
            }
        }
    }
}

/// An icon of one path on a grid of 16.
#[must_use]
pub fn icon(path: &str) -> Markup {
    html! {
        svg.icon viewBox="0 0 16 16" width="16" height="16" fill="none" stroke="currentColor"
            stroke-width="1.5" stroke-linecap="round" stroke-linejoin="round" aria-hidden="true" {
            path d=(path) {}
        }
    }
}

fn logo() -> Markup {
    html! {
        span.logo {
            svg viewBox="0 0 20 20" width="20" height="20" aria-hidden="true" {
                rect.logo-a x="1" y="3" width="13" height="3.6" rx="1.8" {}
                rect.logo-b x="5" y="8.2" width="8" height="3.6" rx="1.8" {}
                rect.logo-c x="9" y="13.4" width="10" height="3.6" rx="1.8" {}
            }
            span { "Staso" }
        }
    }
}

fn shortcuts(own: &[(&str, &str)]) -> Markup {
    let everywhere = [
        ("g then o t c u s", "Overview, traces, conversations, users, settings"),
        ("t", "Light or dark"),
        ("?", "This help"),
        ("Esc", "Close, or leave a field"),
    ];
    html! {
        dialog #shortcuts aria-labelledby="shortcuts-title" {
            h2 #shortcuts-title { "Keyboard shortcuts" }
            dl.keys {
                @for (keys, meaning) in std::iter::once(&("/", "Search")).chain(own).chain(&everywhere) {
                    div {
                        dt { @for key in keys.split_whitespace() { @if key == "then" { " then " } @else { kbd { (key) } } } }
                        dd { (meaning) }
                    }
                }
            }
            form method="dialog" { button type="submit" { "Close" } }
        }
    }
}
