//! Free functions: what they take and what they give back.

use std::{borrow::Cow, collections::BTreeMap, rc::Rc, sync::Arc};

use super::{check, check_both, step};

#[derive(Clone, Debug, PartialEq)]
struct Order {
    id: u32,
}

#[derive(Clone, PartialEq, serde::Serialize)]
struct Receipt {
    total: f64,
    lines: Vec<(String, u8)>,
}

impl std::fmt::Debug for Receipt {
    fn fmt(&self, _: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        panic!("a value that is Serialize is not captured by its Debug")
    }
}

/// Neither `Serialize` nor `Debug`.
struct Opaque;

#[test]
fn a_function_without_arguments_or_result() {
    check_both! {
        nothing() => (), "tool nothing() = null";
        #[staso::tool] fn nothing() {}
    }
    check_both! {
        unit() => (), "tool unit() = null";
        #[staso::tool] fn unit() -> () {}
    }
}

#[test]
fn each_attribute_gives_its_kind() {
    check_both! {
        answer("hi") => "HI".to_owned(), r#"agent answer(agent_name: "answer", question: "hi") = "HI""#;
        #[staso::agent] fn answer(question: &str) -> String { question.to_uppercase() }
    }
    check_both! {
        add(1, 2) => 3, "tool add(a: 1, b: 2) = 3";
        #[staso::tool] fn add(a: u8, b: i64) -> i64 { i64::from(a) + b }
    }
    check_both! {
        link() => true, "chain link() = true";
        #[staso::trace] fn link() -> bool { true }
    }
}

#[test]
fn values_are_captured_as_json_else_as_debug_text_else_by_their_type() {
    check_both! {
        take(Order { id: 7 }, &Order { id: 8 }, Opaque) => 15,
        r#"tool take(borrowed: "Order { id: 8 }", opaque: "<Opaque>", owned: "Order { id: 7 }") = 15"#;
        #[staso::tool]
        fn take(owned: Order, borrowed: &Order, opaque: Opaque) -> u32 {
            let _moved = opaque;
            owned.id + borrowed.id
        }
    }
    check_both! {
        bill(2), |bill| bill == Receipt { total: 0.5, lines: vec![("tea".to_owned(), 2)] } => true,
        r#"tool bill(n: 2) = {"lines":[["tea",2]],"total":0.5}"#;
        #[staso::tool] fn bill(n: u8) -> Receipt { Receipt { total: 0.5, lines: vec![("tea".to_owned(), n)] } }
    }
    check_both! {
        opaque(), |Wrapped(n)| n => 1, r#"tool opaque() = "<Wrapped>""#;
        #[staso::tool] fn opaque() -> Wrapped { Wrapped(1) }
    }
}

struct Wrapped(u8);

#[test]
fn standard_containers_are_json() {
    let map = BTreeMap::from([("k", [1, 2])]);
    check_both! {
        take(&map, Some(1), None, (1, 'c'), &[1.5]) => 1,
        r#"tool take(map: {"k":[1,2]}, none: null, slice: [1.5], some: 1, tuple: [1,"c"]) = 1"#;
        #[staso::tool]
        fn take(
            map: &BTreeMap<&str, [u8; 2]>, some: Option<u8>, none: Option<u8>, tuple: (u8, char), slice: &[f32],
        ) -> usize {
            let _ = (some, none, tuple, slice);
            map.len()
        }
    }
    check_both! {
        share(Rc::new(1), Arc::from("x"), Cow::Borrowed("y"), Box::new(2)) => 3,
        r#"tool share(arc: "x", boxed: 2, cow: "y", rc: 1) = 3"#;
        #[staso::tool]
        fn share(rc: Rc<u8>, arc: Arc<str>, cow: Cow<'_, str>, boxed: Box<u8>) -> u8 {
            let _ = (arc, cow);
            *rc + *boxed
        }
    }
}

#[test]
fn arguments_are_captured_before_the_body_changes_or_moves_them() {
    check_both! {
        push(&mut vec![1], "x".to_owned()) => vec![1, 2],
        r#"tool push(items: [1], moved: "x") = [1,2]"#;
        #[staso::tool]
        fn push(items: &mut Vec<u8>, moved: String) -> Vec<u8> {
            items.push(2);
            drop(moved);
            items.clone()
        }
    }
    check_both! {
        count(1) => 11, "tool count(n: 1) = 11";
        #[staso::tool] fn count(mut n: u8) -> u8 { n += 10; n }
    }
}

