//! Categories of content that are not captured: one program, with every setting.

use serde_json::json;
use staso::{Capture, Category, Span, SpanKind};

use crate::{
    compare::Golden,
    errors::ValueError,
    harness::{Process, builder, check_with, settings},
};

fn program() {
    #[staso::tool(metadata(mine = 1))]
    fn t(x: u32) -> &'static str {
        assert_eq!(x, 1);
        "tool-out"
    }

    #[staso::trace(name = "my_chain")]
    fn c(x: u32) -> &'static str {
        t(x)
    }

    #[staso::agent(name = "cap_agent", tags = ["a"], metadata(custom = "v"))]
    fn a(q: &str) -> &'static str {
        assert_eq!(q, "question");
        c(1);
        Span::builder("llm-call").kind(SpanKind::Llm).in_scope(|span| {
            span.set_model("m-1");
            span.set_input(&json!({
                "messages": [{"role": "user", "content": "hi"}],
                "system": "sys",
                "tools": [],
            }));
            span.set_output(&json!({"content": "hello"}));
            span.set_metadata("stop_reason", "end_turn");
            span.set_metadata("temperature", &0.1);
        });
        let failed: Result<(), ValueError> = staso::span!("fails", kind = "tool", |span| {
            span.set_input(&json!({"arg": 1}));
            Err(ValueError("secret prose"))
        });
        assert!(failed.is_err());
        "agent-out"
    }

    a("question");
}

fn check_capture(golden: Golden, capture: Capture) {
    check_with(golden, builder().capture(capture), program);
}

fn check_without(golden: Golden, category: Category) {
    check_capture(golden, Capture::all().without(category));
}

#[test]
fn everything_is_captured() {
    check_capture(Golden::load("suppress_none"), Capture::all());
}

#[test]
fn nothing_is_captured() {
    check_capture(Golden::load("suppress_all"), Capture::none());
}

#[test]
fn requests_are_not_captured() {
    check_without(Golden::load("suppress_request"), Category::Request);
}

#[test]
fn system_prompts_are_not_captured() {
    check_without(Golden::load("suppress_system_prompt"), Category::SystemPrompt);
}

#[test]
fn schemas_of_tools_are_not_captured() {
    check_without(Golden::load("suppress_tool_schema"), Category::ToolSchema);
}

#[test]
fn arguments_of_tools_are_not_captured() {
    check_without(Golden::load("suppress_tool_arguments"), Category::ToolArguments);
}

#[test]
fn outputs_are_not_captured() {
    check_without(Golden::load("suppress_output"), Category::Output);
}

// The setting of this name is deprecated; here it exists as a variable alone.
#[test]
fn messages_are_not_captured() {
    Process::with(&[("STASO_CAPTURE_MESSAGES", "0")])
        .run(|| check_with(Golden::load("suppress_messages_legacy"), settings(), program));
}

#[test]
fn a_variable_of_a_category_wins_over_the_deprecated_one() {
    let variables = [
        ("STASO_CAPTURE_MESSAGES", "off"),
        ("STASO_CAPTURE_SYSTEM_PROMPT", "yes"),
        ("STASO_CAPTURE_OUTPUT", "0"),
    ];
    Process::with(&variables)
        .run(|| check_with(Golden::load("suppress_env_over_legacy"), settings(), program));
}
