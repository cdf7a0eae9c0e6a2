//! A store of each earlier schema answers what the version answered that wrote it.
//!
//! A fixture is a store, and what the version that wrote it answered: lines of `{"path": …, "answer": …}`.

use std::fs;

use serde_json::Value;

use crate::process::Running;

/// What later versions answer otherwise on purpose, as pointers into an answer.
const CHANGED: [&str; 0] = [];

#[test]
fn a_store_of_an_earlier_schema_answers_the_same() {
    for schema in [1, 2] {
        let data = tempfile::tempdir().unwrap();
        let fixture = |what: &str| {
            let file = format!("{}/tests/fixtures/schema-{schema}.{what}.zst", env!("CARGO_MANIFEST_DIR"));
            zstd::decode_all(fs::read(file).unwrap().as_slice()).unwrap()
        };
        fs::write(data.path().join("staso.db"), fixture("db")).unwrap();
        let server = Running::start(data.path(), &["dev", "--port", "0"]);
        let answers = String::from_utf8(fixture("answers.jsonl")).unwrap();
        assert!(answers.lines().count() > 40);
        for line in answers.lines() {
            let line: Value = serde_json::from_str(line).unwrap();
            let path = line["path"].as_str().unwrap();
            let mut answer = ureq::get(format!("{}{path}", server.url)).call().unwrap();
            let answer: Value = serde_json::from_str(&answer.body_mut().read_to_string().unwrap()).unwrap();
            assert_says(&answer, &line["answer"], &format!("schema {schema}, {path}: "));
        }
    }
}

/// An answer may say more than it did, and not otherwise.
fn assert_says(answer: &Value, before: &Value, at: &str) {
    if CHANGED.iter().any(|changed| at.ends_with(changed)) {
        return;
    }
    match (answer, before) {
        (Value::Object(answer), Value::Object(before)) => {
            for (key, before) in before {
                let answer = answer.get(key).unwrap_or(&Value::Null);
                assert_says(answer, before, &format!("{at}/{key}"));
            }
        }
        (Value::Array(answer), Value::Array(before)) => {
            assert_eq!(answer.len(), before.len(), "{at}");
            for (index, (answer, before)) in answer.iter().zip(before).enumerate() {
                assert_says(answer, before, &format!("{at}/{index}"));
            }
        }
        _ => assert_eq!(answer, before, "{at}"),
    }
}
