//! Results through any alias, options, and which errors are timeouts.

use std::{error::Error, fmt, io, time::Duration};

use anyhow::Context as _;

use super::{check_async, check_both};

type Own<T> = Result<T, Refused>;
type Flipped<E, T> = Result<T, E>;

#[derive(Debug)]
struct Refused {
    cause: std::num::ParseIntError,
}

impl fmt::Display for Refused {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("refused")
    }
}

impl Error for Refused {
    fn source(&self) -> Option<&(dyn Error + 'static)> {
        Some(&self.cause)
    }
}

fn parse(text: &str) -> Result<u8, std::num::ParseIntError> {
    text.parse()
}

fn is_err<T, E>(result: Result<T, E>) -> bool {
    result.is_err()
}

#[test]
fn an_ok_value_is_captured_without_the_result() {
    check_both! {
        f("7"), Result::ok => Some(7), r#"tool f(text: "7") = 7"#;
        #[staso::tool] fn f(text: &str) -> Result<u8, std::num::ParseIntError> { parse(text) }
    }
    check_both! {
        f(), Result::ok => Some(()), "tool f() = null";
        #[staso::tool] fn f() -> fmt::Result { Ok(()) }
    }
}

#[test]
fn errors_through_aliases() {
    check_both! {
        f("x"), is_err => true, r#"tool f(text: "x") ! error Error: reading "x": invalid digit found in string"#;
        #[staso::tool]
        fn f(text: &str) -> anyhow::Result<u8> { parse(text).with_context(|| format!("reading {text:?}")) }
    }
    check_both! {
        f(), is_err => true, "tool f() ! error Error: gone";
        #[staso::tool] fn f() -> io::Result<()> { Err(io::Error::new(io::ErrorKind::NotFound, "gone")) }
    }
    check_both! {
        f("x"), is_err => true,
        r#"tool f(text: "x") ! error Refused: refused: invalid digit found in string"#;
        #[staso::tool] fn f(text: &str) -> Own<u8> { parse(text).map_err(|cause| Refused { cause }) }
    }
    check_both! {
        f(), is_err => true, "tool f() ! error String: no";
        #[staso::tool] fn f() -> Flipped<String, u8> { Err("no".to_owned()) }
    }
}

#[test]
fn errors_in_boxes() {
    check_both! {
        f("x"), is_err => true,
        r#"tool f(text: "x") ! error Box<dyn Error>: invalid digit found in string"#;
        #[staso::tool] fn f(text: &str) -> Result<u8, Box<dyn Error>> { Ok(parse(text)?) }
    }
    check_both! {
        f(), is_err => true, "tool f() ! error Box<dyn Error + Send + Sync>: said";
        #[staso::tool] fn f() -> Result<(), Box<dyn Error + Send + Sync>> { Err("said".into()) }
    }
}

#[test]
fn the_text_of_an_error_is_what_its_type_offers() {
    struct Shown;
    impl fmt::Display for Shown {
        fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
            f.write_str("shown")
        }
    }
    #[derive(Debug)]
    struct Debugged;
    struct Nameless;

    check_both! {
        f(), is_err => true, "tool f() ! error &str: borrowed";
        #[staso::tool] fn f() -> Result<u8, &'static str> { Err("borrowed") }
    }
    check_both! {
        f(), is_err => true, "tool f() ! error Shown: shown";
        #[staso::tool] fn f() -> Result<u8, Shown> { Err(Shown) }
    }
    check_both! {
        f(), is_err => true, "tool f() ! error Debugged: Debugged";
        #[staso::tool] fn f() -> Result<u8, Debugged> { Err(Debugged) }
    }
    check_both! {
        f(), is_err => true, "tool f() ! error Nameless: Nameless";
        #[staso::tool] fn f() -> Result<u8, Nameless> { Err(Nameless) }
    }
    check_both! {
        f("a"), is_err => true, r#"tool f(text: "a") ! error Borrows<'_>: a"#;
        #[staso::tool] fn f(text: &str) -> Result<u8, Borrows<'_>> { Err(Borrows(text)) }
    }
}

#[test]
fn an_error_may_be_a_type_parameter() {
    check_both! {
        f("e") => Err("e"), "tool f(error: \"e\") ! error &str: e";
        #[staso::tool]
        fn f<E: fmt::Display + serde::Serialize>(error: E) -> Result<u8, E> { Err(error) }
    }
    check_both! {
        f(Borrows("a")), is_err => true, "tool f(error: \"Borrows(\\\"a\\\")\") ! error Borrows<'_>: a";
        #[staso::tool] fn f<E: Error>(error: E) -> Result<u8, E> { Err(error) }
    }
}

#[derive(Debug)]
struct Borrows<'a>(&'a str);

impl fmt::Display for Borrows<'_> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(self.0)
    }
}

impl Error for Borrows<'_> {}

#[test]
fn options_and_results_inside_other_values_are_values() {
    check_both! {
        f(0) => None, "tool f(n: 0) = null";
        #[staso::tool] fn f(n: u8) -> Option<u8> { n.checked_sub(1) }
    }
    check_both! {
        f() => Some(Err("e".to_owned())), r#"tool f() = {"Err":"e"}"#;
        #[staso::tool] fn f() -> Option<Result<u8, String>> { Some(Err("e".to_owned())) }
    }
    check_both! {
        f() => Ok(Err(1)), r#"tool f() = {"Err":1}"#;
        #[staso::tool] fn f() -> Result<Result<u8, u8>, String> { Ok(Err(1)) }
    }
}

#[test]
fn a_result_that_borrows_from_the_arguments() {
    check_both! {
        f(&mut vec![1]), is_err => false, "tool f(items: [1]) = 2";
        #[staso::tool]
        fn f(items: &mut Vec<u8>) -> Result<&mut u8, &str> {
            items.push(2);
            items.last_mut().ok_or("empty")
        }
    }
}

#[test]
fn an_error_of_the_kind_timed_out_is_a_timeout() {
    fn late() -> io::Error {
        io::Error::new(io::ErrorKind::TimedOut, "late")
    }
    check_both! {
        f(), is_err => true, "tool f() ! timeout Error: late";
        #[staso::tool] fn f() -> io::Result<()> { Err(late()) }
    }
    check_both! {
        f(), is_err => true, "tool f() ! timeout Error: connecting: late";
        #[staso::tool] fn f() -> anyhow::Result<()> { Err(late()).context("connecting") }
    }
    check_both! {
        f(), is_err => true, "tool f() ! timeout Box<dyn Error>: late";
        #[staso::tool] fn f() -> Result<(), Box<dyn Error>> { Err(Box::new(late())) }
    }
}

#[test]
fn an_elapsed_timeout_of_tokio_is_a_timeout() {
    #[staso::tool]
    async fn waits() -> Result<u8, tokio::time::error::Elapsed> {
        tokio::time::timeout(Duration::ZERO, never()).await
    }
    #[staso::tool]
    async fn never() -> u8 {
        std::future::pending().await
    }
    check_async(
        async || waits().await.is_err(),
        true,
        "tool waits() ! timeout Elapsed: deadline has elapsed\n  tool never() ! error cancelled: dropped before it finished",
    );
}
