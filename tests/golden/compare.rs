//! Captures as expectations: what they hold, changed by the differences that are meant, and compared.

use std::fs;

use serde::Deserialize;
use serde_json::{Value, json};
use staso::DeliveryReport;
use uuid::{Uuid, uuid};

use crate::{
    harness::Outcome,
    picture::picture,
    support::server::Arrival,
    wire::{Field, Fields, Request},
};

/// What the other SDK sent, and reported, in a scenario.
pub struct Golden {
    name: &'static str,
    requests: Vec<Request>,
    report: Value,
    /// Where this SDK differs on purpose, and why; shown when a comparison fails.
    differences: Vec<String>,
}

#[derive(Deserialize)]
struct Capture {
    #[serde(default)]
    init: Value,
    #[serde(default)]
    env: Value,
    requests: Vec<Request>,
    shutdown_report: Value,
}

/// The parsed file of a scenario.
pub fn data(name: &str) -> Value {
    serde_json::from_str(&text(name)).expect("a capture is JSON")
}

fn text(name: &str) -> String {
    let path = format!("{}/tests/golden/data/{name}.json", env!("CARGO_MANIFEST_DIR"));
    fs::read_to_string(&path).unwrap_or_else(|error| panic!("{error}: {path}"))
}

impl Golden {
    /// The expectation of a scenario, with the differences that every scenario has: identifiers of agents
    /// follow from the span's own agent, and reports count spans.
    pub fn load(name: &'static str) -> Self {
        let capture: Capture = serde_json::from_str(&text(name)).expect("a capture of requests");
        let Capture { init, env, mut requests, shutdown_report } = capture;
        let configured = init["agent_name"].as_str().or(env["STASO_AGENT_NAME"].as_str());
        let configured = agent_id(configured.expect("the agent's name is configured"));
        for span in requests.iter_mut().flat_map(Request::spans_mut) {
            assert_eq!(
                span.text("agent_id"),
                configured,
                "the other SDK always sends the configured agent's"
            );
            let own = agent_id(span.text("agent_name"));
            span.replace("agent_id", own.into());
        }
        assert_eq!(shutdown_report["accepted"], shutdown_report["delivered"], "{name}");
        Self { name, requests, report: shutdown_report, differences: Vec::new() }
    }

    /// The value of a field in every span of a name is another: `status`, or `attributes.tags` for a key
    /// inside of `input`, `output` or `attributes`, or one of these whole.
    pub fn differs(mut self, span: &str, field: &str, ours: Value, why: &str) -> Self {
        let difference = format!("{span}, {field}: {ours}, since {why}");
        self.each(span, |span| {
            let theirs = match field.split_once('.') {
                Some((document, key)) => {
                    let mut inner = document_of(span, document);
                    let theirs = inner[key].take();
                    inner[key] = ours.clone();
                    span.replace(document, inner.to_string().into());
                    theirs
                }
                None if matches!(field, "input" | "output") => span.replace(field, ours.to_string().into()),
                None => span.replace(field, ours.clone()),
            };
            assert_ne!(theirs, ours, "{difference}: that is no difference");
        });
        self.differences.push(difference);
        self
    }

    /// A key inside of `input`, `output` or `attributes` of every span of a name is not there.
    pub fn lacks(mut self, span: &str, document: &str, key: &str, why: &str) -> Self {
        let difference = format!("{span}, no {document}.{key}, since {why}");
        self.each(span, |span| {
            let mut inner = document_of(span, document);
            let theirs = inner.as_object_mut().and_then(|inner| inner.remove(key));
            assert!(theirs.is_some(), "{difference}: that is no difference");
            span.replace(document, inner.to_string().into());
        });
        self.differences.push(difference);
        self
    }

    /// Behind a span comes one more: a child of it that is like it but for these fields.
    pub fn gains_child<const N: usize>(
        mut self,
        parent: &str,
        fields: [(&str, Value); N],
        why: &str,
    ) -> Self {
        self.differences.push(format!("{parent} has one more child, since {why}"));
        let traces = self.requests.iter_mut().flat_map(|request| request.body.list_mut("traces"));
        let mut spans = traces.filter_map(|trace| match trace.0.iter_mut().find(|(key, _)| key == "spans") {
            Some((_, Field::List(spans))) => Some(spans),
            _ => None,
        });
        let (list, place) = spans
            .find_map(|spans| {
                let place = spans.iter().position(|span| span.text("name") == parent)?;
                Some((spans, place))
            })
            .unwrap_or_else(|| panic!("there is no span {parent:?}"));
        let mut child = list[place].clone();
        child.replace("parent_span_id", list[place].text("span_id").into());
        child.replace("span_id", "00000000-0000-0000-0000-00000000c0de".into());
        for (field, value) in fields {
            child.replace(field, value);
        }
        list.insert(place + 1, child);
        self
    }

    /// Nothing is sent at all.
    pub fn sends_nothing(mut self, why: &str) -> Self {
        self.differences.push(format!("no request, since {why}"));
        self.requests.clear();
        self
    }

    /// A request goes to another path.
    pub fn goes_to(mut self, request: usize, path: &str, why: &str) -> Self {
        self.differences.push(format!("request {request} goes to {path}, since {why}"));
        path.clone_into(&mut self.requests[request - 1].path);
        self
    }

    /// The final report says something else.
    pub fn reports(mut self, key: &str, ours: Value, why: &str) -> Self {
        assert_ne!(self.report[key], ours, "that is no difference");
        self.differences.push(format!("report, {key}: {ours}, since {why}"));
        self.report[key] = ours;
        self
    }

