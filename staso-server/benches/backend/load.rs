use std::fmt::Write as _;

/// Traces of ten spans with about 1 KiB of content each, the same for the same seed.
///
/// A trace is one turn of a support agent: the agent, three retrievals, two calls of a model and four tools.
/// Texts are words of a vocabulary of 20,000, the first ones far more often than the last, as in prose.
pub(crate) struct Load {
    random: Random,
    words: Vec<String>,
    traces: u64,
    first_start: i64,
    step: i64,
}

/// Spans in a trace.
pub(crate) const SPANS: usize = 10;

/// Characters of content in each span: input, output and attributes together.
pub(crate) const CONTENT: usize = 1024;

const STEPS: [(&str, &str); SPANS] = [
    ("support_bot", "agent"),
    ("search_docs", "retriever"),
    ("rank_passages", "retriever"),
    ("recall_memory", "retriever"),
    ("chat", "llm"),
    ("look_up_order", "tool"),
    ("check_stock", "tool"),
    ("quote_shipping", "tool"),
    ("chat", "llm"),
    ("send_reply", "tool"),
];

impl Load {
    /// A load whose traces start `step` microseconds apart from `first_start` on.
    pub(crate) fn new(seed: u64, first_start: i64, step: i64) -> Self {
        let mut random = Random(seed | 1);
        let words = (0..20_000).map(|_| word(&mut random)).collect();
        Self { random, words, traces: 0, first_start, step }
    }

    /// A request body with so many traces.
    pub(crate) fn body(&mut self, traces: usize) -> String {
        let mut body = String::with_capacity(traces * SPANS * 2048);
        body.push_str("{\"traces\":[");
        for index in 0..traces {
            if index > 0 {
                body.push(',');
            }
            self.trace(&mut body);
        }
        body.push_str("]}");
        body
    }

    fn trace(&mut self, body: &mut String) {
        let number = self.traces;
        self.traces += 1;
        let started = self.first_start + self.step * number as i64;
        let trace_id = format!(
            "{:08x}-{:04x}-{:04x}-{:04x}-{:012x}",
            self.random.next() >> 32,
            self.random.next() >> 48,
            self.random.next() >> 48,
            self.random.next() >> 48,
            self.random.next() >> 16
        );
        let environment = ["prod", "prod", "prod", "staging"][self.random.below(4)];
        let agent = format!("support-bot-{}", self.random.below(12));
        let user = format!("customer-{}", self.random.below(5_000));
        let conversation = format!("conv-{:06}", number / 4);
        let model = ["gpt-4o", "gpt-4o-mini", "claude-sonnet-4", "an-unknown-model"][self.random.below(4)];
        let failed = self.random.below(20) == 0;
        let root =
            format!("00000000-0000-0000-{:04x}-{:012x}", self.random.next() >> 48, self.random.next() >> 16);
        let _ = write!(
            body,
            r#"{{"trace_id":"{trace_id}","timestamp":"{}","environment":"{environment}","workspace_slug":"default","spans":["#,
            time(started)
        );
        // Children end first; the agent is last, as the SDKs send it.
        for step in (0..SPANS).rev() {
            let (name, kind) = STEPS[step];
            let span_id = if step == 0 {
                root.clone()
            } else {
                format!(
                    "00000000-0000-0000-{:04x}-{:012x}",
                    self.random.next() >> 48,
                    self.random.next() >> 16
                )
            };
            let parent = if step == 0 { "null".to_owned() } else { format!("\"{root}\"") };
            let llm = kind == "llm";
            let status = if failed && (step == 0 || step == 7) { "error" } else { "ok" };
            let message = if status == "error" { "\"the carrier refused the parcel\"" } else { "null" };
            let (model, input_tokens, output_tokens) = if llm {
                (model, 200 + self.random.below(2_000), 20 + self.random.below(400))
            } else {
                ("", 0, 0)
            };
            let _ = write!(
                body,
                r#"{{"span_id":"{span_id}","parent_span_id":{parent},"name":"{name}","kind":"{kind}","timestamp":"{}","duration_ms":{}.{:02},"status":"{status}","model":"{model}","provider":"","requested_model":"{model}","usage_available":{},"reasoning_effort":"","input_tokens":{input_tokens},"output_tokens":{output_tokens},"total_tokens":{},"input":"{{\"query\":\""#,
                time(started + 3_000 * step as i64),
                if step == 0 { 400 + self.random.below(4_000) } else { 1 + self.random.below(300) },
                self.random.below(100),
                if llm { "true" } else { "null" },
                input_tokens + output_tokens,
            );
            let attributes = r#"{\"code.filepath\":\"src/agent.rs\",\"code.function\":\"step\",\"code.lineno\":120,\"tags\":[\"tier-1\"]}"#;
            let content = CONTENT - attributes.len() + 14 - 34;
            self.text(body, content / 2);
            body.push_str("\\\"}\",\"output\":\"{\\\"result\\\":\\\"");
            self.text(body, content - content / 2);
            let _ = write!(
                body,
                r#"\"}}","attributes":"{attributes}","error_message":{message},"session_id":"{conversation}","agent_name":"{agent}","agent_id":"0cf2c2fe-e545-5eaa-b378-d7b106699088","agent_version":"v2.3","user_id":"{user}","capture":{{"request":"captured","system_prompt":"captured","tool_schema":"captured","tool_arguments":"captured","output":"captured"}}}}{}"#,
                if step == 0 { "" } else { "," }
            );
        }
        body.push_str("]}");
    }

    fn text(&mut self, body: &mut String, length: usize) {
        let end = body.len() + length;
        while body.len() < end {
            let place = self.random.unit();
            let index = (place * place * place * self.words.len() as f64) as usize;
            body.push_str(&self.words[index]);
            body.push(' ');
        }
        body.truncate(end);
    }
}

/// A word of two to four syllables.
fn word(random: &mut Random) -> String {
    const STARTS: [&str; 16] =
        ["b", "c", "d", "f", "g", "h", "l", "m", "n", "p", "r", "s", "t", "v", "st", "tr"];
    const ENDS: [&str; 12] = ["a", "e", "i", "o", "u", "an", "er", "in", "ol", "us", "ea", "ing"];
    (0..2 + random.below(3))
        .map(|_| format!("{}{}", STARTS[random.below(16)], ENDS[random.below(12)]))
        .collect()
}

fn time(micros: i64) -> String {
    staso_server::model::Timestamp::from_micros(micros).to_string()
}

/// Xorshift: fast, and the same everywhere.
struct Random(u64);

impl Random {
    fn next(&mut self) -> u64 {
        self.0 ^= self.0 << 13;
        self.0 ^= self.0 >> 7;
        self.0 ^= self.0 << 17;
        self.0.wrapping_mul(0x2545_F491_4F6C_DD1D)
    }

    fn below(&mut self, end: usize) -> usize {
        (self.next() >> 32) as usize % end
    }

    fn unit(&mut self) -> f64 {
        (self.next() >> 11) as f64 / (1_u64 << 53) as f64
    }
}
