use std::{cell::RefCell, collections::BTreeMap, panic::panic_any, rc::Rc};

use serde::ser::{Error as _, SerializeMap as _, SerializeSeq as _};

use super::*;

pub(super) fn written<T: Serialize + ?Sized>(value: &T, limits: &Limits) -> String {
    let mut out = b"[\"before\",".to_vec();
    write_json(value, limits, &mut out);
    String::from_utf8(out).unwrap().strip_prefix("[\"before\",").unwrap().to_owned()
}

#[track_caller]
fn check<T: Serialize + ?Sized>(value: &T, expected: &str) {
    assert_eq!(written(value, &Limits::default()), expected);
}

#[track_caller]
fn check_cut<T: Serialize + ?Sized>(value: &T, bytes: usize, expected: &str) {
    assert_eq!(written(value, &Limits { bytes, ..Limits::default() }), expected);
}

/// Implements `Serialize` by a block.
macro_rules! serialize {
    ($type:ty, |$self:ident, $serializer:ident| $body:expr) => {
        impl Serialize for $type {
            fn serialize<S: serde::Serializer>(&$self, $serializer: S) -> Result<S::Ok, S::Error> {
                $body
            }
        }
    };
}

struct Fails;
serialize!(Fails, |self, serializer| {
    let mut seq = serializer.serialize_seq(None)?;
    seq.serialize_element("half")?;
    Err(S::Error::custom("not \"today\""))
});

struct Panics;
serialize!(Panics, |self, serializer| {
    let mut seq = serializer.serialize_seq(None)?;
    seq.serialize_element("half")?;
    panic!("at {}", 3)
});

struct PanicsWithANumber;
serialize!(PanicsWithANumber, |self, _serializer| panic_any(7));

struct Endless;
serialize!(Endless, |self, serializer| serializer.collect_seq(0..));

struct EndlessText;
serialize!(EndlessText, |self, serializer| serializer.collect_str(self));

impl std::fmt::Display for EndlessText {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        loop {
            f.write_str("é\n")?;
        }
    }
}

/// Goes on after every error.
struct Stubborn;
serialize!(Stubborn, |self, serializer| {
    let mut map = serializer.serialize_map(None)?;
    for round in 0..20 {
        let _ = map.serialize_key(&round);
        let _ = map.serialize_value(&Endless);
        let _ = map.serialize_entry("again", &round);
    }
    map.end()
});