#[test]
fn impl_trait_and_dyn_arguments() {
    check_both! {
        sum([1, 2].into_iter(), &3_u8, &|n| n + 1) => 7,
        r#"tool sum(add: "<&dyn Fn(u8) -> u8>", items: "<IntoIter<u8, 2>>", shown: "3") = 7"#;
        #[staso::tool]
        fn sum(items: impl Iterator<Item = u8>, shown: &dyn std::fmt::Debug, add: &dyn Fn(u8) -> u8) -> u8 {
            let _ = shown;
            items.map(add).sum::<u8>() + 2
        }
    }
    check_both! {
        boxed(Box::new(|n| n * 2)) => 8, r#"tool boxed(twice: "<Box<dyn Fn(u8) -> u8>>") = 8"#;
        #[staso::tool] fn boxed(twice: Box<dyn Fn(u8) -> u8>) -> u8 { twice(4) }
    }
    check_both! {
        shown("x", 1) => "x1".to_owned(), r#"tool shown(number: 1, text: "x") = "x1""#;
        #[staso::tool]
        fn shown(text: impl AsRef<str>, number: impl serde::Serialize + std::fmt::Display) -> String {
            format!("{}{number}", text.as_ref())
        }
    }
}

#[test]
fn results_that_borrow_from_the_arguments() {
    #[staso::tool]
    fn first<'a>(words: &'a [String], _other: &str) -> &'a str {
        &words[0]
    }
    #[staso::tool]
    fn slot(numbers: &mut [u8]) -> &mut u8 {
        &mut numbers[1]
    }
    #[staso::tool]
    fn slot_of<'a>(numbers: &'a mut Vec<u8>, index: &usize) -> Option<&'a mut u8> {
        numbers.get_mut(*index)
    }
    let words = ["a".to_owned()];
    check(|| first(&words, "o"), "a", r#"tool first(_other: "o", words: ["a"]) = "a""#);
    let change = || {
        let mut numbers = vec![1, 2];
        *slot(&mut numbers) += 10;
        *slot_of(&mut numbers, &0).expect("there") += 1;
        numbers
    };
    check(change, vec![2, 12], "tool slot(numbers: [1,2]) = 2\ntool slot_of(index: 0, numbers: [1,12]) = 1");
}

#[test]
fn opaque_results_and_closures() {
    #[staso::tool]
    fn evens(numbers: &[u8]) -> impl Iterator<Item = u8> + '_ {
        numbers.iter().copied().filter(|n| n % 2 == 0)
    }
    #[staso::tool]
    fn adder(n: u8) -> impl Fn(u8) -> u8 + use<> {
        step();
        move |m| n + m
    }
    #[staso::tool]
    fn boxed(n: u8) -> Box<dyn Fn(u8) -> u8> {
        Box::new(move |m| n * m)
    }
    #[staso::tool]
    fn either(text: &str) -> Result<impl std::fmt::Display, std::num::ParseIntError> {
        text.parse::<u8>()
    }
    check(
        || evens(&[1, 2, 4]).collect::<Vec<_>>(),
        vec![2, 4],
        r#"tool evens(numbers: [1,2,4]) = "Filter { iter: Copied { it: Iter([1, 2, 4]) } }""#,
    );
    let closure = "{{closure}}";
    check(|| adder(1)(2), 3, &format!("tool adder(n: 1) = \"<{closure}>\"\n  chain step() = null"));
    check(|| boxed(2)(3), 6, r#"tool boxed(n: 2) = "<Box<dyn Fn(u8) -> u8>>""#);
    check(|| either("7").map(|n| n.to_string()), Ok("7".to_owned()), r#"tool either(text: "7") = 7"#);
}

#[test]
fn returned_closure() {
    #[staso::tool]
    fn matcher() -> impl Fn(&str) -> usize {
        |s| s.len()
    }
    #[staso::tool(capture_output = false)]
    fn borrows<'a>((text, _): (&'a str, u8), Wrapped(n): Wrapped) -> impl FnMut(&str) -> &'a str {
        move |_| text.get(n..).unwrap_or_default()
    }
    struct Wrapped(usize);
    check(|| matcher()("abc"), 3, "tool matcher() = \"<{{closure}}>\"");
    check(|| borrows(("abc", 1), Wrapped(1))("x"), "bc", "tool borrows(n: 1, text: \"abc\")");
}
