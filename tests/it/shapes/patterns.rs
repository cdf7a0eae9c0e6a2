//! Patterns as parameters: the names that they bind are what is captured.

use super::{check, check_both};

#[derive(Clone, Copy)]
struct Point {
    x: u8,
    y: u8,
}

struct Wrapper(u8, String);

enum Only {
    One { value: u8 },
}

#[test]
fn plain_mutable_and_ignored() {
    check_both! {
        f(1, 2, 3) => 4, "tool f(_c: 3, a: 1) = 4";
        #[staso::tool] fn f(mut a: u8, _: u8, _c: u8) -> u8 { a += 3; a }
    }
    check_both! {
        f(1, 2) => (), "tool f() = null";
        #[staso::tool] fn f(_: u8, _: u8) {}
    }
    check_both! {
        f("a".to_owned()) => 1, r#"tool f(text: "a") = 1"#;
        #[staso::tool] fn f(ref text: String) -> usize { text.len() }
    }
    check_both! {
        f("a".to_owned()) => "ab".to_owned(), r#"tool f(text: "a") = "ab""#;
        #[staso::tool] fn f(ref mut text: String) -> String { text.push('b'); text.clone() }
    }
}

#[test]
fn tuples() {
    check_both! {
        f((1, 2), (3,)) => 6, "tool f(a: 1, b: 2, c: 3) = 6";
        #[staso::tool] fn f((a, b): (u8, u8), (c,): (u8,)) -> u8 { a + b + c }
    }
    check_both! {
        f((1, 2, 3)) => 4, "tool f(first: 1, last: 3) = 4";
        #[staso::tool] fn f((first, .., last): (u8, u8, u8)) -> u8 { first + last }
    }
    check_both! {
        f((1, (2, (3, 4)))) => 15, "tool f(a: 1, b: 2, c: 4) = 15";
        #[staso::tool] fn f((a, (mut b, (_, c))): (u8, (u8, (u8, u8)))) -> u8 { b += 8; a + b + c }
    }
    check_both! {
        f(()) => (), "tool f() = null";
        #[staso::tool] fn f((): ()) {}
    }
}

#[test]
fn structs_and_enums() {
    let point = Point { x: 1, y: 2 };
    check_both! {
        f(point) => 1, "tool f(x: 1) = 1";
        #[staso::tool] fn f(Point { x, .. }: Point) -> u8 { x }
    }
    check_both! {
        f(point) => 3, "tool f(left: 1, y: 2) = 3";
        #[staso::tool] fn f(Point { x: left, mut y }: Point) -> u8 { y += 0; left + y }
    }
    check_both! {
        f(Wrapper(1, "w".to_owned())) => "w1".to_owned(), r#"tool f(n: 1, text: "w") = "w1""#;
        #[staso::tool] fn f(Wrapper(n, text): Wrapper) -> String { format!("{text}{n}") }
    }
    check_both! {
        f(Only::One { value: 1 }) => 1, "tool f(value: 1) = 1";
        #[staso::tool] fn f(Only::One { value }: Only) -> u8 { value }
    }
    check_both! {
        f((point, Wrapper(3, "w".to_owned()))) => 4, r#"tool f(text: "w", x: 1) = 4"#;
        #[staso::tool]
        fn f((Point { x, y: _ }, Wrapper(3.. | ..3, mut text)): (Point, Wrapper)) -> u8 {
            text.clear();
            x + 3
        }
    }
}

#[test]
fn references() {
    let point = Point { x: 1, y: 2 };
    check_both! {
        f(&(1, "a".to_owned())) => "a1".to_owned(), r#"tool f(n: 1, text: "a") = "a1""#;
        #[staso::tool] fn f((n, text): &(u8, String)) -> String { format!("{text}{n}") }
    }
    check_both! {
        f(&1, &point) => 2, "tool f(n: 1, x: 1) = 2";
        #[staso::tool] fn f(&n: &u8, &Point { x, .. }: &Point) -> u8 { n + x }
    }
    check_both! {
        f(&mut (1, 2)) => 11, "tool f(a: 1, b: 2) = 11";
        #[staso::tool] fn f((a, b): &mut (u8, u8)) -> u8 { *a += 8; *a + *b }
    }
    check_both! {
        f(&mut 1) => 1, "tool f(n: 1) = 1";
        #[staso::tool] fn f(&mut n: &mut u8) -> u8 { n }
    }
    check_both! {
        f((&&1, Some(&2))) => 3, "tool f(n: 1, some: 2) = 3";
        #[staso::tool] fn f((&&n, some): (&&u8, Option<&u8>)) -> u8 { some.map_or(0, |m| n + m) }
    }
}

#[test]
fn arrays_and_slices() {
    check_both! {
        f([1, 2, 3, 4]) => 5, "tool f(first: 1, last: 4) = 5";
        #[staso::tool] fn f([first, .., last]: [u8; 4]) -> u8 { first + last }
    }
    check_both! {
        f([1, 2, 3]) => 2, "tool f(first: 1, rest: [2,3]) = 2";
        #[staso::tool] fn f([first, rest @ ..]: [u8; 3]) -> usize { let _ = first; rest.len() }
    }
    check_both! {
        f(&[1, 2, 3]) => 2, "tool f(middle: 2) = 2";
        #[staso::tool] fn f([_, middle, _]: &[u8; 3]) -> u8 { *middle }
    }
}

#[test]
fn bindings_at_and_alternatives() {
    check_both! {
        f((1, 2)) => 4, "tool f(a: 1, whole: [1,2]) = 4";
        #[staso::tool] fn f(whole @ (a, _): (u8, u8)) -> u8 { whole.0 + whole.1 + a }
    }
    check_both! {
        f(Err(7)) => 7, "tool f(n: 7) = 7";
        #[staso::tool] fn f((Ok(n) | Err(n)): Result<u8, u8>) -> u8 { n }
    }
    check_both! {
        f(("a".to_owned(), 2)) => 3, r#"tool f(n: 2, text: "a") = 3"#;
        #[staso::tool]
        fn f((ref text, ref mut n): (String, usize)) -> usize {
            *n += text.len();
            *n
        }
    }
}

#[test]
fn patterns_in_methods() {
    struct Shop {
        tax: u8,
    }
    impl Shop {
        #[staso::tool(only(self, price))]
        fn sell(&self, (price, amount): (u8, u8), Point { x, .. }: Point) -> u8 {
            (price + self.tax) * amount + x
        }
    }
    impl std::fmt::Debug for Shop {
        fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
            write!(f, "a shop")
        }
    }
    check(
        || Shop { tax: 1 }.sell((2, 3), Point { x: 0, y: 0 }),
        9,
        r#"tool sell(price: 2, self: "a shop") = 9"#,
    );
}
