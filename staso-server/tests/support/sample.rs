//! A day in the life of a few agents: conversations with a support agent one of whose refunds fails, research
//! that takes long, invoices, and a run that is still under way. The same for the same moment.

use serde_json::{Value, json, value::RawValue};
use staso_server::{
    model::{
        Batch, Cost, IncomingSpan, IncomingTrace, SpanHead, SpanId, SpanStatus, Timestamp, Tokens, TraceId,
        WorkspaceId,
    },
    store::Store,
};

const SECOND: u64 = 1_000_000;

/// Fills the workspace with the 24 hours up to `now`.
pub(crate) async fn fill(store: &dyn Store, workspace: WorkspaceId, now: Timestamp) {
    let mut traces = Vec::new();
    let mut dice = Dice(7);
    for index in 0..260_u64 {
        // Busier by day than by night.
        let ago = (index * 320 + dice.roll(240) * (index / 20 % 3) + 40) * SECOND;
        let start = now.plus_micros(-i64::try_from(ago).unwrap());
        traces.push(match dice.roll(10) {
            0..=5 => support(index, start, &mut dice),
            6..=7 => research(index, start, &mut dice),
            _ => invoice(index, start, &mut dice),
        });
    }
    traces.extend(refund_conversation(now.plus_micros(-1_500_000_000)));
    traces.push(running(now.plus_micros(-25_000_000)));
    for (index, trace) in traces.into_iter().enumerate() {
        store.ingest(trace.batch(workspace, index)).await.unwrap();
    }
}

/// One more trace, that has just ended.
pub(crate) async fn add_one(store: &dyn Store, workspace: WorkspaceId, now: Timestamp, index: u64) {
    let trace = support(1_000 + index, now.plus_micros(-2_000_000), &mut Dice(index));
    store.ingest(trace.batch(workspace, 0)).await.unwrap();
}

/// A trace that is being described.
pub(crate) struct Trace {
    id: String,
    environment: String,
    agent: String,
    conversation: String,
    user: String,
    start: Timestamp,
    spans: Vec<IncomingSpan>,
}

/// A span that is being described.
#[derive(Default)]
pub(crate) struct Span<'a> {
    pub(crate) name: &'a str,
    pub(crate) kind: &'a str,
    pub(crate) parent: Option<usize>,
    pub(crate) at: u64,
    pub(crate) lasts: u64,
    pub(crate) input: Value,
    pub(crate) output: Value,
    pub(crate) error: Option<&'a str>,
    pub(crate) status: Option<&'a str>,
    pub(crate) model: &'a str,
    pub(crate) tokens: Option<(u64, u64)>,
    pub(crate) nano_usd: Option<u64>,
    pub(crate) tags: &'a [&'a str],
    pub(crate) provisional: bool,
}

impl Trace {
    pub(crate) fn new(id: &str, environment: &str, agent: &str, start: Timestamp) -> Self {
        let spans = Vec::new();
        let (conversation, user) = (String::new(), String::new());
        let (environment, agent) = (environment.to_owned(), agent.to_owned());
        Self { id: id.to_owned(), environment, agent, conversation, user, start, spans }
    }

    pub(crate) fn of(mut self, conversation: &str, user: &str) -> Self {
        (self.conversation, self.user) = (conversation.to_owned(), user.to_owned());
        self
    }

    /// Adds a span; times are microseconds after the trace's start.
    pub(crate) fn with(mut self, span: Span<'_>) -> Self {
        let id = |index: usize| format!("00000000-0000-0000-0000-{index:012x}");
        let started_at = self.start.plus_micros(i64::try_from(span.at).unwrap());
        let status = span.status.unwrap_or(if span.error.is_some() { "error" } else { "ok" });
        let text = |value: &Value| if value.is_null() { String::new() } else { value.to_string() };
        let (input_tokens, output_tokens) = span.tokens.unwrap_or_default();
        let mut attributes = json!({ "code.filepath": "src/agent.rs", "code.lineno": 42, "tags": span.tags });
        if span.provisional {
            attributes["staso.provisional_root"] = json!(true);
        }
        let record = json!({
            "span_id": id(self.spans.len() + 1),
            "parent_span_id": span.parent.map(|parent| id(parent + 1)),
            "name": span.name,
            "kind": span.kind,
            "timestamp": started_at,
            "duration_ms": span.lasts as f64 / 1e3,
            "status": status,
            "model": span.model,
            "provider": "",
            "requested_model": span.model,
            "usage_available": span.tokens.is_some(),
            "reasoning_effort": "",
            "input_tokens": input_tokens,
            "output_tokens": output_tokens,
            "total_tokens": input_tokens + output_tokens,
            "input": text(&span.input),
            "output": text(&span.output),
            "attributes": attributes.to_string(),
            "error_message": span.error,
            "session_id": self.conversation,
            "agent_name": self.agent,
            "agent_id": "",
            "agent_version": "1.4.0",
            "user_id": self.user,
            "capture": {
                "request": "captured", "system_prompt": "captured", "tool_schema": "captured",
                "tool_arguments": "captured", "output": "captured"
            },
        });
        let head = SpanHead {
            span_id: SpanId::new(id(self.spans.len() + 1)),
            parent_span_id: span.parent.map(|parent| SpanId::new(id(parent + 1))),
            name: span.name.to_owned(),
            kind: span.kind.parse().unwrap_or_default(),
            started_at,
            duration_micros: span.lasts,
            status: SpanStatus::of_wire(status),
            provisional: span.provisional,
            agent: self.agent.clone(),
            conversation_id: self.conversation.clone(),
            user_id: self.user.clone(),
            model: span.model.to_owned(),
            tags: span.tags.iter().map(ToString::to_string).collect(),
            tokens: span.tokens.map(|(input, output)| Tokens { input, output, total: input + output }),
            cost: if span.kind == "llm" { Cost::of_call(span.nano_usd) } else { Cost::default() },
        };
        let record = RawValue::from_string(record.to_string()).unwrap();
        self.spans.push(IncomingSpan { head, record });
        self
    }

