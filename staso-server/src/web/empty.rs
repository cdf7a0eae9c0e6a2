//! What a page says that has nothing to show: what to type to fill it.

use maud::{Markup, html};

use super::{PageContext, here::Here};
use crate::http::Mode;

const QUICK_START: &str = r#"#[staso::tool]
fn look_up_order(id: u32) -> Result<String, std::io::Error> {
    Ok(format!("order {id} is on its way"))
}

#[staso::agent]
fn support_bot(question: &str) -> Result<String, std::io::Error> {
    look_up_order(1042)
}

fn main() -> Result<(), Box<dyn std::error::Error>> {
    let _staso = staso::init()?;
    staso::conversation!("conv-42", user_id = "user-alice", {
        support_bot("Where is my order?")?
    });
    Ok(())
}"#;

/// Nothing matches the conditions.
pub(super) fn no_match(what: &str, here: &Here) -> Markup {
    html! {
        div.empty {
            h2 { "No " (what) " match" }
            p.muted { "Nothing in this workspace meets all of the conditions above." }
            p { a.button href=(here.unfiltered()) { "Clear the conditions" } }
        }
    }
}

/// Nothing happened in the range, though it did before.
pub(super) fn not_in_range(what: &str, here: &Here) -> Markup {
    html! {
        div.empty {
            h2 { "No " (what) " in this time range" }
            p.muted { "There are earlier ones." }
            p { a.button href=(here.with("since", "all")) { "Show all time" } }
        }
    }
}

/// Nothing has ever arrived.
pub(super) fn first_steps(context: &PageContext, what: &str) -> Markup {
    html! {
        section.card.first-steps data-live="whole" {
            h2 { "No " (what) " yet in the workspace " code { (context.workspace.slug) } }
            p.muted { "This page fills by itself as soon as something arrives." }
            ol {
                li {
                    h3 { "Mark what your agent does" }
                    pre { code {
                        (QUICK_START)
                    } }
                }
                li {
                    h3 { "Run it" }
                    @if context.mode == Mode::Local {
                        pre { code { "staso dev -- cargo run" } }
                        p.muted {
                            "This starts your program with a backend of its own. To send to the one that you are looking at:"
                        }
                    }
                    (run_it(context))
                    p.muted { "Any program with a Staso SDK works, those in Python too." }
                }
            }
        }
    }
}

fn run_it(context: &PageContext) -> Markup {
    let key = if context.mode == Mode::Local { "local" } else { "<a key from the settings>" };
    html! {
        pre { code {
            "export STASO_BASE_URL=" span data-origin { "<the address of this page>" } "\n"
            "export STASO_API_KEY=" (key) "\n"
            "export STASO_AGENT_NAME=support-bot\n"
            @if context.workspace.slug != "default" {
                "export STASO_WORKSPACE_SLUG=" (context.workspace.slug) "\n"
            }
            "cargo run"
        } }
    }
}
