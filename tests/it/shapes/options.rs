//! The options of the attributes, on functions that use them.

use serde_json::{Map, Value, json};
use staso::{
    SpanKind,
    testing::{Spans, capture, capture_async},
};

use super::{block_on, check_both};

fn metadata(value: Value) -> Map<String, Value> {
    value.as_object().expect("an object").clone()
}

fn first(spans: &Spans) -> (&str, SpanKind, &Map<String, Value>, Vec<&str>) {
    let span = &spans[0];
    (&span.name, span.kind, &span.metadata, span.tags.iter().map(String::as_str).collect())
}

#[test]
fn every_kind() {
    macro_rules! kinds {
        ($($kind:literal)*) => {$({
            #[staso::trace(kind = $kind)]
            fn f() {}
            assert_eq!(capture(f).tree(), concat!($kind, " f\n"));
        })*};
    }
    kinds!("agent" "tool" "llm" "retriever" "chain" "custom");
}

#[test]
fn options_may_come_from_a_declarative_macro() {
    macro_rules! tool {
        ($name:literal, $tag:literal, $output:literal, $key:literal: $value:expr) => {
            #[staso::tool(name = $name, tags = [$tag], capture_output = $output, metadata($key = $value))]
            fn f(n: u8) -> u8 {
                n
            }
        };
    }
    tool!("given", "tag", false, "k": 1 + 1);
    let spans = capture(|| assert_eq!(f(1), 1));
    assert_eq!(first(&spans), ("given", SpanKind::Tool, &metadata(json!({"k": 2})), vec!["tag"]));
    assert_eq!(spans[0].output, Value::Null);
}

#[test]
fn a_given_name_is_taken_as_it_is() {
    check_both! {
        f(1) => 1, "tool stripe.refund \"×\"(n: 1) = 1";
        #[staso::tool(name = "stripe.refund \"×\"")] fn f(n: u8) -> u8 { n }
    }
}

#[test]
fn the_name_of_an_agent_is_that_of_the_spans_inside() {
    #[staso::agent(name = "refund-worker")]
    fn worker() {
        super::step();
    }
    let spans = capture(worker);
    let names: Vec<_> = spans.iter().map(|span| (&*span.name, &*span.agent_name)).collect();
    assert_eq!(names, [("refund-worker", "refund-worker"), ("step", "refund-worker")]);
}

#[test]
fn tags_are_kept_in_order() {
    #[staso::trace(kind = "llm", tags = ["b", "a", "ü"],)]
    fn tagged() {}
    #[staso::tool(tags = [])]
    fn untagged() {}
    let none = Map::new();
    assert_eq!(first(&capture(tagged)), ("tagged", SpanKind::Llm, &none, vec!["b", "a", "ü"]));
    assert_eq!(first(&capture(untagged)), ("untagged", SpanKind::Tool, &none, vec![]));
}

#[test]
fn metadata_may_use_the_arguments_before_the_body_moves_them() {
    struct Shop {
        name: String,
    }
    impl Shop {
        #[staso::tool(metadata(shop = self.name, "items.count" = items.len(), sum = a + b, constant = LIMIT))]
        fn order(&self, items: Vec<u8>, (a, b): (u8, u8)) -> usize {
            drop(items);
            usize::from(a) + usize::from(b)
        }

        #[staso::tool(capture_input = false, metadata(shop = self.name, n = n, sum = a + b))]
        async fn order_later(self, n: u8, (a, b): (u8, u8)) -> u8 {
            super::suspend().await;
            n + a + b
        }
    }
    const LIMIT: Option<u8> = Some(9);
    let shop = || Shop { name: "tea".to_owned() };

    let spans = capture(|| assert_eq!(shop().order(vec![1], (2, 3)), 5));
    let expected = metadata(json!({"shop": "tea", "items.count": 1, "sum": 5, "constant": 9}));
    assert_eq!(spans[0].metadata, expected);

    let spans = block_on(capture_async(async { assert_eq!(shop().order_later(1, (2, 3)).await, 6) }));
    assert_eq!(spans[0].metadata, metadata(json!({"shop": "tea", "n": 1, "sum": 5})));
    assert_eq!(spans[0].input, Value::Null);
}

#[test]
fn metadata_is_not_evaluated_while_nothing_is_recorded() {
    fn evaluated() -> u8 {
        panic!("evaluated")
    }
    #[staso::tool(metadata(fails = evaluated()))]
    fn f() -> u8 {
        1
    }
    assert_eq!(f(), 1);
}

#[test]
fn skip_leaves_out_and_only_leaves_in() {
    check_both! {
        f(1, 2, (3, 4)) => (), "tool f(b: 2, d: 4) = null";
        #[staso::tool(skip(a, c))] fn f(a: u8, b: u8, (c, d): (u8, u8)) { let _ = (a, b, c, d); }
    }
    check_both! {
        f(1, 2, (3, 4)) => (), "tool f(a: 1, c: 3) = null";
        #[staso::tool(only(a, c))] fn f(a: u8, b: u8, (c, d): (u8, u8)) { let _ = (a, b, c, d); }
    }
    check_both! {
        f(1, 2) => (), "tool f() = null";
        #[staso::tool(skip(a, b))] fn f(a: u8, b: u8) { let _ = (a, b); }
    }
    check_both! {
        f(1) => (), "tool f() = null";
        #[staso::tool(only())] fn f(_n: u8) {}
    }
}

