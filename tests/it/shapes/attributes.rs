//! Attributes beside ours are kept, above and below it, on the function and on its parameters.

use super::{check, check_both};

#[test]
#[deny(unfulfilled_lint_expectations)]
fn must_use_and_deprecated_are_kept() {
    /// A doc comment.
    #[must_use]
    #[staso::tool]
    fn above() -> u8 {
        1
    }
    #[staso::tool]
    #[must_use = "it counts"]
    async fn below() -> u8 {
        2
    }
    #[staso::tool]
    #[deprecated]
    fn old() {}
    let call = || {
        #[expect(unused_must_use, reason = "fails to compile if the attribute is lost")]
        {
            above();
        }
        #[expect(deprecated, reason = "fails to compile if the attribute is lost")]
        old();
    };
    check(call, (), "tool above() = 1\ntool old() = null");
    super::check_async(async || below().await, 2, "tool below() = 2");
}

#[test]
fn other_attributes_are_kept() {
    check_both! {
        noisy_name(1) => 1, "tool noisy_name(Upper: 1) = 1";
        #[inline]
        #[allow(non_snake_case, reason = "kept for the parameter too")]
        #[staso::tool]
        fn noisy_name(Upper: u8) -> u8 { Upper }
    }
    check_both! {
        r#type(1) => 1, "tool type(match: 1) = 1";
        #[staso::tool] #[cold] fn r#type(r#match: u8) -> u8 { r#match }
    }
}

#[test]
fn parameters_may_be_configured_away() {
    #[staso::tool]
    fn configured(#[cfg(any())] absent: u8, #[cfg(not(any()))] (a, _): (u8, u8), b: u8) -> u8 {
        a + b
    }
    #[staso::tool]
    async fn configured_async(#[cfg(not(any()))] a: u8, #[cfg(any())] absent: u8) -> u8 {
        a
    }
    check(|| configured((1, 2), 3), 4, "tool configured(a: 1, b: 3) = 4");
    super::check_async(async || configured_async(1).await, 1, "tool configured_async(a: 1) = 1");
}

#[test]
fn lint_levels_of_parameters_hold() {
    #[deny(unused_variables)]
    #[staso::tool]
    fn quiet(#[expect(unused_variables, reason = "unused")] first: u8, #[allow(unused)] second: u8) {}
    check(|| quiet(1, 2), (), "tool quiet(first: 1, second: 2) = null");
}

#[test]
fn inner_attributes_and_visibility_are_kept() {
    mod inside {
        #[staso::tool]
        pub(in crate::shapes::attributes) fn visible(#[allow(unused)] n: u8) -> u8 {
            #![allow(unused_variables, reason = "an inner attribute")]
            let unused = 1;
            n
        }
    }
    check(|| inside::visible(1), 1, "tool visible(n: 1) = 1");
}

#[test]
fn the_attribute_may_be_imported_and_stacked() {
    use staso::{agent, tool, trace as traced};

    #[agent]
    fn imported() {
        renamed();
    }
    #[traced(kind = "llm")]
    fn renamed() {
        twice();
    }
    #[agent(name = "inner")]
    #[tool(name = "outer")]
    fn twice() {}
    let picture = r#"agent imported(agent_name: "imported") = null
  llm renamed() = null
    tool outer() = null
      agent inner(agent_name: "inner") = null"#;
    check(imported, (), picture);
}