struct Bytes(&'static [u8]);
serialize!(Bytes, |self, serializer| serializer.serialize_bytes(self.0));

#[derive(Serialize)]
struct Unit;

#[derive(Serialize, PartialEq, Eq, PartialOrd, Ord)]
struct Point(i32, i32);

#[derive(Serialize)]
struct Wide {
    first: u8,
    second: u8,
}

#[derive(Serialize)]
struct Wrapper<T>(T);

#[test]
fn floats_that_json_lacks_are_strings() {
    check(
        &(f64::NAN, f64::INFINITY, f32::NEG_INFINITY, -0.0, 1e300),
        r#"["NaN","Infinity","-Infinity",-0.0,1e+300]"#,
    );
}

#[test]
fn bytes_are_their_text_or_their_number() {
    check(&Bytes("é\n".as_bytes()), r#""é\n""#);
    check(&Bytes(b"\xff\xfe"), r#""<2 bytes>""#);
    check_cut(&Bytes(b"longer than the limit"), 20, r#""<21 bytes>""#);
}

#[test]
fn keys_that_are_no_text_are_their_json() {
    check(&BTreeMap::from([(1, 'a'), (-2, 'b')]), r#"{"-2":"b","1":"a"}"#);
    check(&BTreeMap::from([(false, ())]), r#"{"false":null}"#);
    check(&BTreeMap::from([(Some('"'), ()), (None, ())]), r#"{"null":null,"\"":null}"#);
    check(&BTreeMap::from([(Point(1, 2), ())]), r#"{"[1,2]":null}"#);
    check(&BTreeMap::from([(BTreeMap::from([("a", "b")]), ())]), r#"{"{\"a\":\"b\"}":null}"#);
    struct Odd;
    serialize!(Odd, |self, serializer| {
        let mut map = serializer.serialize_map(None)?;
        map.serialize_entry(&f64::NAN, &1.5)?;
        map.serialize_entry(&1.5, &Unit)?;
        map.serialize_entry(&Fails, &1)?;
        map.end()
    });
    check(&Odd, r#"{"NaN":1.5,"1.5":null,"<Fails: serialize failed: not \"today\">":1}"#);
}

#[test]
fn a_string_is_cut_between_characters_and_says_how_much_is_missing() {
    check_cut("aéa", 4, r#""aéa""#);
    check_cut("aéa", 2, r#""a… [cut 3 bytes]""#);
    check_cut("a\n\na", 4, r#""a\n… [cut 2 bytes]""#);
    check_cut("", 0, r#""""#);
}

#[test]
fn a_container_is_cut_between_elements() {
    check_cut(&[1, 2, 3], 2, r#"[1,"… [cut]"]"#);
    check_cut(&[[1, 2], [3, 4]], 3, r#"[[1,"… [cut]"]]"#);
    check_cut(&BTreeMap::from([("a", 1), ("b", 2)]), 6, r#"{"a":1,"…":"[cut]"}"#);
    check_cut(&BTreeMap::from([("a", 1), ("long", 2)]), 12, r#"{"a":1,"…":"[cut]"}"#);
    check_cut(&[Wide { first: 1, second: 2 }], 20, r#"[{"first":1,"…":"[cut]"}]"#);
    check_cut(&[("abcdef", 1), ("b", 2)], 3, r#"[["a… [cut 5 bytes]","… [cut]"]]"#);
    check_cut(&[["abcdef"]], 3, r#"[["a… [cut 5 bytes]"]]"#);
}

#[test]
fn what_never_ends_is_stopped() {
    check_cut(&Endless, 4, r#"[0,1,"… [cut]"]"#);
    check_cut(&EndlessText, 5, r#""é\n… [cut]""#);
    check_cut(&Stubborn, 20, r#"{"0":[0,1,2,3,4,5,6,7,"… [cut]"]}"#);
}

#[test]
fn a_long_string_costs_no_more_than_the_limit() {
    let mut out = Vec::new();
    write_json(&"x".repeat(10 << 20), &Limits::default(), &mut out);
    assert!(out.capacity() < 2 * Limits::default().bytes, "{}", out.capacity());
}

#[test]
fn a_value_that_fails_is_marked_and_its_neighbours_are_kept() {
    check(&Fails, r#""<Fails: serialize failed: not \"today\">""#);
    check(&(1, Fails, 2), r#"[1,"<Fails: serialize failed: not \"today\">",2]"#);
    check(
        &BTreeMap::from([("a", Ok(1)), ("b", Err(Fails))]),
        r#"{"a":{"Ok":1},"b":{"Err":"<Fails: serialize failed: not \"today\">"}}"#,
    );
}

#[test]
fn a_value_that_panics_is_marked() {
    check(&Panics, r#""<Panics: serialize panicked: at 3>""#);
    check(&PanicsWithANumber, r#""<PanicsWithANumber: serialize panicked: panicked>""#);
    check(&Wrapper([Panics]), r#""<Wrapper<[Panics; 1]>: serialize panicked: at 3>""#);
}

#[test]
fn a_panic_that_a_serialize_catches_itself_leaves_no_half_element() {
    struct Catches;
    serialize!(Catches, |self, serializer| {
        let mut map = serializer.serialize_map(None)?;
        map.serialize_key("a")?;
        let _ = guarded(|| map.serialize_value(&[Panics]));
        map.serialize_entry("b", &1)?;
        let _ = guarded(|| map.serialize_entry(&PanicsWithANumber, &1));
        map.end()
    });
    check(&[Catches], r#"[{"b":1}]"#);
}

#[test]
fn maps_with_a_key_or_a_value_alone_stay_valid() {
    struct Odd(u8);
    serialize!(Odd, |self, serializer| {
        let mut map = serializer.serialize_map(Some(9))?;
        map.serialize_entry("a", &1)?;
        if self.0 < 2 {
            map.serialize_key("lost")?;
        }
        if self.0 < 1 {
            map.serialize_key("b")?;
            map.serialize_value(&2)?;
        }
        if self.0 > 1 {
            map.serialize_value(&3)?;
        }
        map.end()
    });
    check(&Odd(0), r#"{"a":1,"b":2}"#);
    check(&Odd(1), r#"{"a":1}"#);
    check(&Odd(2), r#""<Odd: serialize failed: a map's value came without a key>""#);
}

#[test]
fn json_that_serde_json_hides_in_a_struct_is_written_as_it_is() {
    #[derive(PartialEq, Eq, PartialOrd, Ord)]
    struct Hidden(&'static [&'static str]);
    serialize!(Hidden, |self, serializer| {
        use serde::ser::SerializeStruct as _;
        let token = "$serde_json::private::RawValue";
        let mut fields = serializer.serialize_struct(token, 1)?;
        for json in self.0 {
            fields.serialize_field(token, json)?;
        }
        fields.end()
    });
    check(&[Hidden(&[r#"{"a": 1e400}"#])], r#"[{"a": 1e400}]"#);
    check(&BTreeMap::from([(Hidden(&[" [1]"]), ())]), r#"{" [1]":null}"#);
    check(&[Hidden(&["{\"a\""])], r#"["{\"a\""]"#);
    check(&[Hidden(&[]), Hidden(&["1", "2"])], "[null,1]");
}

#[test]
fn containers_beyond_the_depth_are_marked_and_their_neighbours_are_kept() {
    let limits = Limits { depth: 2, ..Limits::default() };
    assert_eq!(written(&((1, [2]), 3), &limits), r#"[[1,"… [too deep]"],3]"#);
    assert_eq!(written(&[1], &Limits { depth: 0, ..limits }), r#""… [too deep]""#);
    assert_eq!(written(&Some(Ok::<_, ()>([[1]])), &limits), r#"{"Ok":["… [too deep]"]}"#);
}

/// A list that can lead back to itself, by containers or by nothing at all.
#[derive(Clone)]
struct Cycle<T>(Rc<RefCell<Option<T>>>);

impl<T> Default for Cycle<T> {
    fn default() -> Self {
        Self(Rc::default())
    }
}

impl<T: Serialize> Serialize for Cycle<T> {
    fn serialize<S: serde::Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        self.0.borrow().serialize(serializer)
    }
}

#[test]
fn a_cycle_ends_before_the_stack_does() {
    #[derive(Clone, Serialize)]
    struct Node {
        left: Cycle<Node>,
        right: Cycle<Node>,
    }

    #[derive(Clone, Serialize)]
    struct Nothing(Cycle<Nothing>);

    let limits = Limits { depth: u16::MAX, ..Limits::default() };
    std::thread::Builder::new()
        .stack_size(2 << 20)
        .spawn(move || {
            let node = Node { left: Cycle::default(), right: Cycle::default() };
            *node.left.0.borrow_mut() = Some(node.clone());
            *node.right.0.borrow_mut() = Some(node.clone());
            let json = written(&node, &limits);
            assert!(json.starts_with(r#"{"left":{"left":{"left":"#));
            assert!(json.contains("… [too deep]"));
            assert!(json.trim_end_matches('}').ends_with("\"…\":\"[cut]\""));
            assert!(json.len() < 2 * limits.bytes);
            node.left.0.take();
            node.right.0.take();

            let nothing = Nothing(Cycle::default());
            *nothing.0.0.borrow_mut() = Some(nothing.clone());
            assert_eq!(written(&nothing, &limits), "\"… [too deep]\"");
            nothing.0.0.take();
        })
        .unwrap()
        .join()
        .unwrap();
}
