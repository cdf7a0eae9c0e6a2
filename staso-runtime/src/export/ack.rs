use std::fmt;

use serde::{
    Deserialize, Deserializer,
    de::{Error, MapAccess, Visitor},
};
use serde_json::Value;

/// Whether an answer acknowledges every trace of a request. Wire contract, section 11.
///
/// The error says what is wrong. It never quotes the answer, which may quote the request.
pub(crate) fn check(body: &[u8], traces: usize, key: &str) -> Result<(), String> {
    // The parser does not look into strings that it skips.
    let text = std::str::from_utf8(body).map_err(|_| "the answer is not UTF-8".to_owned())?;
    let ack: Acknowledgement = serde_json::from_str(text).map_err(|error| {
        if error.is_data() { without_position(&error) } else { "the answer is not a JSON object".to_owned() }
    })?;
    if ack.accepted != traces as u64 {
        return Err(format!("`accepted` is {}, but {traces} traces were sent", ack.accepted));
    }
    if ack.rejected != 0 {
        return Err(format!("`rejected` is {}", ack.rejected));
    }
    if ack.spans_dropped != 0 {
        return Err(format!("`spans_dropped` is {}", ack.spans_dropped));
    }
    if ack.receipt_id != key {
        return Err("`receipt_id` is not the key of the request".to_owned());
    }
    Ok(())
}

struct Acknowledgement {
    accepted: u64,
    rejected: u64,
    spans_dropped: u64,
    receipt_id: String,
}

impl<'de> Deserialize<'de> for Acknowledgement {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        deserializer.deserialize_map(Fields)
    }
}

/// Reads the four keys, each at most once, and steps over all others.
struct Fields;

impl<'de> Visitor<'de> for Fields {
    type Value = Acknowledgement;

    fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("an object")
    }

    fn visit_map<A: MapAccess<'de>>(self, mut map: A) -> Result<Acknowledgement, A::Error> {
        let (mut accepted, mut rejected, mut spans_dropped, mut receipt_id) = (None, None, None, None);
        while let Some(key) = map.next_key::<String>()? {
            match key.as_str() {
                "accepted" => set_once(&mut accepted, "accepted", count(map.next_value()?, "accepted")?)?,
                "rejected" => set_once(&mut rejected, "rejected", count(map.next_value()?, "rejected")?)?,
                "spans_dropped" => {
                    set_once(
                        &mut spans_dropped,
                        "spans_dropped",
                        count(map.next_value()?, "spans_dropped")?,
                    )?;
                }
                "receipt_id" => match map.next_value()? {
                    Value::String(id) => set_once(&mut receipt_id, "receipt_id", id)?,
                    _ => return Err(A::Error::custom("`receipt_id` is not a text")),
                },
                // Unlike `IgnoredAny`, a `Value` has a limit to its depth.
                _ => drop(map.next_value::<Value>()?),
            }
        }
        let missing = |field: &str| A::Error::custom(format_args!("`{field}` is missing"));
        Ok(Acknowledgement {
            accepted: accepted.ok_or_else(|| missing("accepted"))?,
            rejected: rejected.ok_or_else(|| missing("rejected"))?,
            spans_dropped: spans_dropped.ok_or_else(|| missing("spans_dropped"))?,
            receipt_id: receipt_id.ok_or_else(|| missing("receipt_id"))?,
        })
    }
}

/// `true`, `2.0` and `2e0` are not counts.
fn count<E: Error>(value: Value, field: &str) -> Result<u64, E> {
    value.as_u64().ok_or_else(|| E::custom(format_args!("`{field}` is not a whole number")))
}

fn set_once<T, E: Error>(slot: &mut Option<T>, field: &str, value: T) -> Result<(), E> {
    match slot.replace(value) {
        None => Ok(()),
        Some(_) => Err(E::custom(format_args!("`{field}` is there twice"))),
    }
}

