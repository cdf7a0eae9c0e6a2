//! Generic functions: what the bounds in the signature promise is what is captured.

use std::fmt::{Debug, Display};

use serde::Serialize;

use super::{check, check_both};

#[test]
fn type_parameters_are_captured_as_their_bounds_say() {
    check_both! {
        f(1_u8, 2, 3, 4) => 3,
        r#"tool f(bare: "<u8>", both: 4, debug: "2", json: 3) = 3"#;
        #[staso::tool]
        fn f<T, D: Debug, S: Serialize, B: Debug + Serialize>(bare: T, debug: D, json: S, both: B) -> S {
            let _ = (bare, debug, both);
            json
        }
    }
    check_both! {
        f(&1_u8, &[2], Some(3)) => (1, Some(3)),
        r#"tool f(bare: "<&u8>", borrowed: "[2]", option: "<Option<u8>>") = "<(u8, Option<u8>)>""#;
        #[staso::tool]
        fn f<T: Clone, D: Debug>(bare: &T, borrowed: &[D], option: Option<T>) -> (T, Option<T>) {
            let _ = borrowed;
            (bare.clone(), option)
        }
    }
}

#[test]
fn where_clauses_count_like_bounds() {
    check_both! {
        f(1_u8, "x") => "1x".to_owned(), r#"tool f(shown: "1", text: "x") = "1x""#;
        #[staso::tool]
        fn f<T, S>(shown: T, text: S) -> String
        where
            T: Display,
            S: Serialize + AsRef<str>,
            for<'a> &'a S: Debug,
        {
            format!("{shown}{}", text.as_ref())
        }
    }
}

#[test]
fn what_only_displays_or_is_seen_as_a_text_gives_that_text() {
    check_both! {
        f("a", &'b', String::from("c"), "d") => 3,
        r#"tool f(either: "d", owned: "c", shown: "b", text: "a") = 3"#;
        #[staso::tool]
        fn f(text: impl AsRef<str>, shown: &impl Display, owned: impl Into<String> + AsRef<str>, either: impl Display + AsRef<str>) -> usize
        {
            let _ = (shown, either);
            text.as_ref().len() + owned.into().len() + 1
        }
    }
}

#[test]
fn const_parameters() {
    check_both! {
        f::<2, true>([1, 2], [0; 1]) => 4, r#"tool f(items: "[1, 2]", none: [0]) = 4"#;
        #[staso::tool]
        fn f<const N: usize, const ADD: bool>(items: [u8; N], none: [u8; 1]) -> usize {
            let _ = none;
            if ADD { N + usize::from(items[0]) + 1 } else { N }
        }
    }
    check_both! {
        f::<_, 1>(["a"]) => Some("a"), r#"tool f(items: "[\"a\"]") = "Some(\"a\")""#;
        #[staso::tool]
        fn f<T: Debug, const N: usize>(items: [T; N]) -> Option<T> { items.into_iter().next() }
    }
}

#[test]
fn lifetimes() {
    check_both! {
        f("a", "bc") => "bc", r#"tool f(first: "a", second: "bc") = "bc""#;
        #[staso::tool]
        fn f<'a, 'b: 'a>(first: &'a str, second: &'b str) -> &'a str {
            if first.len() > second.len() { first } else { second }
        }
    }
    struct Text<'a>(&'a str);
    impl<'a> Text<'a> {
        #[staso::tool]
        fn after(&self, prefix: &str) -> Option<&'a str> {
            self.0.strip_prefix(prefix)
        }
    }
    check(|| Text("abc").after("a"), Some("bc"), r#"tool after(prefix: "a") = "bc""#);
}

#[test]
fn functions_as_arguments() {
    check_both! {
        f(|n: &u8| n, str::len, |_| 1) => 4, r#"tool f(count: "<{{closure}}>") = 4"#;
        #[staso::tool(only(count))]
        fn f<F>(pick: F, measure: fn(&str) -> usize, mut count: impl FnMut(u8) -> u8) -> usize
        where
            F: for<'a> Fn(&'a u8) -> &'a u8,
        {
            usize::from(*pick(&2) + count(0)) + measure("x")
        }
    }
}

#[test]
fn a_result_is_not_seen_behind_a_type_parameter() {
    #[staso::tool]
    fn run<R>(call: impl FnOnce() -> R) -> R {
        call()
    }
    #[staso::tool(skip(call))]
    fn run_result<T: Serialize, E: Debug>(call: impl FnOnce() -> Result<T, E>) -> Result<T, E> {
        call()
    }
    #[staso::tool(skip(call))]
    fn run_opaque<T, E>(call: impl FnOnce() -> Result<T, E>) -> Result<T, E> {
        call()
    }
    fn fail() -> Result<u8, String> {
        Err("no".to_owned())
    }
    check(|| run(fail), fail(), r#"tool run(call: "<fail>") = "<Result<u8, String>>""#);
    check(|| run_result(fail), fail(), r#"tool run_result() ! error String: "no""#);
    check(|| run_opaque(fail), fail(), "tool run_opaque() ! error String: String");
    check(|| run_result(|| Ok::<_, ()>(1)), Ok(1), "tool run_result() = 1");
}

#[test]
fn unsized_and_defaulted_types() {
    check_both! {
        f("x", &[1_u8] as &[_]) => 2, r#"tool f(items: "[1]", text: "x") = 2"#;
        #[staso::tool]
        fn f<S: ?Sized + Serialize + AsRef<str>, T: Debug>(text: &S, items: &[T]) -> usize {
            text.as_ref().len() + items.len()
        }
    }
    check_both! {
        f::<u8>() => 0, "tool f() = 0";
        #[staso::tool] fn f<T: Default + Serialize>() -> T { T::default() }
    }
}