    pub(crate) fn batch(self, workspace: WorkspaceId, index: usize) -> Batch {
        Batch {
            sender: None,
            idempotency_key: format!("{}-{index}", self.id),
            digest: [0; 32],
            accepted: 1,
            received_at: self.start,
            traces: vec![IncomingTrace {
                workspace,
                trace_id: TraceId::new(self.id),
                environment: self.environment,
                spans: self.spans,
            }],
        }
    }
}

fn support(index: u64, start: Timestamp, dice: &mut Dice) -> Trace {
    const QUESTIONS: [&str; 4] = [
        "Where is my order?",
        "How do I return the brass desk lamp?",
        "Can I change the delivery address?",
        "Do you ship to Norway?",
    ];
    let environment = ["prod", "prod", "prod", "staging"][dice.pick(4)];
    let (turns, user) = (index / 3, ["customer-alice", "customer-bo", "customer-chen", "customer-dara"]);
    let question = QUESTIONS[dice.pick(4)];
    let fails = dice.roll(12) == 0;
    let model = ["claude-sonnet-4-5", "claude-sonnet-4-5", "gpt-4.1-mini"][dice.pick(3)];
    let think = SECOND * 6 / 10 + dice.roll(1_400_000);
    let tool = 20_000 + dice.roll(180_000);
    let trace =
        Trace::new(&format!("7b1f9c30-0000-4000-8000-{index:012x}"), environment, "support-bot", start)
            .of(&format!("conv-{}", 1_900 + turns), user[usize::try_from(turns % 4).unwrap()])
            .with(Span {
                name: "support-bot",
                kind: "agent",
                lasts: think * 2 + tool + 40_000,
                input: json!({ "agent_name": "support-bot", "question": question }),
                output: if fails { Value::Null } else { json!({ "result": "It arrives on Thursday." }) },
                error: fails.then_some("the order service did not answer"),
                ..Span::default()
            })
            .with(llm(model, 5_000, think, 640 + dice.roll(900), 40 + dice.roll(90)))
            .with(Span {
                name: "look_up_order",
                kind: "tool",
                parent: Some(0),
                at: think + 8_000,
                lasts: tool,
                input: json!({ "order_id": 1_000 + index }),
                output: if fails { Value::Null } else { json!({ "result": { "status": "shipped" } }) },
                error: fails.then_some("the order service did not answer"),
                tags: &["orders"],
                ..Span::default()
            });
    if fails { trace } else { trace.with(llm(model, think + tool + 10_000, think, 900, 120)) }
}

fn research(index: u64, start: Timestamp, dice: &mut Dice) -> Trace {
    let environment = ["prod", "dev"][dice.pick(2)];
    let lasts = 9 * SECOND + dice.roll(30 * SECOND);
    let late = dice.roll(9) == 0;
    Trace::new(&format!("a40c11d2-0000-4000-8000-{index:012x}"), environment, "research-agent", start)
        .of("", ["analyst-1", "analyst-2", ""][dice.pick(3)])
        .with(Span {
            name: "research-agent",
            kind: "agent",
            lasts,
            input: json!({ "agent_name": "research-agent", "topic": "lamp safety standards in the EU" }),
            output: json!({ "result": "Three standards apply." }),
            error: late.then_some("no answer within 30 s"),
            status: late.then_some("timeout"),
            tags: &["nightly"],
            ..Span::default()
        })
        .with(Span {
            name: "search_library",
            kind: "retriever",
            parent: Some(0),
            at: 20_000,
            lasts: SECOND,
            input: json!({ "query": "EN 60598 luminaires" }),
            output: json!({ "result": [{ "title": "EN 60598-1" }] }),
            ..Span::default()
        })
        .with(llm("claude-opus-4-1", SECOND + 40_000, lasts - 2 * SECOND, 12_000 + dice.roll(9_000), 1_800))
}

