//! Arguments and results that JSON does not hold as they are.

use std::{
    cell::RefCell,
    collections::{BTreeMap, BTreeSet},
    fmt,
    path::Path,
    pin::{Pin, pin},
    rc::Rc,
    task,
};

use futures_core::Stream;
use serde::Serialize;
use serde_json::json;

use crate::{
    compare::Golden,
    harness::{Run, builder, check},
};

/// A type of which only a text is known.
struct Shown(&'static str);

impl fmt::Debug for Shown {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(self.0)
    }
}

#[derive(Debug)]
#[expect(dead_code, reason = "it is only shown")]
#[allow(clippy::upper_case_acronyms)]
struct DC {
    a: u32,
}

#[expect(clippy::too_many_arguments, reason = "one of each type")]
#[staso::tool]
fn many(
    thing: Shown,
    by: &[u8],
    dt: Shown,
    dec: Shown,
    uid: Shown,
    st: BTreeSet<u32>,
    path: &Path,
    dc: DC,
    tup: (u32, u32),
    intkey: BTreeMap<Option<u32>, &str>,
) -> Shown {
    let _ = (by, dt, dec, uid, st, path, dc, tup, intkey);
    thing
}

#[staso::tool]
fn tuple_key(m: BTreeMap<(u32, u32), u32>) -> BTreeMap<(u32, u32), u32> {
    m
}

/// A list that may hold itself.
#[derive(Default, Serialize)]
struct List(Rc<RefCell<Vec<List>>>);

#[staso::tool]
fn circular(list: &List) -> usize {
    list.0.borrow().len()
}

struct K;

impl K {
    #[staso::tool]
    fn method(&self, a: u32) -> u32 {
        a
    }
}

#[staso::tool]
fn varargs(a: u32, rest: u32, key: &str, extra: &str) -> u32 {
    assert_eq!((rest, key, extra), (2, "k", "e"));
    a
}

#[test]
fn values_of_other_types_are_texts_or_marked() {
    let golden = Golden::load("unserialisable_args")
        .differs("many", "input.by", json!([0, 255]), "bytes are a list of numbers in Rust")
        .differs("many", "input.st", json!([1]), "a set is a list in JSON")
        .differs("many", "input.dc", json!("DC { a: 1 }"), "`Debug` shows a structure in this form")
        .differs(
            "tuple_key",
            "input",
            json!({"m": {"[1,2]": 3}}),
            "a key that is no text is written as its JSON",
        )
        .differs(
            "tuple_key",
            "output",
            json!({"result": {"[1,2]": 3}}),
            "a key that is no text is written as its JSON",
        )
        .differs("circular", "input", nested(64), "a value is cut where it is too deep, and the rest is kept")
        .lacks("method", "input", "self", "`self` is captured only when asked for");
    check(golden, || {
        many(
            Shown("THING"),
            &[0, 255],
            Shown("2026-01-02 03:04:05+00:00"),
            Shown("1.50"),
            Shown("00000000-0000-0000-0000-000000000001"),
            BTreeSet::from([1]),
            Path::new("/x/y"),
            DC { a: 1 },
            (1, 2),
            BTreeMap::from([(Some(1), "c"), (None, "b")]),
        );
        tuple_key(BTreeMap::from([((1, 2), 3)]));
        let list = List::default();
        let inside = List(Rc::clone(&list.0));
        list.0.borrow_mut().push(inside);
        circular(&list);
        list.0.borrow_mut().clear();
        K.method(5);
        varargs(1, 2, "k", "e");
    });
}

/// The input of `circular`: lists in a list.
fn nested(depth: usize) -> serde_json::Value {
    let inner = (0..depth).fold(json!("… [too deep]"), |inner, _| json!([inner]));
    json!({ "list": inner })
}

#[test]
fn numbers_keep_their_type_and_what_is_no_number_is_a_text() {
    #[expect(clippy::too_many_arguments, reason = "one of each kind")]
    #[staso::tool]
    fn f(
        nan: f64,
        pinf: f64,
        ninf: f64,
        big: f64,
        tenth: f64,
        negz: f64,
        one: f64,
        u64: u128,
        i64: i128,
        t: bool,
        n: Option<u32>,
        small: f64,
        e16: f64,
    ) -> f64 {
        let _ = (pinf, ninf, big, tenth, negz, one, u64, i64, t, n, small, e16);
        nan
    }

    let run = Run::start(builder());
    f(
        f64::NAN,
        f64::INFINITY,
        f64::NEG_INFINITY,
        1e300,
        0.1,
        -0.0,
        1.0,
        1 << 64,
        -(1 << 63) - 1,
        true,
        None,
        1e-7,
        1e16,
    );
    let outcome = run.finish();
    // Read as JSON, these two would lose their last digits on both sides.
    let body = String::from_utf8_lossy(&outcome.arrivals[0].body);
    assert!(body.contains(r#"\"u64\":18446744073709551616,\"i64\":-9223372036854775809,"#), "{body}");
    let why = "JSON has no such numbers; the other SDK sends what is no JSON";
    let input = json!({
        "nan": "NaN",
        "pinf": "Infinity",
        "ninf": "-Infinity",
        "big": 1e300,
        "tenth": 0.1,
        "negz": -0.0,
        "one": 1.0,
        "u64": 18_446_744_073_709_551_616.0,
        "i64": -9_223_372_036_854_775_809.0,
        "t": true,
        "n": null,
        "small": 1e-7,
        "e16": 1e16,
    });
    Golden::load("numbers")
        .differs("f", "input", input, why)
        .differs("f", "output", json!({"result": "NaN"}), why)
        .check(&outcome);
}

/// Counts up to a number.
struct Counting(std::ops::Range<u32>);

impl Stream for Counting {
    type Item = u32;

    fn poll_next(mut self: Pin<&mut Self>, _: &mut task::Context<'_>) -> task::Poll<Option<u32>> {
        task::Poll::Ready(self.0.next())
    }
}

#[test]
fn a_stream_is_followed_and_an_iterator_is_a_value() {
    #[staso::tool(name = "gen")]
    fn generate(n: u32) -> std::ops::Range<u32> {
        0..n
    }

    #[staso::tool]
    fn agen(n: u32) -> impl Stream<Item = u32> {
        Counting(0..n)
    }

    let golden = Golden::load("generators")
        .differs(
            "gen",
            "output.result",
            json!({"start": 0, "end": 3}),
            "an iterator is captured as any value",
        )
        .differs("agen", "output.result", json!([0, 1]), "streams are followed: the items are the output")
        .differs("agen", "attributes.items", json!(2), "streams are followed")
        .differs("agen", "attributes.time_to_first_item", json!(0.0), "streams are followed");
    check(golden, || {
        assert_eq!(generate(3).count(), 3);
        let mut items = pin!(agen(2));
        let mut context = task::Context::from_waker(task::Waker::noop());
        while items.as_mut().poll_next(&mut context) != task::Poll::Ready(None) {}
    });
}
