use std::{collections::HashSet, fmt};

use serde_json::{Value, json};

/// One request, as far as its step read it.
#[derive(Clone)]
pub struct Arrival {
    pub method: String,
    pub path: String,
    /// In the order of the wire.
    pub headers: Vec<(String, String)>,
    pub body: Vec<u8>,
    /// Counts connections from 0: equal for requests that shared one.
    pub connection: usize,
}

impl Arrival {
    /// The first header of this name, in any letter case.
    pub fn header(&self, name: &str) -> Option<&str> {
        self.headers
            .iter()
            .find(|(known, _)| known.eq_ignore_ascii_case(name))
            .map(|(_, value)| value.as_str())
    }

    /// The idempotency key; empty if there is none.
    pub fn key(&self) -> &str {
        self.header("Idempotency-Key").unwrap_or_default()
    }

    /// The body, parsed.
    pub fn json(&self) -> Value {
        serde_json::from_slice(&self.body).unwrap_or_else(|error| panic!("{error} in the body of {self:?}"))
    }

    pub(super) fn acknowledgement(&self) -> Value {
        let traces = self.json()["traces"].as_array().map_or(0, Vec::len);
        json!({"accepted": traces, "rejected": 0, "spans_dropped": 0, "receipt_id": self.key()})
    }

    pub(super) fn content_length(&self) -> usize {
        self.header("Content-Length").and_then(|length| length.parse().ok()).unwrap_or(0)
    }
}

impl fmt::Debug for Arrival {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let Self { method, path, body, connection, .. } = self;
        let body = String::from_utf8_lossy(body);
        write!(f, "{method} {path} on connection {connection}, key {:?}: {body:.2000}", self.key())
    }
}

/// The spans that a backend has after these requests: a batch that came several times counts once.
pub fn spans(arrivals: &[Arrival]) -> Vec<Value> {
    traces(arrivals).iter().flat_map(|trace| trace["spans"].as_array().cloned().unwrap_or_default()).collect()
}

/// The trace objects behind [`spans`], in the order of arrival.
pub fn traces(arrivals: &[Arrival]) -> Vec<Value> {
    let mut keys = HashSet::new();
    arrivals
        .iter()
        .filter(|arrival| arrival.path.ends_with("/v1/traces/ingest") && !arrival.body.is_empty())
        .filter(|arrival| keys.insert(arrival.key()))
        .flat_map(|arrival| arrival.json()["traces"].as_array().cloned().unwrap_or_default())
        .collect()
}