#[test]
fn what_is_skipped_is_not_looked_at() {
    struct Secret;
    impl serde::Serialize for Secret {
        fn serialize<S: serde::Serializer>(&self, _: S) -> Result<S::Ok, S::Error> {
            panic!("serialized")
        }
    }
    check_both! {
        f(Secret, Secret), |secret: Option<_>| secret.is_some() => true, "tool f()";
        #[staso::tool(skip(a, _b), capture_output = false)]
        fn f(a: Secret, _b: Secret) -> Option<Secret> { Some(a) }
    }
    check_both! {
        f(Secret) => (), "tool f = null";
        #[staso::tool(capture_input = false)] fn f(_a: Secret) {}
    }
}

#[test]
fn without_output_an_error_is_still_recorded() {
    check_both! {
        f(1) => Ok(1), "tool f";
        #[staso::tool(capture_input = false, capture_output = false)]
        fn f(n: u8) -> Result<u8, String> { Ok(n) }
    }
    check_both! {
        f() => Err("no".to_owned()), "tool f() ! error String: no";
        #[staso::tool(capture_output = false)] fn f() -> Result<u8, String> { Err("no".to_owned()) }
    }
    check_both! {
        f(1) => 1, "tool f(n: 1) = 1";
        #[staso::tool(capture_input = true, capture_output = true)] fn f(n: u8) -> u8 { n }
    }
}

/// Where a program has the crate under another name.
mod renamed {
    pub(super) mod telemetry {
        pub(in crate::shapes) use staso as sdk;
    }
}

#[test]
fn the_crate_may_be_anywhere() {
    use renamed::telemetry;

    check_both! {
        f(1) => 1, "tool f(n: 1) = 1";
        #[telemetry::sdk::tool(crate = telemetry::sdk)] fn f(n: u8) -> u8 { n }
    }
    mod far {
        use crate::shapes::options::renamed::telemetry;

        #[telemetry::sdk::agent(crate = crate::shapes::options::renamed::telemetry::sdk, name = "far")]
        pub(super) async fn f(n: u8) -> Result<u8, String> {
            telemetry::sdk::span!("block", crate = telemetry::sdk, { n.checked_sub(1) })
                .ok_or_else(|| "none".to_owned())
        }
    }
    super::check_async(
        async || far::f(0).await,
        Err("none".to_owned()),
        "agent far(agent_name: \"far\", n: 0) ! error String: none\n  chain block",
    );
}

#[test]
fn all_options_at_once() {
    #[staso::trace(
        kind = "retriever",
        name = "search",
        tags = ["one"],
        metadata(limit = limit),
        capture_input = true,
        capture_output = true,
        only(query),
        crate = ::staso,
    )]
    fn f(query: &str, limit: u8) -> Vec<u8> {
        vec![limit; query.len()]
    }
    let spans = capture(|| assert_eq!(f("ab", 7), [7, 7]));
    let expected = metadata(json!({"limit": 7}));
    assert_eq!(first(&spans), ("search", SpanKind::Retriever, &expected, vec!["one"]));
    assert_eq!((&spans[0].input, &spans[0].output), (&json!({"query": "ab"}), &json!({"result": [7, 7]})));
}

#[test]
fn a_name_and_tags_may_be_any_constants() {
    mod names {
        pub(super) const NAME: &str = "constant";
    }
    const fn chosen(first: bool) -> &'static str {
        if first { "first" } else { "second" }
    }
    struct Generic<T>(T);
    trait Named {
        const NAME: &'static str;
        #[staso::tool(name = Self::NAME)]
        fn provided(&self) {}
    }
    impl<T> Named for Generic<T> {
        const NAME: &'static str = "of the type";
    }
    impl<T: Send> Generic<T> {
        const TAG: &'static str = "generic";

        #[staso::tool(name = concat!("generic", ".", "get"), tags = [Self::TAG, names::NAME])]
        async fn get(&self) {}
    }
    #[staso::agent(name = names::NAME)]
    fn constant() {}
    #[staso::tool(name = chosen(false), tags = [chosen(true)])]
    fn function() {}

    let spans = capture(|| {
        constant();
        function();
        Generic(1).provided();
        block_on(Generic("x").get());
    });
    assert_eq!(spans.tree(), "agent constant\ntool second\ntool of the type\ntool generic.get\n");
    assert_eq!((&spans[0].agent_name[..], &spans[1].tags[..]), ("constant", &["first".to_owned()][..]));
    assert_eq!(spans[3].tags, ["generic", "constant"]);
}
