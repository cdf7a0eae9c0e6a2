//! Requests as lines of text in which everything that differs from run to run has a stable name.
//!
//! What has no stable value is checked here instead: the format of identifiers and times, the type of
//! durations, that keys are never used twice.

use std::collections::HashSet;

use serde_json::Value;

use crate::wire::{Field, Fields, Request};

/// One line for each value, in the order of the wire.
pub fn picture(requests: &[Request]) -> Vec<String> {
    let mut picture = Picture::default();
    for request in requests {
        picture.request(request);
    }
    picture.lines
}

#[derive(Default)]
struct Picture {
    lines: Vec<String>,
    traces: Names,
    spans: Names,
    sessions: Names,
    idempotency_keys: HashSet<String>,
}

/// Identifiers by first appearance.
#[derive(Default)]
struct Names(Vec<String>);

impl Names {
    fn of(&mut self, what: &str, id: &str) -> String {
        let place = self.0.iter().position(|known| known == id).unwrap_or_else(|| {
            self.0.push(id.to_owned());
            self.0.len() - 1
        });
        format!("<{what} {}>", place + 1)
    }
}

impl Picture {
    fn request(&mut self, request: &Request) {
        let path = request.path.split('/').map(|part| match part.len() {
            36 => self.traces.of("trace", part),
            _ => part.to_owned(),
        });
        let path = path.collect::<Vec<_>>().join("/");
        self.lines.push(format!("{} {path}", request.method));
        for name in ["X-API-Key", "Content-Type"] {
            self.lines.push(format!("{name}: {}", request.header(name).unwrap_or("(missing)")));
        }
        if let Some(key) = request.header("Idempotency-Key") {
            assert!(is_uuid_v4(key), "Idempotency-Key {key:?}");
            assert!(self.idempotency_keys.insert(key.to_owned()), "{key} is used twice");
            self.lines.push("Idempotency-Key: <new>".to_owned());
        }
        self.object(&request.body, 1);
    }

    fn object(&mut self, fields: &Fields, depth: usize) {
        for (key, field) in &fields.0 {
            match field {
                Field::Value(value) => self.value(key, value, fields, depth),
                Field::Object(inner) => {
                    self.line(depth, &format!("{key}:"));
                    self.object(inner, depth + 1);
                }
                Field::List(items) => {
                    for (index, item) in items.iter().enumerate() {
                        self.line(depth, &format!("{key}[{index}]:"));
                        self.object(item, depth + 1);
                    }
                }
            }
        }
    }

    fn value(&mut self, key: &str, value: &Value, around: &Fields, depth: usize) {
        let text = value.as_str().unwrap_or_default();
        let shown = match key {
            "trace_id" => {
                assert!(is_id(text), "trace_id {text:?}");
                self.traces.of("trace", text)
            }
            "span_id" | "parent_span_id" if value.is_string() => {
                assert!(is_id(text) && text.starts_with("00000000-0000-0000-"), "{key} {text:?}");
                self.spans.of("span", text)
            }
            "session_id" if is_uuid_v4(text) => self.sessions.of("session", text),
            "timestamp" => {
                assert!(is_time(text), "timestamp {text:?}");
                let spans = around.list("spans");
                let earliest = spans.iter().map(|span| span.text("timestamp")).min();
                assert!(earliest.is_none_or(|earliest| earliest == text), "{text} is not {earliest:?}");
                "<time>".to_owned()
            }
            "duration_ms" if !around.is_provisional() => {
                assert!(is_milliseconds(value), "duration_ms {value}");
                "<milliseconds>".to_owned()
            }
            "input" | "output" | "attributes" if !text.is_empty() && around.is_span() => {
                return self.inner(key, text, depth);
            }
            _ => value.to_string(),
        };
        self.line(depth, &format!("{key}: {shown}"));
    }

    /// A document inside a string: a line for each of its keys, in any order.
    fn inner(&mut self, key: &str, text: &str, depth: usize) {
        let inner: Value =
            serde_json::from_str(text).unwrap_or_else(|error| panic!("{error} in {key} {text:?}"));
        match inner.as_object().filter(|object| !object.is_empty()) {
            None => self.line(depth, &format!("{key} holds {inner}")),
            Some(object) => {
                for (inner_key, value) in object {
                    let shown = match (key, inner_key.as_str(), value) {
                        ("attributes", "code.filepath" | "code.function", Value::String(_)) => {
                            "<text>".into()
                        }
                        ("attributes", "code.lineno", Value::Number(line)) if line.is_u64() => {
                            "<line>".into()
                        }
                        ("attributes", "time_to_first_item", time) if is_milliseconds(time) => {
                            "<milliseconds>".into()
                        }
                        _ => value.to_string(),
                    };
                    self.line(depth, &format!("{key} holds {inner_key}: {shown}"));
                }
            }
        }
    }

    fn line(&mut self, depth: usize, line: &str) {
        self.lines.push(format!("{:indent$}{line}", "", indent = depth * 2));
    }
}

/// Whether the text is 8-4-4-4-12 lower-case hexadecimal digits.
fn is_id(text: &str) -> bool {
    text.len() == 36
        && text.bytes().enumerate().all(|(index, byte)| match index {
            8 | 13 | 18 | 23 => byte == b'-',
            _ => matches!(byte, b'0'..=b'9' | b'a'..=b'f'),
        })
}

pub fn is_uuid_v4(text: &str) -> bool {
    is_id(text) && &text[14..15] == "4" && matches!(&text[19..20], "8" | "9" | "a" | "b")
}

/// Whether the text is `YYYY-MM-DDTHH:MM:SS.ffffff+00:00`, or the same without a fraction.
fn is_time(text: &str) -> bool {
    let pattern = match text.len() {
        32 => "0000-00-00T00:00:00.000000+00:00",
        _ => "0000-00-00T00:00:00+00:00",
    };
    text.len() == pattern.len()
        && text.bytes().zip(pattern.bytes()).all(|(byte, expected)| match expected {
            b'0' => byte.is_ascii_digit(),
            _ => byte == expected,
        })
}

/// Whether it is a floating-point number of at most two decimals.
fn is_milliseconds(value: &Value) -> bool {
    let text = value.to_string();
    let decimals = text.split_once('.').map_or(0, |(_, decimals)| decimals.len());
    value.is_f64() && value.as_f64() >= Some(0.0) && (1..=2).contains(&decimals)
}