    /// Compares the expectation with what a program sent and reported.
    ///
    /// # Panics
    ///
    /// If they are not the same.
    pub fn check(mut self, outcome: &Outcome) {
        self.check_requests(&outcome.arrivals);
        // Announcements are not counted.
        let ended =
            self.requests.iter().flat_map(Request::spans).filter(|span| !span.is_provisional()).count();
        self.report["accepted"] = ended.into();
        self.report["delivered"] = ended.into();
        assert_eq!(report(&outcome.report), self.report, "{}: the report{}", self.name, self.meant());
    }

    /// Compares the requests alone.
    ///
    /// # Panics
    ///
    /// If they are not the same.
    pub fn check_requests(&self, arrivals: &[Arrival]) {
        let requests: Vec<Request> = arrivals.iter().map(Request::of).collect();
        for request in &requests {
            let agent = request.header("User-Agent").unwrap_or_default();
            assert!(agent.starts_with("staso-rust/"), "User-Agent {agent:?}");
        }
        let (theirs, ours) = (picture(&self.requests), picture(&requests));
        assert!(theirs == ours, "{}: {}{}", self.name, changes(&theirs, &ours), self.meant());
    }

    fn meant(&self) -> String {
        self.differences.iter().map(|difference| format!("\nmeant to differ: {difference}")).collect()
    }

    fn each(&mut self, name: &str, mut change: impl FnMut(&mut Fields)) {
        let spans = self.requests.iter_mut().flat_map(Request::spans_mut);
        let named: Vec<_> = spans.filter(|span| span.text("name") == name).collect();
        assert!(!named.is_empty(), "there is no span {name:?}");
        named.into_iter().for_each(&mut change);
    }
}

/// The identifier that follows from an agent's name.
pub fn agent_id(name: &str) -> String {
    const NAMESPACE: Uuid = uuid!("a1b2c3d4-e5f6-7890-abcd-ef1234567890");
    Uuid::new_v5(&NAMESPACE, name.as_bytes()).to_string()
}

/// A report in the other SDK's form.
pub fn report(report: &DeliveryReport) -> Value {
    let rejection = report.last_rejection();
    json!({
        "accepted": report.accepted(),
        "delivered": report.delivered(),
        "failed": report.failed(),
        "pending": report.pending(),
        "rejected": report.rejected(),
        "timed_out": report.timed_out(),
        "last_failure": report.last_failure().map(|kind| kind.as_str()),
        "retryable": report.retryable(),
        "last_rejection": rejection.map(|kind| kind.as_str()),
        "rejection_retryable": rejection.is_some_and(|kind| kind.is_retryable()),
        "ok": report.ok(),
    })
}

fn document_of(span: &Fields, document: &str) -> Value {
    serde_json::from_str(span.text(document)).expect("a document inside of a string")
}

/// What has to change in the first picture to get the second, with the lines around it.
fn changes(theirs: &[String], ours: &[String]) -> String {
    // The length of the longest common part of what is left behind each pair of lines.
    let mut common = vec![vec![0; ours.len() + 1]; theirs.len() + 1];
    for (i, their) in theirs.iter().enumerate().rev() {
        for (j, our) in ours.iter().enumerate().rev() {
            common[i][j] =
                if their == our { common[i + 1][j + 1] + 1 } else { common[i + 1][j].max(common[i][j + 1]) };
        }
    }
    let mut text = "not the same (- captured, + ours)\n".to_owned();
    let (mut i, mut j) = (0, 0);
    while i < theirs.len() || j < ours.len() {
        let (mark, line) = if i < theirs.len() && j < ours.len() && theirs[i] == ours[j] {
            (i, j) = (i + 1, j + 1);
            (' ', &theirs[i - 1])
        } else if j == ours.len() || (i < theirs.len() && common[i + 1][j] >= common[i][j + 1]) {
            i += 1;
            ('-', &theirs[i - 1])
        } else {
            j += 1;
            ('+', &ours[j - 1])
        };
        text.push_str(&format!("{mark} {line}\n"));
    }
    text
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_changes_is_marked() {
        let lines = |text: &str| text.split(' ').map(str::to_owned).collect::<Vec<_>>();
        let changes = changes(&lines("a b c d"), &lines("a x c d e"));
        assert!(changes.ends_with("  a\n- b\n+ x\n  c\n  d\n+ e\n"), "{changes}");
    }

    #[test]
    fn the_comparison_sees_values_types_order_links_and_what_is_missing() {
        let golden = Golden::load("agent_nested_tools");
        let same = picture(&golden.requests);
        let changes: [fn(&mut Fields); 7] = [
            |span| drop(span.replace("name", "renamed".into())),
            |span| drop(span.replace("input_tokens", json!(0.0))),
            |span| drop(span.replace("input", r#"{"query":"reset","limit":3.0}"#.into())),
            |span| drop(span.replace("parent_span_id", "00000000-0000-0000-0000-000000000001".into())),
            |span| drop(span.replace("session_id", "85a5d3f1-9f1c-4d56-8a4f-3c6b6c1c8f11".into())),
            |span| span.0.swap(5, 6),
            |span| drop(span.0.remove(7)),
        ];
        for (index, change) in changes.into_iter().enumerate() {
            let mut requests = golden.requests.clone();
            change(requests[0].spans_mut().nth(1).expect("the first tool"));
            assert!(picture(&requests) != same, "change {index} goes unnoticed");
        }
    }

    #[test]
    #[should_panic(expected = "that is no difference")]
    fn a_difference_must_be_one() {
        drop(Golden::load("tool_without_agent").differs("lonely_tool", "kind", json!("tool"), "of nothing"));
    }
}
