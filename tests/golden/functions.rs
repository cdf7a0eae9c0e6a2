//! Functions under the three attributes.

use std::collections::BTreeMap;

use serde::Serialize;
use serde_json::json;
use staso::SpanKind;

use crate::{
    compare::Golden,
    harness::{block_on, check},
};

#[test]
fn an_agent_calls_two_tools() {
    #[derive(Serialize)]
    struct Receipt {
        sent: bool,
    }

    #[staso::tool]
    fn search_kb(query: &str, limit: usize) -> Vec<String> {
        assert_eq!((query, limit), ("reset", 3));
        vec!["a".into(), "b".into()]
    }

    #[staso::tool(name = "send_reply")]
    fn send(text: &str) -> Receipt {
        Receipt { sent: !text.is_empty() }
    }

    #[staso::agent(name = "support_agent")]
    fn run(message: &str) -> String {
        search_kb("reset", 3);
        send("done");
        format!("ok:{message}")
    }

    check(Golden::load("agent_nested_tools"), || {
        run("reset password");
    });
}

#[test]
fn an_asynchronous_agent_awaits_two_tools_at_once() {
    #[staso::tool]
    async fn fetch(n: u32) -> u32 {
        tokio::task::yield_now().await;
        n * 10
    }

    #[staso::agent]
    async fn async_agent(q: &str) -> [u32; 2] {
        assert_eq!(q, "x");
        tokio::join!(biased; fetch(1), fetch(2)).into()
    }

    check(Golden::load("agent_async"), || {
        block_on(async_agent("x"));
    });
}

#[test]
fn a_traced_function_may_be_of_any_kind() {
    #[staso::trace]
    fn t_default(x: u32) -> u32 {
        x + 1
    }

    #[staso::trace(kind = "retriever")]
    fn t_retriever(x: u32) -> u32 {
        x + 1
    }

    // The attribute takes lower case alone, and says so when the program is compiled.
    #[staso::trace(kind = "retriever")]
    fn t_upper(x: u32) -> u32 {
        x + 1
    }

    #[staso::trace(kind = "custom")]
    fn t_custom(x: u32) -> u32 {
        x + 1
    }

    #[staso::trace(kind = "llm")]
    fn t_llm(x: u32) -> u32 {
        x + 1
    }

    #[staso::trace(kind = "tool")]
    fn t_tool(x: u32) -> u32 {
        x + 1
    }

    let golden = Golden::load("trace_kinds");
    // A kind that is read while the program runs may be written in any case.
    assert_eq!("RETRIEVER".parse(), Ok(SpanKind::Retriever));
    check(golden, || {
        for traced in [t_default, t_retriever, t_upper, t_custom, t_llm, t_tool] {
            assert_eq!(traced(1), 2);
        }
    });
}

#[test]
fn the_innermost_agent_names_the_spans_inside_it() {
    #[staso::tool]
    fn t1() -> u32 {
        1
    }

    #[staso::tool]
    fn t2() -> u32 {
        2
    }

    #[staso::tool]
    fn t3() -> u32 {
        3
    }

    #[staso::agent(name = "inner_agent")]
    fn inner() -> &'static str {
        t2();
        staso::Span::builder("step").in_scope(|_| ());
        "i"
    }

    #[staso::agent(name = "outer_agent")]
    fn outer() -> &'static str {
        t1();
        inner();
        t3();
        "o"
    }

    check(Golden::load("nested_agents"), || {
        outer();
    });
}

#[test]
fn a_tool_outside_of_any_agent_belongs_to_the_configured_one() {
    #[staso::tool]
    fn lonely_tool(a: u32, b: u32) -> u32 {
        a + b
    }

    check(Golden::load("tool_without_agent"), || {
        lonely_tool(1, 2);
    });
}

#[test]
fn functions_may_take_and_return_nothing() {
    #[staso::tool]
    fn noop() {}

    #[staso::agent]
    fn noop_agent() {
        noop();
    }

    #[staso::trace]
    fn empty() -> BTreeMap<String, u32> {
        BTreeMap::new()
    }

    check(Golden::load("no_args_none_result"), || {
        noop_agent();
        empty();
    });
}

#[test]
fn tags_and_metadata_are_attributes_and_metadata_wins() {
    #[staso::tool(name = "tl", tags = ["t"], metadata(tool_name = "user-wins", tags = ["m"]))]
    fn x() -> u32 {
        1
    }

    #[staso::agent(tags = ["beta", "v2"], metadata(team = "core", n = 1, nested = json!({"a": [1, 2]})))]
    fn ag() -> u32 {
        x()
    }

    check(Golden::load("tags_metadata"), || {
        ag();
    });
}

#[test]
fn an_input_that_is_not_captured_is_empty() {
    #[staso::tool(capture_input = false)]
    fn t(secret: &str) -> &'static str {
        assert_eq!(secret, "s");
        "out"
    }

    #[staso::trace(capture_input = false)]
    fn c(secret: &str) -> &'static str {
        t(secret)
    }

    #[staso::agent(capture_input = false)]
    fn a(secret: &str) -> &'static str {
        c(secret)
    }

    check(Golden::load("capture_input_false"), || {
        a("s");
    });
}

#[test]
fn an_output_that_is_not_captured_is_empty() {
    #[staso::tool(capture_output = false)]
    fn t(secret: &str) -> &'static str {
        assert_eq!(secret, "s");
        "out"
    }

    #[staso::trace(capture_output = false)]
    fn c(secret: &str) -> &'static str {
        t(secret)
    }

    #[staso::agent(capture_output = false)]
    fn a(secret: &str) -> &'static str {
        c(secret)
    }

    let golden = ["a", "c", "t"].into_iter().fold(Golden::load("capture_output_false"), |golden, span| {
        golden.differs(span, "input.secret", json!("[masked]"), "its name is that of a credential")
    });
    check(golden, || {
        a("s");
    });
}