/// The message alone, without the " at line 1 column 2" behind it.
fn without_position(error: &serde_json::Error) -> String {
    let text = error.to_string();
    match text.split_once(" at line ") {
        Some((message, _)) => message.to_owned(),
        None => text,
    }
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;
    use serde_json::json;

    use super::*;

    const KEY: &str = "13cf7899-6347-41ab-bff8-ff2aae6a639e";

    fn refusal(body: impl AsRef<[u8]>) -> String {
        check(body.as_ref(), 2, KEY).expect_err("refused")
    }

    fn complete() -> Value {
        json!({"accepted": 2, "rejected": 0, "spans_dropped": 0, "receipt_id": KEY})
    }

    #[test]
    fn a_complete_acknowledgement_may_have_more_keys_in_any_order() {
        assert_eq!(check(complete().to_string().as_bytes(), 2, KEY), Ok(()));
        let more = format!(
            r#" {{"note":{{"a":[1.5,null]}},"receipt_id":"{KEY}","spans_dropped":0,"rejected":0,"accepted":2}} "#
        );
        assert_eq!(check(more.as_bytes(), 2, KEY), Ok(()));
    }

    #[test]
    fn every_key_must_be_there_with_its_value() {
        for (field, value, message) in [
            ("accepted", json!(1), "`accepted` is 1, but 2 traces were sent"),
            ("accepted", json!(3), "`accepted` is 3, but 2 traces were sent"),
            ("accepted", json!(-2), "`accepted` is not a whole number"),
            ("accepted", json!(2.0), "`accepted` is not a whole number"),
            ("accepted", json!(true), "`accepted` is not a whole number"),
            ("accepted", json!("2"), "`accepted` is not a whole number"),
            ("rejected", json!(1), "`rejected` is 1"),
            ("rejected", json!(false), "`rejected` is not a whole number"),
            ("spans_dropped", json!(7), "`spans_dropped` is 7"),
            ("spans_dropped", Value::Null, "`spans_dropped` is not a whole number"),
            ("receipt_id", json!("other"), "`receipt_id` is not the key of the request"),
            ("receipt_id", json!(KEY.to_uppercase()), "`receipt_id` is not the key of the request"),
            ("receipt_id", json!([KEY]), "`receipt_id` is not a text"),
        ] {
            let mut ack = complete();
            ack[field] = value;
            assert_eq!(refusal(ack.to_string()), message);

            ack.as_object_mut().unwrap().remove(field);
            assert_eq!(refusal(ack.to_string()), format!("`{field}` is missing"));
        }
    }

    #[test]
    fn a_number_with_an_exponent_is_not_a_count() {
        let ack = complete().to_string().replace("\"accepted\":2", "\"accepted\":2e0");
        assert_eq!(refusal(ack), "`accepted` is not a whole number");
    }

    #[test]
    fn a_key_that_is_there_twice_is_refused_even_with_the_same_value() {
        let ack = complete().to_string().replacen('{', "{\"rejected\":0,", 1);
        assert_eq!(refusal(ack), "`rejected` is there twice");
    }

    #[test]
    fn what_is_not_a_json_object_is_refused() {
        for body in ["", "{}{}", "<html>busy</html>", "\u{feff}{}", "{\"accepted\":"] {
            assert!(check(body.as_bytes(), 0, KEY).is_err(), "{body}");
        }
        assert_eq!(refusal("[2, 0, 0]"), "invalid type: sequence, expected an object");
        assert_eq!(refusal(complete().to_string() + "x"), "the answer is not a JSON object");
    }

    #[test]
    fn bytes_that_are_not_utf8_are_refused_even_where_they_are_not_needed() {
        let mut ack = complete().to_string().into_bytes();
        ack.splice(1..1, *b"\"note\":\"\xff\",");
        assert_eq!(refusal(ack), "the answer is not UTF-8");
    }

    #[test]
    fn an_answer_of_any_depth_ends_in_a_refusal() {
        let deep = "[".repeat(100_000) + &"]".repeat(100_000);
        let ack = complete().to_string().replacen('{', &format!("{{\"note\":{deep},"), 1);
        assert!(check(ack.as_bytes(), 2, KEY).is_err());
        assert!(check("[".repeat(100_000).as_bytes(), 2, KEY).is_err());
    }

    proptest! {
        #[test]
        fn an_acknowledgement_with_one_byte_changed_never_says_something_else(
            at in 0..97_usize, byte: u8
        ) {
            let mut ack = complete().to_string().into_bytes();
            prop_assume!(at < ack.len() && ack[at] != byte);
            ack[at] = byte;
            if check(&ack, 2, KEY).is_ok() {
                prop_assert_eq!(serde_json::from_slice::<Value>(&ack).unwrap(), complete());
            }
        }

        #[test]
        fn any_bytes_are_refused_without_a_panic(body: Vec<u8>) {
            prop_assert!(check(&body, 2, KEY).is_err());
        }
    }
}