fn invoice(index: u64, start: Timestamp, dice: &mut Dice) -> Trace {
    let lasts = 300_000 + dice.roll(500_000);
    let fails = dice.roll(5) == 0;
    let error = fails.then_some("<b>invoice</b> 17 has no VAT number & cannot be booked");
    Trace::new(&format!("c9d27e55-0000-4000-8000-{index:012x}"), "prod", "billing-agent", start)
        .of("", "accounts@lumen.example")
        .with(Span {
            name: "billing-agent",
            kind: "agent",
            lasts,
            input: json!({ "agent_name": "billing-agent", "invoice": 17 }),
            error,
            ..Span::default()
        })
        .with(Span { model: "in-house-7b", tokens: Some((420, 60)), ..llm("", 2_000, lasts / 2, 0, 0) })
        .with(Span {
            name: "book_invoice",
            kind: "tool",
            parent: Some(0),
            at: lasts / 2 + 4_000,
            lasts: lasts / 3,
            input: json!({ "invoice": 17, "amount": "89.00 EUR" }),
            error,
            tags: &["payments"],
            ..Span::default()
        })
}

/// Three turns, the last of which fails on what the second one found out.
fn refund_conversation(start: Timestamp) -> Vec<Trace> {
    const REFUSED: &str = "the bank refused the refund, as the card ending in 9903 has expired";
    let turns = [
        ("My parcel 1021 never came. Where is it?", "It is with the carrier and arrives on Thursday.", None),
        ("Which card did I pay order 1017 with?", "With the card ending in 9903.", None),
        ("Please refund order 1017, the lamp arrived broken.", "", Some(REFUSED)),
    ];
    let turn = |(index, (question, answer, error)): (usize, (&str, &str, Option<&'static str>))| {
        let at = start.plus_micros(i64::try_from(index).unwrap() * 95_000_000);
        Trace::new(&format!("97aaac76-45d6-1f11-b80c-98{index:010x}"), "prod", "support-bot", at)
            .of("conv-2031", "customer-alice")
            .with(Span {
                name: "support-bot",
                kind: "agent",
                lasts: 2_706_000,
                input: json!({ "agent_name": "support-bot", "question": question }),
                output: if answer.is_empty() { Value::Null } else { json!({ "result": answer }) },
                error,
                ..Span::default()
            })
            .with(Span {
                name: "search_docs",
                kind: "retriever",
                parent: Some(0),
                at: 4_000,
                lasts: 198_000,
                input: json!({ "question": question, "limit": 3 }),
                output: json!({ "result": [{ "title": "Returns: items that arrived broken" }] }),
                ..Span::default()
            })
            .with(llm("claude-sonnet-4-5", 210_000, 1_180_000, 1_304, 31))
            .with(Span {
                name: "refund_order",
                kind: "tool",
                parent: Some(0),
                at: 1_400_000,
                lasts: 25_000,
                input: json!({ "order_id": 1_017 }),
                output: if error.is_none() { json!({ "result": { "card": "9903" } }) } else { Value::Null },
                error,
                tags: &["payments"],
                ..Span::default()
            })
    };
    turns.into_iter().enumerate().map(turn).collect()
}

fn running(start: Timestamp) -> Trace {
    Trace::new("51d0c0de-0000-4000-8000-000000000001", "dev", "research-agent", start)
        .of("conv-2040", "analyst-1")
        .with(Span {
            name: "research-agent",
            kind: "agent",
            provisional: true,
            input: json!({ "agent_name": "research-agent", "topic": "glass recycling" }),
            ..Span::default()
        })
        .with(Span {
            name: "search_library",
            kind: "retriever",
            parent: Some(0),
            at: 20_000,
            lasts: SECOND,
            input: json!({ "query": "glass recycling" }),
            ..Span::default()
        })
}

fn llm(model: &'static str, at: u64, lasts: u64, input: u64, output: u64) -> Span<'static> {
    Span {
        name: "chat",
        kind: "llm",
        parent: Some(0),
        at,
        lasts,
        model,
        tokens: Some((input, output)),
        nano_usd: (!model.is_empty()).then_some(input * 3_000 + output * 15_000),
        input: json!({ "model": model, "messages": [{ "role": "user", "content": "Please help." }] }),
        output: json!({ "role": "assistant", "content": "Certainly." }),
        ..Span::default()
    }
}

/// Numbers that look random and are the same each time.
struct Dice(u64);

impl Dice {
    fn roll(&mut self, below: u64) -> u64 {
        self.0 = self.0.wrapping_mul(6_364_136_223_846_793_005).wrapping_add(1_442_695_040_888_963_407);
        (self.0 >> 33) % below
    }

    fn pick(&mut self, below: u64) -> usize {
        usize::try_from(self.roll(below)).unwrap()
    }
}
