use std::{collections::BTreeMap, panic::resume_unwind};

use proptest::{collection, prelude::*};
use serde::{
    de::IgnoredAny,
    ser::{Error as _, SerializeMap as _},
};

use super::{tests::written, *};

/// Every kind of value of serde's data model.
#[derive(Clone, Debug, Serialize)]
enum Sample {
    Unit,
    Newtype(Box<Sample>),
    Tuple(Box<Sample>, bool),
    Struct { r#type: Box<Sample>, quote: char },
    Text(String),
    Signed(i8, i16, i32, i64, i128),
    Unsigned(u8, u16, u32, u64, u128),
    Floats(f32, f64),
    Option(Option<Box<Sample>>),
    Seq(Vec<Sample>),
    Map(BTreeMap<String, Sample>),
    Numbers(BTreeMap<i64, Sample>),
    Letters(BTreeMap<char, bool>),
    Nested(Inner),
}

#[derive(Clone, Debug, Serialize)]
struct Inner {
    #[serde(rename = "quoted \"name\"")]
    unit: (),
    newtype: Name,
    pair: (u8, Name),
    #[serde(flatten)]
    rest: BTreeMap<String, u8>,
}

#[derive(Clone, Debug, Serialize)]
struct Name(String);

fn text() -> impl Strategy<Value = String> {
    "(?s)([a-z]{0,30}|[\"\\\\\u{0}-\u{1f}\u{7f}é\u{2028}🙂a]{0,12}|.{0,8})"
}

fn sample() -> impl Strategy<Value = Sample> {
    let finite = |value: f64| if value.is_finite() { value } else { 0.5 };
    let leaf = prop_oneof![
        Just(Sample::Unit),
        text().prop_map(Sample::Text),
        any::<(i8, i16, i32, i64, i128)>().prop_map(|(a, b, c, d, e)| Sample::Signed(a, b, c, d, e)),
        any::<(u8, u16, u32, u64, u128)>().prop_map(|(a, b, c, d, e)| Sample::Unsigned(a, b, c, d, e)),
        (any::<f32>(), any::<f64>()).prop_map(move |(narrow, wide)| {
            Sample::Floats(if narrow.is_finite() { narrow } else { -0.0 }, finite(wide))
        }),
        (text(), text(), any::<u8>()).prop_map(|(a, b, number)| {
            let rest = BTreeMap::from([(a.clone(), number)]);
            Sample::Nested(Inner { unit: (), newtype: Name(a), pair: (number, Name(b)), rest })
        }),
        collection::btree_map(any::<char>(), any::<bool>(), 0..3).prop_map(Sample::Letters),
    ];
    leaf.prop_recursive(5, 40, 5, |inner| {
        let boxed = inner.clone().prop_map(Box::new);
        prop_oneof![
            boxed.clone().prop_map(Sample::Newtype),
            (boxed.clone(), any::<bool>()).prop_map(|(value, flag)| Sample::Tuple(value, flag)),
            (boxed.clone(), any::<char>()).prop_map(|(value, quote)| Sample::Struct { r#type: value, quote }),
            proptest::option::of(boxed).prop_map(Sample::Option),
            collection::vec(inner.clone(), 0..5).prop_map(Sample::Seq),
            collection::btree_map(text(), inner.clone(), 0..4).prop_map(Sample::Map),
            collection::btree_map(any::<i64>(), inner, 0..4).prop_map(Sample::Numbers),
        ]
    })
}

/// A map that is written in any order, whose elements fail and panic, and which goes on after errors.
#[derive(Clone, Debug)]
struct Hostile(Vec<Step>);

#[derive(Clone, Debug)]
enum Step {
    Key(u8),
    KeyOf(Hostile),
    Value(Hostile),
    Entry(String, Hostile),
    Caught(Hostile),
    Fail,
    Panic,
}

impl Serialize for Hostile {
    fn serialize<S: serde::Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        let mut map = serializer.serialize_map(None)?;
        for step in &self.0 {
            let _ = match step {
                Step::Key(key) => map.serialize_key(key),
                Step::KeyOf(key) => map.serialize_key(key),
                Step::Value(value) => map.serialize_value(value),
                Step::Entry(key, value) => map.serialize_entry(key, value),
                Step::Caught(value) => guarded(|| map.serialize_entry(value, value)).unwrap_or(Ok(())),
                Step::Fail => return Err(S::Error::custom("\"failed\"")),
                Step::Panic => resume_unwind(Box::new("panicked")),
            };
        }
        map.end()
    }
}

fn hostile() -> impl Strategy<Value = Hostile> {
    let leaf = prop_oneof![3 => Just(Vec::new()), 1 => Just(vec![Step::Fail]), 1 => Just(vec![Step::Panic])];
    leaf.prop_map(Hostile).prop_recursive(4, 40, 6, |inner| {
        let step = prop_oneof![
            any::<u8>().prop_map(Step::Key),
            inner.clone().prop_map(Step::KeyOf),
            inner.clone().prop_map(Step::Value),
            ("[a\"]{0,20}", inner.clone()).prop_map(|(key, value)| Step::Entry(key, value)),
            inner.prop_map(Step::Caught),
        ];
        collection::vec(step, 0..6).prop_map(Hostile)
    })
}

proptest! {
    #[test]
    fn any_value_is_written_as_serde_json_does(value in sample()) {
        prop_assert_eq!(written(&value, &Limits::default()), serde_json::to_string(&value).unwrap());
    }

    #[test]
    fn any_value_under_any_limits_is_valid_and_short(value in sample(), bytes in 0_usize..200, depth in 0_u16..8) {
        let json = written(&value, &Limits { bytes, depth, ..Limits::default() });
        prop_assert!(serde_json::from_str::<IgnoredAny>(&json).is_ok(), "{}", json);
        prop_assert!(json.len() <= bytes + 150, "{}", json);
    }

    #[test]
    fn a_cut_value_begins_as_the_whole_does(value in sample(), bytes in 0_usize..400) {
        let json = written(&value, &Limits { bytes, ..Limits::default() });
        let whole = serde_json::to_string(&value).unwrap();
        if json != whole {
            let same = json.bytes().zip(whole.bytes()).take_while(|(cut, whole)| cut == whole).count();
            prop_assert!(same + 120 >= bytes, "{} of {}", json, whole);
        }
    }

    #[test]
    fn any_misuse_is_valid_and_short(value in hostile(), bytes in 0_usize..200) {
        let json = written(&value, &Limits { bytes, ..Limits::default() });
        prop_assert!(serde_json::from_str::<IgnoredAny>(&json).is_ok(), "{}", json);
        prop_assert!(json.len() <= bytes + 350, "{}", json);
    }
}
